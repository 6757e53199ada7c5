"""The declaration of every metadata term: forms, checks, exports and the reference page are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from spacelab.publishing.rules.term_checks import check_of
from spacelab.publishing.rules.term_types import LISTS, Block, Kind, Term, Type, Writer

MANY = 50
"""Entries of a list that nobody writing by hand exceeds."""


def _term(
    key: str, label: str, vocabulary: str, hint: str, kind: Type = Type.TEXT, *, block: Block, **more: Any
) -> Term:
    longest = more.pop("longest", 200)
    most = more.pop("most", MANY) if kind in LISTS else 1
    check = check_of(kind, longest=longest, most=most)
    return Term(key, label, vocabulary, block, hint, check, kind, longest, most, **more)


_FIRST = Block.MANDATORY
_SECOND = Block.RECOMMENDED
_THIRD = Block.OPTIONAL
_DATALAB = frozenset({Kind.DATALAB})
_PIPELINE = frozenset({Kind.PIPELINE})

_ALL = (
    _term("title", "Title", "sdo:name", "The name people see.", block=_FIRST, longest=120),
    _term(
        "alternateName",
        "Short name",
        "sdo:alternateName",
        "From it the address is made.",
        block=_FIRST,
        longest=60,
        kinds=_DATALAB,
    ),
    _term(
        "displayName",
        "Short name",
        "sdo:alternateName",
        "From it the pipeline's address is made.",
        block=_FIRST,
        longest=60,
        kinds=_PIPELINE,
    ),
    _term(
        "abstract",
        "Abstract",
        "sdo:abstract",
        "One paragraph on what it does, for whom, with which data.",
        block=_FIRST,
        longest=1000,
    ),
    _term(
        "contactPoint.email",
        "Contact",
        "sdo:email",
        "Whom to ask; everybody who may see it sees this address.",
        Type.EMAIL,
        block=_FIRST,
        longest=254,
    ),
    _term(
        "creator.name",
        "Authors",
        "sdo:creator",
        "One name to a line.",
        Type.NAMES,
        block=_FIRST,
        longest=120,
        most=100,
    ),
    _term("version", "Version", "sdo:version", "Such as 1.4.0.", Type.VERSION, block=_FIRST, longest=40),
    _term(
        "distribution.license",
        "Licence",
        "sdo:license",
        "An identifier of the SPDX list, such as Apache-2.0.",
        Type.LICENCE,
        block=_FIRST,
    ),
    _term(
        "description",
        "Description",
        "sdo:description",
        "All there is to know, in CommonMark.",
        Type.LONG,
        block=_SECOND,
        longest=20_000,
    ),
    _term("instrument", "Instruments", "esado:instrument", "Whose data it is for.", Type.WORDS, block=_SECOND),
    _term("mission", "Missions", "esado:mission", "Whose data it is for.", Type.WORDS, block=_SECOND),
    _term(
        "thumbnailUrl",
        "Picture",
        "sdo:thumbnailUrl",
        "A PNG of the package; addresses elsewhere are kept, but never loaded.",
        Type.PICTURE,
        block=_SECOND,
        longest=2000,
    ),
    _term(
        "keywords",
        "Keywords",
        "dcat:keyword",
        "With commas between; preferably concepts of the Unified Astronomy Thesaurus.",
        Type.WORDS,
        block=_SECOND,
        longest=100,
    ),
    _term("contactPoint.organisation-name", "Organisation", "sdo:affiliation", "The institute to ask.", block=_THIRD),
    _term(
        "contactPoint.id",
        "Contact's identifier",
        "sdo:identifier",
        "An ORCID iD, such as 0000-0002-1825-0097, or the address of a page on the contact.",
        Type.PERSON_ID,
        block=_THIRD,
        longest=500,
    ),
    _term("contactPoint.role", "Contact's role", "sdo:contactType", "Such as maintainer.", block=_THIRD),
    _term("creator.logo", "Logo", "foaf:logo", "Of the author or institute.", Type.PICTURE, block=_THIRD, longest=2000),
    _term("citation", "How to cite", "sdo:citation", "A reference as a paper prints it.", block=_THIRD, longest=2000),
    _term("funder", "Funder", "sdo:funder", "Who paid for it.", block=_THIRD, longest=500),
    _term(
        "doi.notation", "DOI", "skos:notation", "Such as 10.5281/zenodo.1234567.", Type.DOI, block=_THIRD, longest=500
    ),
    _term(
        "domain",
        "Field of science",
        "esado:domain",
        "A term of esado: its address, or esado:Name.",
        Type.IRI,
        block=_THIRD,
        longest=500,
    ),
    _term(
        "language",
        "Languages",
        "sdo:inLanguage",
        "Which people need to know, as tags of BCP 47: en, fr.",
        Type.LANGUAGES,
        block=_THIRD,
        longest=35,
        most=20,
    ),
    _term(
        "associatedFileType",
        "File types",
        "esado:associatedFileType",
        "Which it is for: FITS, VOTable, GeoTIFF, netCDF.",
        Type.FILE_TYPES,
        block=_THIRD,
        longest=60,
    ),
    _term("audienceType", "Audience", "sdo:audienceType", "Whom it is for, such as students.", block=_THIRD),
    _term(
        "datalabImage.keyword",
        "Image's keywords",
        "dcat:keyword",
        "Words of yours for finding the image again.",
        Type.WORDS,
        block=_THIRD,
        longest=100,
        private=True,
        kinds=_DATALAB,
    ),
    _term(
        "ESAOfficial",
        "Official",
        "esado:ESAOfficial",
        "Whether the agency stands behind it.",
        Type.BOOLEAN,
        block=_THIRD,
        writer=Writer.MODERATOR,
    ),
    _term(
        "datalabImage.platform",
        "Image's platform",
        "sdo:version",
        "What the image was built for.",
        block=_THIRD,
        writer=Writer.PLATFORM,
        private=True,
        kinds=_DATALAB,
    ),
    _term(
        "datalabImage.id",
        "Image's identifier",
        "sdo:identifier",
        "The digest of the image, or the hash of the environment.",
        block=_THIRD,
        writer=Writer.PLATFORM,
        private=True,
        kinds=_DATALAB,
    ),
    _term(
        "dateCreated",
        "Created",
        "sdo:dateCreated",
        "When the draft was begun.",
        Type.DATE,
        block=_THIRD,
        writer=Writer.PLATFORM,
        private=True,
    ),
    _term(
        "dateModified",
        "Changed",
        "sdo:dateModified",
        "When this version was last changed.",
        Type.DATE,
        block=_THIRD,
        writer=Writer.PLATFORM,
    ),
    _term(
        "datePublished",
        "Published",
        "sdo:datePublished",
        "When this version was published.",
        Type.DATE,
        block=_THIRD,
        writer=Writer.PLATFORM,
    ),
    _term(
        "url",
        "Permanent link",
        "sdo:url",
        "Where this version is found.",
        Type.URL,
        block=_THIRD,
        writer=Writer.PLATFORM,
        longest=2000,
    ),
)

TERMS: Mapping[str, Term] = MappingProxyType({term.key: term for term in _ALL})
"""Every term by its key, in the order in which forms and pages show them."""

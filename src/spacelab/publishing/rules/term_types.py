"""What a metadata term is made of: its type, its block, who writes it, who sees it, and the vocabularies it is from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

Value = str | list[str] | bool
"""What a term holds. Dates are texts in ISO form."""

NAMESPACES: Mapping[str, str] = MappingProxyType(
    {
        "sdo": "https://schema.org/",
        "dcat": "http://www.w3.org/ns/dcat#",
        "dct": "http://purl.org/dc/terms/",
        "skos": "http://www.w3.org/2004/02/skos/core#",
        "foaf": "http://xmlns.com/foaf/0.1/",
        "esado": "urn:x-esado:",
    }
)
"""Prefix → namespace. ESA publishes the prefix `esado` without an address, so its IRIs lead nowhere."""


class Kind(StrEnum):
    """What the terms describe."""

    DATALAB = "datalab"
    PIPELINE = "pipeline"


class Writer(StrEnum):
    """Who writes a term."""

    AUTHOR = "author"
    MODERATOR = "moderator"
    PLATFORM = "platform"


class Block(StrEnum):
    """How much a term matters."""

    MANDATORY = "mandatory"
    RECOMMENDED = "recommended"
    OPTIONAL = "optional"


class Type(StrEnum):
    """What a term's value is; each value says it in the words of the reference."""

    TEXT = "text"
    LONG = "long text, CommonMark"
    EMAIL = "e-mail address"
    URL = "web address"
    PICTURE = "web address, or a file of the package"
    IRI = "IRI"
    PERSON_ID = "ORCID iD, or a web address"
    DOI = "DOI"
    LICENCE = "SPDX licence expression"
    VERSION = "version"
    WORDS = "list of words"
    NAMES = "list of names"
    FILE_TYPES = "list of file types"
    LANGUAGES = "list of BCP 47 language tags"
    BOOLEAN = "yes or no"
    DATE = "date"


LISTS = frozenset({Type.WORDS, Type.NAMES, Type.FILE_TYPES, Type.LANGUAGES})
"""Types whose value is a list of texts."""


class Flaw(Exception):  # noqa: N818  a flaw is in what a person wrote, not in the program
    """A value that a term can't hold: what is wrong with it, and what to do."""

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


@dataclass(frozen=True)
class Term:
    """One metadata term; `check` returns the value as it is kept, or raises `Flaw`.

    `longest` counts the characters of a text, or of each entry of a list; `most` the entries of a list.
    """

    key: str
    label: str
    vocabulary: str
    block: Block
    hint: str
    check: Callable[[Value], Value]
    type: Type = Type.TEXT
    longest: int = 200
    most: int = 1
    writer: Writer = Writer.AUTHOR
    private: bool = False
    kinds: frozenset[Kind] = frozenset(Kind)

    @property
    def iri(self) -> str:
        """The full IRI of the vocabulary's term."""
        prefix, _, name = self.vocabulary.partition(":")
        return NAMESPACES[prefix] + name

    @property
    def address(self) -> str:
        """Where the vocabulary explains the term; empty if it has no address."""
        return self.iri if self.iri.startswith("http") else ""

    @property
    def is_list(self) -> bool:
        """Whether it holds several texts."""
        return self.type in LISTS

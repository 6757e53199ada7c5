"""The checks of metadata values, one for each type of term: each returns the value as it is kept, or raises `Flaw`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from urllib.parse import urlsplit

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from spacelab.publishing.rules.term_types import LISTS, Flaw, Type, Value

TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the direction of the text after them: they make a text read otherwise than it is."""
UNSEEN = frozenset("\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u00ad")
"""Characters without width that no language's spelling needs: they make two names look the same."""
TAGS = range(0xE0000, 0xE0080)
"""Invisible copies of ASCII."""

EMAIL = re.compile(r"[^\s@<>()\[\],;:\\\"]{1,64}@[^\s@<>()\[\],;:\\\"]+\.[^\s@<>()\[\],;:\\\".]{2,}")
VERSION = re.compile(r"v?\d{1,9}(\.\d{1,9}){0,4}([-+._]?[0-9A-Za-z]+([-+._][0-9A-Za-z]+)*)?")
DOI = re.compile(r"10\.\d{4,9}(\.\d+)*/[^\s\"<>{}|\\^`]+")
"""The form of the DOI Handbook, section 2.2, with the characters that a link can carry."""
ORCID = re.compile(r"(\d{4})-(\d{4})-(\d{4})-(\d{3}[\dX])")
FILE_TYPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 .+/_-]{0,59}")
LANGUAGE = re.compile(
    r"([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"
    r"(-[A-Za-z]{4})?(-([A-Za-z]{2}|\d{3}))?(-([A-Za-z0-9]{5,8}|\d[A-Za-z0-9]{3}))*"
    r"(-[A-WY-Za-wy-z0-9](-[A-Za-z0-9]{2,8})+)*(-x(-[A-Za-z0-9]{1,8})+)?"
)
"""RFC 5646, section 2.1: language, script, region, variants, extensions, private use."""
CURIE = re.compile(r"(esado|skos|sdo|dcat|foaf):[A-Za-z0-9_./#-]+")
TRUE = frozenset({"true", "yes", "on", "1"})
FALSE = frozenset({"false", "no", "off", "0"})


def clean_text(value: str, *, lines: bool = False) -> str:
    """Return a text in normal form C without white space around it; raise `Flaw` on characters that deceive.

    With `lines`, line feeds and tabs may stand in it; otherwise they become spaces.
    """
    text = unicodedata.normalize("NFC", value).replace("\r\n", "\n").replace("\r", "\n").strip()
    if not lines:
        text = re.sub(r"\s+", " ", text)
    for character in text:
        if character in TURNING:
            raise Flaw(
                f"It holds an invisible character that turns the direction of the text (U+{ord(character):04X}).",
                "Type the text anew instead of pasting it.",
            )
        if character in UNSEEN or ord(character) in TAGS:
            raise Flaw(
                f"It holds an invisible character (U+{ord(character):04X}).",
                "Type the text anew instead of pasting it.",
            )
        if unicodedata.category(character) in {"Cc", "Cs", "Cn"} and character not in "\n\t":
            raise Flaw(
                f"It holds a control character (U+{ord(character):04X}).",
                "Take it out: it is no part of a text. A file may have been read in the wrong encoding.",
            )
        if character == "\ufffd":
            raise Flaw(
                "It holds the mark of an unreadable character (�).",
                "The text was read in the wrong encoding: save it as UTF-8, or type the letters anew.",
            )
    return text


def check_text(value: Value, *, longest: int, lines: bool = False) -> str:
    """Check a text; several are joined with commas."""
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = ", ".join(value)
    if not isinstance(value, str):
        raise Flaw("It must be text.")
    if len(value) > 2 * longest + 1000:  # far too long: not worth a look at each character
        raise _too_long(len(value), longest)
    text = clean_text(value, lines=lines)
    if len(text) > longest:
        raise _too_long(len(text), longest)
    return text


def _too_long(length: int, longest: int) -> Flaw:
    return Flaw(f"It has {length:,} characters, at most {longest:,} are kept.", "Shorten it.")


def check_email(value: Value, *, longest: int) -> str:
    """Check an e-mail address."""
    text = check_text(value, longest=longest)
    if text and not EMAIL.fullmatch(text):
        raise Flaw(f"“{text[:80]}” is no e-mail address.", "Write one address, such as ada@example.org.")
    return text


def check_url(value: Value, *, longest: int) -> str:
    """Check the address of a web page."""
    text = check_text(value, longest=longest)
    if text and not is_web_address(text):
        raise Flaw(f"“{text[:80]}” is no web address.", "Write all of it, beginning with https://.")
    return text


def is_web_address(text: str) -> bool:
    """Say whether a text is an http address of a host, without a name and password in it."""
    try:
        parts = urlsplit(text)
        there = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    plain = "@" not in parts.netloc and not re.search(r"[\s\"<>\\]", text)
    return parts.scheme in {"http", "https"} and there and plain


def check_picture(value: Value, *, longest: int) -> str:
    """Check the address of a picture: on the web, or a file of the package."""
    text = check_text(value, longest=longest)
    inside = not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|[/\\~]", text) and ".." not in text.split("/")
    if text and not is_web_address(text) and not inside:
        raise Flaw(f"“{text[:80]}” is neither a web address nor a file of the package.", "For example thumbnail.png.")
    return text


def check_iri(value: Value, *, longest: int) -> str:
    """Check a term of a vocabulary: a web address, or a name with one of the known prefixes."""
    text = check_text(value, longest=longest)
    if text and not is_web_address(text) and not CURIE.fullmatch(text):
        raise Flaw(f"“{text[:80]}” is no term of a vocabulary.", "Write its address, or for example esado:Astronomy.")
    return text


def check_person_id(value: Value, *, longest: int) -> str:
    """Check an identifier of a person; an ORCID iD is kept as its four groups."""
    text = check_text(value, longest=longest)
    bare = re.sub(r"^(https?://)?(www\.)?orcid\.org/", "", text, flags=re.IGNORECASE).rstrip("/").upper()
    if ORCID.fullmatch(bare):
        if orcid_digit(bare) != bare[-1]:
            raise Flaw(f"“{bare}” is no ORCID iD: its last character does not fit the others.", "Copy it again.")
        return bare
    if text and (not is_web_address(text) or "orcid.org" in text.lower()):
        raise Flaw(f"“{text[:80]}” is no ORCID iD.", "Write one such as 0000-0002-1825-0097, or a web address.")
    return text


def orcid_digit(orcid: str) -> str:
    """Return the check character that an ORCID iD should end with (ISO 7064, MOD 11-2)."""
    total = 0
    for digit in orcid.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    rest = (12 - total % 11) % 11
    return "X" if rest == 10 else str(rest)  # noqa: PLR2004  ten is written X


def check_doi(value: Value, *, longest: int) -> str:
    """Check a DOI; it is kept without `https://doi.org/` or `doi:` before it."""
    text = check_text(value, longest=longest)
    bare = re.sub(r"^(https?://(dx\.|www\.)?doi\.org/|doi:\s*)", "", text, flags=re.IGNORECASE)
    if bare and not DOI.fullmatch(bare):
        raise Flaw(f"“{text[:80]}” is no DOI.", "Write one such as 10.5281/zenodo.1234567.")
    return bare


def check_licence(value: Value, *, longest: int) -> str:
    """Check a licence expression (SPDX 3, annex B); identifiers are kept in their official spelling."""
    text = check_text(value, longest=longest)
    bare = re.sub(r"^https?://(www\.)?spdx\.org/licenses/|(?<=[A-Za-z0-9])(\.html|\.json)$", "", text)
    if not bare:
        return ""
    try:
        return str(canonicalize_license_expression(bare))
    except InvalidLicenseExpression as error:
        raise Flaw(
            f"“{text[:80]}” is no licence of the SPDX list.",
            "Write its identifier, such as Apache-2.0 or GPL-3.0-or-later; LicenseRef-… for one of your own.",
        ) from error


def check_version(value: Value, *, longest: int) -> str:
    """Check a version."""
    text = check_text(value, longest=longest)
    if text and not VERSION.fullmatch(text):
        raise Flaw(f"“{text[:80]}” is no version.", "Begin with a number: 1.4.0, or 2026.1-beta.")
    return text


def check_date(value: Value, *, longest: int) -> str:
    """Check a date, or a date with a time, in ISO form."""
    text = check_text(value, longest=longest)
    try:
        if text:
            date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text)  # noqa: PLR2004  2026-01-31
    except ValueError as error:
        raise Flaw(f"“{text[:80]}” is no date.", "Write year, month, day: 2026-01-31.") from error
    return text


def check_boolean(value: Value, *, longest: int) -> bool:
    """Check a yes or no."""
    if isinstance(value, bool):
        return value
    text = check_text(value, longest=longest).lower()
    if text and text not in TRUE | FALSE:
        raise Flaw(f"“{text[:80]}” is neither yes nor no.", "Write true or false.")
    return text in TRUE


def check_list(value: Value, *, longest: int, most: int, separators: str, one: Callable[[str], str]) -> list[str]:
    """Check a list, each entry with `one`; a text is taken apart at the separators. Each entry is kept once."""
    if isinstance(value, str):
        if len(value) > most * (longest + 2) * 2:
            raise Flaw(f"It has {len(value):,} characters.", f"At most {most} entries of {longest} are kept.")
        value = re.split(f"[{separators}]", value)
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Flaw("It must be a list of texts, or one text with commas between the entries.")
    if len(value) > 2 * most + 100:  # far too many: not worth a look at each
        raise Flaw(f"It has {len(value):,} entries, at most {most} are kept.", "Keep those that matter most.")
    kept: dict[str, str] = {}
    for entry in value:
        text = one(check_text(entry, longest=longest))
        if text:
            kept.setdefault(text.casefold(), text)
    if len(kept) > most:
        raise Flaw(f"It has {len(kept):,} entries, at most {most} are kept.", "Keep those that matter most.")
    return list(kept.values())


def _word(text: str) -> str:
    if "," in text or ";" in text:
        raise Flaw(f"“{text[:80]}” holds a comma or semicolon.", "Make it two entries.")
    return text


def _name(text: str) -> str:
    if ";" in text:
        raise Flaw(f"“{text[:80]}” holds a semicolon.", "Write one name to a line.")
    return text


def _file_type(text: str) -> str:
    if text and not FILE_TYPE.fullmatch(text):
        raise Flaw(f"“{text[:80]}” is no file type.", "Write names such as FITS, VOTable, GeoTIFF or netCDF.")
    return text


def _language(text: str) -> str:
    if text and not LANGUAGE.fullmatch(text):
        raise Flaw(f"“{text[:80]}” is no language tag.", "Write tags of BCP 47, such as en, fr or pt-BR.")
    return text


_OF_TEXT: dict[Type, Callable[..., Value]] = {
    Type.TEXT: check_text,
    Type.LONG: partial(check_text, lines=True),
    Type.EMAIL: check_email,
    Type.URL: check_url,
    Type.PICTURE: check_picture,
    Type.IRI: check_iri,
    Type.PERSON_ID: check_person_id,
    Type.DOI: check_doi,
    Type.LICENCE: check_licence,
    Type.VERSION: check_version,
    Type.BOOLEAN: check_boolean,
    Type.DATE: check_date,
}
_OF_LIST: dict[Type, tuple[str, Callable[[str], str]]] = {
    Type.WORDS: (",;\n", _word),
    Type.NAMES: (";\n", _name),
    Type.FILE_TYPES: (",;\n", _file_type),
    Type.LANGUAGES: (",;\n", _language),
}
"""Type → where a text is taken apart, and the check of one entry. A name may hold a comma."""


def check_of(kind: Type, *, longest: int, most: int) -> Callable[[Value], Value]:
    """Return the check for a type, with the limits of a term."""
    if kind in LISTS:
        separators, one = _OF_LIST[kind]
        return partial(check_list, longest=longest, most=most, separators=separators, one=one)
    return partial(_OF_TEXT[kind], longest=longest)

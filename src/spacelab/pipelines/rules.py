"""Decisions about pipelines and steps: names, files, references between them, and what their states are called."""

from __future__ import annotations

import hashlib
import posixpath
import re
import string
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from datalab_package import names
from spacelab.kit.refusals import Invalid, TooLarge
from spacelab.publishing.rules import KEPT, OFFERED, State, Visibility
from spacelab.publishing.rules.wording import fold, tag_index, version_key, words

__all__ = ["KEPT", "OFFERED", "State", "Visibility", "fold", "tag_index", "version_key", "words"]

SLUG = names.SLUG
SLUG_ADVICE = names.SLUG_ADVICE
NUMBER = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z.+_-]{0,38}[0-9A-Za-z])?")
"""The number of a version: it is part of addresses and of the paths by which steps are used."""
Files = Mapping[str, str]
"""Path in the bundle → text."""

LARGEST_DOCUMENT = 1_000_000
"""Bytes of one file: CWL documents have some kB, and those made by programs some hundred."""
LARGEST_BUNDLE = 5_000_000
MOST_FILES = 500
LONGEST_PATH = 200
DEEPEST = 10
"""Steps that use steps that use steps …"""


class Kind(StrEnum):
    """What an entry of the catalogue is."""

    PIPELINE = "pipeline"
    STEP = "step"


STATE_WORDS = {State.BUILT: "valid", State.BUILD_FAILED: "not valid", State.BUILDING: "being checked"}
"""Building a pipeline is checking its document: what its states are called, where that differs from a datalab's."""


NEXT = {
    State.DRAFT: "Give it a document.",
    State.BUILDING: "",
    State.BUILD_FAILED: "Mend what is wrong with its document.",
    State.BUILT: "Run it, then submit it for review.",
    State.TESTING: "Submit it for review once it does what it should.",
    State.SUBMITTED: "Wait for a moderator to take it.",
    State.IN_REVIEW: "Wait for the moderator's decision.",
    State.CHANGES_REQUESTED: "Read what the moderator asks for, change it and submit it again.",
    State.REJECTED: "Read the reason; begin a new version if it can be mended.",
    State.APPROVED: "Publish it.",
    State.PUBLISHED: "",
    State.SUPERSEDED: "Archive it once nobody needs it.",
    State.ARCHIVED: "",
    State.WITHDRAWN: "Change it and submit it again, or delete it.",
}
"""The state → what its author does next; empty where nothing is left to do."""
AUTHORING_TABS = (
    ("files", "Files", "pipelines:author-files"),
    ("metadata", "Metadata", "pipelines:author-metadata"),
    ("testing", "Testing", "pipelines:author-testing"),
    ("visibility", "Visibility", "pipelines:author-visibility"),
    ("history", "History", "pipelines:author-history"),
)
"""The authoring pages of a version in their order: name, title, and route."""
HOME_TABS = {
    State.DRAFT: "files",
    State.BUILD_FAILED: "files",
    State.CHANGES_REQUESTED: "files",
    State.WITHDRAWN: "files",
    State.BUILT: "files",
    State.TESTING: "testing",
}


class ImportState(StrEnum):
    """Where the import of a repository stands."""

    WAITING = "waiting"
    FETCHING = "fetching"
    DONE = "done"
    FAILED = "failed"


IMPORTS_AT_ONCE = 2
"""Repositories that are fetched for pipelines at the same time, one of each person."""
MOST_WAITING = 5
"""Imports of one person that have not ended."""
KEPT_IMPORTS = 50
"""Ended imports of one person that are remembered."""
FETCH_MINUTES, FETCH_MB = 10, 512
"""What fetching a repository may take, unless the limits of builds are narrower."""


class EvidenceKind(StrEnum):
    """What evidence is about."""

    TEST_RUN = "test-run"
    """The pipeline was run, and ended well."""


EVIDENCE_TITLES: dict[str, str] = {EvidenceKind.TEST_RUN: "Test run"}


@dataclass(frozen=True)
class Reference:
    """A catalogue step that a document uses by its name and version, and the path at which its text must stand."""

    slug: str
    version: str
    path: str


@dataclass(frozen=True)
class Bundle:
    """A document with all that it needs: its own files, and those of the steps it uses at the paths it uses them by.

    `missing` lists the steps that there are not, or that whoever asks may not see; `steps` those that were found.
    """

    files: dict[str, str]
    main: str
    missing: list[Reference] = field(default_factory=list)
    steps: list[Reference] = field(default_factory=list)


REFERENCE = re.compile(
    r"catalogue/(?P<slug>[a-z0-9][a-z0-9-]{0,58}[a-z0-9])/"
    r"(?P<version>[0-9A-Za-z][0-9A-Za-z.+_-]{0,39})\.cwl\b"
)
PATH_LETTERS = f"{string.ascii_letters}{string.digits}_./-"


def references(text: str, at: str) -> list[Reference]:
    """List the catalogue's steps that the file at this path names, each once, in the order of the text."""
    found: dict[str, Reference] = {}
    for one in REFERENCE.finditer(text):
        ahead = text[max(one.start() - LONGEST_PATH, 0) : one.start()]
        before = ahead[len(ahead.rstrip(PATH_LETTERS)) :]  # a pattern looks at a long word again and again
        path = posixpath.normpath(posixpath.join(posixpath.dirname(at), before + one[0]))
        if not path.startswith(("../", "/")):
            found.setdefault(path, Reference(one["slug"], one["version"], path))
    return list(found.values())


DOCKER_NAME = re.compile(r"dockerPull[\"']?\s*:\s*[\"']?([^\s\"',}\]]{1,200})")


def software_names(files: Files) -> list[str]:
    """List what the documents name as their software (`dockerPull`), each once."""
    found = {one: None for text in files.values() for one in DOCKER_NAME.findall(text)}
    return list(found)


def content_hash(files: Files, main: str) -> str:
    """Return the hash of a bundle's own files: the same for the same bytes under the same names."""
    digest = hashlib.sha256(main.encode())
    for path, text in sorted(files.items()):
        digest.update(f"\0{len(path.encode())}:{path}\0{len(text.encode())}:".encode())
        digest.update(text.encode())
    return f"sha256:{digest.hexdigest()}"


RESERVED = frozenset({"steps", "new", "mine", "editor", "bookmarks", "reviews", "imports"})
"""Words of addresses, which no pipeline can have as its short name."""


def clean_slug(slug: str) -> str:
    """Return a short name, or raise `Invalid`."""
    slug = slug.strip()
    if slug in RESERVED:
        raise Invalid(f"“{slug}” is a word of the platform's addresses.", advice="Choose another one.", field="slug")
    if not re.fullmatch(SLUG, slug):
        raise Invalid(f"“{_shown(slug)}” can't be a short name.", advice=SLUG_ADVICE, field="slug")
    return slug


def clean_number(version: str) -> str:
    """Return a version's number, or raise `Invalid`."""
    version = version.strip()
    if not NUMBER.fullmatch(version):
        raise Invalid(
            f"“{_shown(version)}” can't be the number of a version.",
            advice="Use at most 40 letters, digits and points, such as 1.0.",
            field="version",
        )
    return version


def clean_path(path: str) -> str:
    """Return a file's path in its bundle; raise `Invalid` for one that leads out of it, or can't be shown."""
    bad = any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in path)
    parts = path.split("/")
    if not path or len(path) > LONGEST_PATH or bad or "\\" in path or any(one in {"", ".", ".."} for one in parts):
        raise Invalid(
            f"“{_shown(path)}” can't be the name of a file.",
            advice="Use relative paths without “..”, backslashes or characters that can't be seen.",
            field="files",
        )
    return path


def clean_files(files: Mapping[str, object]) -> dict[str, str]:
    """Return the files of a bundle as texts; raise `Invalid` or `TooLarge` naming the one at fault."""
    if len(files) > MOST_FILES:
        raise TooLarge(f"These are more than {MOST_FILES} files.", advice="Leave out what is data.", field="files")
    kept: dict[str, str] = {}
    total = 0
    for given, text in files.items():
        path = clean_path(given)
        if not isinstance(text, str) or "\0" in text or _unpaired(text):
            raise Invalid(f"{path} is no text.", advice="A pipeline consists of texts in UTF-8.", field="files")
        size = len(text.encode())
        total += size
        if size > LARGEST_DOCUMENT or total > LARGEST_BUNDLE:
            raise too_large(path if size > LARGEST_DOCUMENT else "")
        kept[path] = text
    for path in kept:
        if any(f"{parent}" in kept for parent in _parents(path)):
            raise Invalid(f"{path} stands in a folder that is a file.", advice="Rename one of them.", field="files")
    return kept


def clean_git_path(path: str) -> str:
    """Return a path in a repository, tidied, empty for its root; raise `Invalid` for one that leads out of it."""
    tidy = path.strip().strip("/")
    tidy = tidy.removeprefix("./") if tidy != "." else ""
    try:
        return clean_path(tidy) if tidy else ""
    except Invalid as refusal:
        raise Invalid(
            f"“{_shown(tidy)}” can't be a path in a repository.",
            advice="Name a folder or a document in it, such as workflows/main.cwl, or nothing for all of it.",
            field="git_path",
        ) from refusal


def too_large(path: str = "") -> TooLarge:
    """Say that a file, or all of them together, are too large."""
    what = f"{_shown(path)} is larger than {LARGEST_DOCUMENT // 1_000_000} MB." if path else ""
    return TooLarge(
        what or f"All files together are larger than {LARGEST_BUNDLE // 1_000_000} MB.",
        advice="Documents are small: keep data in a volume, and give them as inputs.",
        field="files",
    )


DOCUMENTS = (".cwl", ".cwl.json", ".cwl.yml", ".cwl.yaml")
"""How the names of CWL documents end, in small letters."""
NAMED_FILE = re.compile(r"[^\s\"'\[\]{},#()<>$]{1,300}")
"""A word of a document that may be the name of another text."""
NEEDED_FILE = re.compile(
    r"""\b(?:location|path|run|import|include)["']?\s*:\s*["']?(?:file://)?([^\s"'\[\]{},#]{1,300})"""
)
"""A file or folder that a document can't do without."""


def reached(files: Files, start: str, others: Collection[str] = ()) -> set[str]:
    """Return the files that a document leads to, itself among them: those that it names, and those that these name.

    `others` are files beside the texts: those are meant only where something needs them, not where a text mentions
    them. A name leads on from the folder of its document; that of a folder leads to all that is in it.
    """
    found: set[str] = set()
    waiting = {start}
    while waiting:
        path = waiting.pop()
        found.add(path)
        text, folder = files.get(path, ""), posixpath.dirname(path)
        named = {posixpath.normpath(posixpath.join(folder, word)) for word in NAMED_FILE.findall(text)} & files.keys()
        for word in set(NEEDED_FILE.findall(text)):
            at = posixpath.normpath(posixpath.join(folder, word))
            named |= {one for one in (*files, *others) if one == at or one.startswith(f"{at}/")}
        waiting |= named - found
    return found


WORKFLOW = re.compile(r"^[ \t\"'{]*class[\"']?\s*:\s*[\"']?Workflow\b", re.MULTILINE)


def main_of(files: Files, wanted: str = "", slug: str = "") -> str:
    """Choose the main document: the wanted one, else the one whose name says so, else the only one there is.

    Raises `Invalid` where there is none, or several that could be it.
    """
    documents = [path for path in files if path.lower().endswith(DOCUMENTS)]
    if wanted:
        if wanted.partition("#")[0] not in files:
            raise Invalid(f"There is no file “{_shown(wanted)}”.", advice=_names(documents), field="main")
        return wanted
    for name in ("main.cwl", f"{slug}.cwl", "workflow.cwl", "packed.cwl"):
        if name in files:
            return name
    top = [path for path in documents if "/" not in path] or documents
    workflows = [path for path in top if WORKFLOW.search(files[path])]
    for candidates in (top, workflows):
        if len(candidates) == 1:
            return candidates[0]
    if not documents:
        raise Invalid("There is no CWL document.", advice="Its name ends in .cwl.", field="files")
    raise Invalid(
        "Several documents could be the main one.",
        advice=f"Name it main.cwl, or choose one: {_names(documents)}",
        field="main",
    )


def _names(paths: Iterable[str]) -> str:
    return ", ".join(sorted(paths)[:20])


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _unpaired(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _shown(text: str) -> str:
    return "".join(one if one.isprintable() else "�" for one in text[:60])

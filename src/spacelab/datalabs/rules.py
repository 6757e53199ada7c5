"""Decisions about datalabs: names, states, and what a version needs to be launched."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from datalab_package import names
from datalab_package.problems import PackageProblem
from spacelab.kit.refusals import Invalid
from spacelab.publishing.rules import KEPT, OFFERED, State, Visibility, terms
from spacelab.publishing.rules.wording import fold, tag_index, version_key, words

__all__ = ["KEPT", "OFFERED", "State", "Visibility", "fold", "tag_index", "version_key", "words"]

SLUG = names.SLUG
SLUG_ADVICE = names.SLUG_ADVICE
KINDS = names.KINDS


def authors_terms(metadata: Mapping[str, Any]) -> tuple[dict[str, terms.Value], list[terms.Problem]]:
    """Return what a version takes of its package's metadata, and what is wrong with the rest.

    A package is its author's: what moderators or the platform write is not taken from it.
    """
    return terms.acceptable(metadata, writer=terms.Writer.AUTHOR, kind=terms.Kind.DATALAB)


def refusal_of(problem: PackageProblem) -> Invalid:
    """Say as the platform's own refusal what is wrong with a package."""
    return Invalid(problem.message, advice=problem.advice, field=problem.key or problem.file)


AUTHORING_TABS = (
    ("files", "Files", "builds:author-files"),
    ("metadata", "Metadata", "datalabs:author-metadata"),
    ("build", "Build", "builds:author-build"),
    ("testing", "Testing", "testing:author-testing"),
    ("visibility", "Visibility", "datalabs:author-visibility"),
    ("history", "History", "datalabs:author-history"),
)
"""The authoring pages of a version in their order: name, title, and route; one without a route is not shown."""
HOME_TABS = {
    State.DRAFT: "files",
    State.CHANGES_REQUESTED: "files",
    State.WITHDRAWN: "files",
    State.BUILDING: "build",
    State.BUILD_FAILED: "build",
    State.BUILT: "testing",
    State.TESTING: "testing",
}
"""The state → the tab that matters most then; History for what is with the moderators, or was published."""
NEXT = {
    State.DRAFT: "Build its files.",
    State.BUILDING: "Wait for the build to end.",
    State.BUILD_FAILED: "See why, mend its files and build again.",
    State.BUILT: "Try it, then submit it for review.",
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


@dataclass(frozen=True)
class Use:
    """A session that runs a version: whose it is, its title and its page."""

    owner: int
    who: str
    title: str
    url: str


class EvidenceKind(StrEnum):
    """What evidence is about."""

    LAUNCH_TEST = "launch-test"
    """The version was started, and did what a datalab has to do."""
    PRESERVATION = "preservation"
    """The same, later: a published or archived version still starts."""


EVIDENCE_TITLES: dict[str, str] = {
    EvidenceKind.LAUNCH_TEST: "Launch test",
    EvidenceKind.PRESERVATION: "Preservation test",
}


NEEDS_ENGINE = "It is a container image, and this platform runs without a container engine."
NEEDS_IMAGE = "It was never built as a container image, which is what this platform runs."


def trouble_here(*, image: str, environment: str, images: bool) -> str:
    """Say why a version can't run, given whether the runtime carries images; nothing where it can."""
    if images:
        return "" if image else NEEDS_IMAGE
    return NEEDS_ENGINE if image and not environment else ""


@dataclass(frozen=True)
class Opens:
    """The files that a datalab opens: endings of their names, and the paths that it opens if none is chosen."""

    formats: tuple[str, ...] = ()
    default: tuple[str, ...] = ()

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Opens:
        """Read what a version's `opens` holds; empty if the datalab opens no files."""
        return cls(tuple(data.get("formats", ())), tuple(data.get("default", ())))


PLACE = re.compile(r"(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True)
class ThreadInput:
    """One input of a processing thread: a file, number, text or choice. Numbers may have bounds, files have formats."""

    name: str
    title: str
    type: str = "text"
    hint: str = ""
    default: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def variable(self) -> str:
        """The environment variable in which the thread finds it."""
        return "INPUT_" + re.sub(r"[^A-Z0-9]", "_", self.name.upper())

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> ThreadInput:
        """Read one input of a version's threads."""
        return cls(
            name=data["name"],
            title=data.get("title") or data["name"],
            type=data.get("type", "text"),
            hint=data.get("hint", ""),
            default=str(data.get("default", "")),
            optional=bool(data.get("optional", data.get("type", "text") == "text")),
            choices=tuple(str(one) for one in data.get("choices", ())),
            formats=tuple(data.get("formats", ())),
            minimum=data.get("minimum"),
            maximum=data.get("maximum"),
        )


@dataclass(frozen=True)
class Thread:
    """A predefined processing thread: one click runs its command over its inputs, beside the whole application.

    `outputs` are the files or folders that it leaves in the folder of its results: name → path there.
    """

    name: str
    title: str
    description: str
    command: tuple[str, ...]
    inputs: tuple[ThreadInput, ...]
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def command_line(self) -> tuple[str, ...]:
        """The command, run in the folder of the results, with variables for `{name}` of an input or an output."""
        places = {one.name: f"${{{one.variable}}}" for one in self.inputs}
        places |= {name: f"${{OUTPUT_DIR}}/{path}" for name, path in self.outputs.items()}
        words = [PLACE.sub(lambda found: places.get(found[1], found[0]), word) for word in self.command]
        return ("/bin/sh", "-c", 'cd "$OUTPUT_DIR" && exec "$@"', "sh", *words)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Thread:
        """Read one of a version's threads."""
        return cls(
            name=data["name"],
            title=data.get("title") or data["name"],
            description=data.get("description", ""),
            command=tuple(data["command"]),
            inputs=tuple(ThreadInput.from_json(one) for one in data.get("inputs", ())),
            outputs={one["name"]: one["path"] for one in data.get("outputs", ())},
        )


def as_json(part: Any) -> Any:
    """Return a part of a manifest, a dataclass, as the plain data that a version keeps."""
    return json.loads(json.dumps(asdict(part)))


LONGEST_INPUT = 1000
"""Characters of one input's value."""


def clean_inputs(thread: Thread, given: Mapping[str, object]) -> dict[str, str]:
    """Return a value, as text, for each of the thread's inputs; raise `Invalid` naming `inputs.<name>` at fault.

    Whether a file is there is checked where its volume is known.
    """
    known = {one.name for one in thread.inputs}
    for name in given.keys() - known:
        raise Invalid(f"“{thread.title}” has no input “{name[:60]}”.", advice=_names(known), field="inputs")
    return {one.name: _clean_input(one, given.get(one.name)) for one in thread.inputs}


def _names(known: set[str]) -> str:
    return f"It has {', '.join(sorted(known))}." if known else "It has none."


def _clean_input(wanted: ThreadInput, given: object) -> str:
    def wrong(what: str, advice: str = "") -> Invalid:
        return Invalid(f"{wanted.title}: {what}", advice=advice, field=f"inputs.{wanted.name}")

    value = str(wanted.default if given is None else given).strip()
    if not value and not wanted.optional:
        raise wrong("a value is needed.")
    if len(value) > LONGEST_INPUT or any(unicodedata.category(letter) == "Cc" for letter in value):
        raise wrong("that is too long, or holds characters that can't be shown.", f"At most {LONGEST_INPUT}.")
    if value and wanted.type == "number":
        _check_number(wanted, value, wrong)
    if value and wanted.type == "choice" and value not in wanted.choices:
        raise wrong(f"“{value[:60]}” is not offered.", f"Choose one of: {', '.join(wanted.choices)}.")
    return value


def _check_number(wanted: ThreadInput, value: str, wrong: Callable[..., Invalid]) -> None:
    try:
        number = float(value)
    except ValueError:
        raise wrong(f"“{value[:60]}” is not a number.", "Use a point, no comma.") from None
    if not math.isfinite(number):
        raise wrong("that is no finite number.")
    if wanted.minimum is not None and number < wanted.minimum:
        raise wrong(f"{value} is too small.", f"Use {wanted.minimum:g} or more.")
    if wanted.maximum is not None and number > wanted.maximum:
        raise wrong(f"{value} is too large.", f"Use {wanted.maximum:g} or less.")

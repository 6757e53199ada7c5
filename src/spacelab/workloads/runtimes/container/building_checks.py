"""What a Dockerfile may not ask of an engine, because the engine itself would reach out of the build's isolation.

This is the last line of defence, kept simple on purpose: what it can't read, it refuses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

DIRECTIVE = re.compile(r"^\s*#\s*(syntax|escape|check)\s*=", re.IGNORECASE)
STRANGE = re.compile(r"[^\S \t\r\n]|\r(?!\n)|[\x00-\x08\x0e-\x1f\x7f]")
REFERENCE = re.compile(r"\$(?:\{(\w+)(?::?([-+])([^}]*))?\}|(\w+))")
KNOWN = frozenset(
    {"add", "arg", "cmd", "copy", "entrypoint", "env", "expose", "from", "healthcheck", "label", "maintainer"}
    | {"run", "shell", "stopsignal", "user", "volume", "workdir"}
)


class Refused(Exception):  # noqa: N818  an answer to the package's author, not an error of ours
    """The Dockerfile asks for what no build gets; the message says in which line."""


class ImageMissing(Refused):
    """An image that the Dockerfile builds on is not on this machine."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its line, its lower-case word, the rest with continued lines joined."""

    line: int
    word: str
    rest: str


def instructions(text: str) -> Iterator[Instruction]:
    """Split a Dockerfile; raise `Refused` on directives and on what is no instruction."""
    if STRANGE.search(text):
        raise Refused("The Dockerfile holds control characters, or blanks that are none to an engine.")
    started, parts, begun = 0, list[str](), False
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not begun and DIRECTIVE.match(line):
            raise Refused(f"Line {number}: a Dockerfile may not choose its own syntax or escape character.")
        if line.strip().startswith("#") or (parts and not line.strip()):
            continue
        started = started if parts else number
        stripped = line.rstrip()
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        parts.append(line)
        joined, parts = "".join(parts).strip(), []
        if joined:
            begun = True
            yield _instruction(started, joined)
    if joined := "".join(parts).strip():
        yield _instruction(started, joined)


def _instruction(line: int, text: str) -> Instruction:
    word, _, rest = text.replace("\t", " ").partition(" ")
    word = word.lower()
    if word == "onbuild":
        raise Refused(f"Line {line}: ONBUILD would act in other people's builds.")
    if word not in KNOWN:
        raise Refused(f"Line {line}: “{word.upper()[:40]}” is no instruction of a Dockerfile.")
    return Instruction(line, word, rest.strip())


def check(text: str, arguments: Mapping[str, str], triggers: Callable[[str], list[str] | None]) -> int:
    """Return how many instructions there are; raise `Refused` on the first that no build may have.

    `triggers` tells an image's ONBUILD instructions, None for an image that this machine lacks.
    """
    known: dict[str, str] = {}
    stages: list[str] = []
    found = list(instructions(text))
    for one in found:
        if one.word == "arg" and not stages:
            name, _, default = one.rest.partition("=")
            known[name.strip()] = arguments.get(name.strip(), default.strip().strip("\"'"))
        elif one.word == "from":
            stages.append(_check_base(one, known, stages, triggers))
        elif not stages:
            raise Refused(f"Line {one.line}: a Dockerfile begins with FROM, and only ARG may stand before it.")
        elif one.word == "run":
            _check_run(one)
        elif one.word == "add":
            _check_add(one)
        elif one.word == "copy":
            _check_copy(one, stages)
    if not stages:
        raise Refused("The Dockerfile has no FROM, so there is nothing to build on.")
    return len(found)


def adds(text: str) -> bool:
    """Say whether the Dockerfile has an ADD, which unpacks archives."""
    return any(one.word == "add" for one in instructions(text))


def _check_base(
    one: Instruction, known: Mapping[str, str], stages: list[str], triggers: Callable[[str], list[str] | None]
) -> str:
    words = [word for word in one.rest.split() if not word.startswith("--")]
    if not words or (len(words) > 1 and (len(words) != 3 or words[1].lower() != "as")):  # noqa: PLR2004  FROM x AS y
        raise Refused(f"Line {one.line}: FROM takes an image, and may give the stage a name: FROM image AS name.")
    image = expand(words[0], known)
    name = words[2].lower() if len(words) > 1 else ""
    if image.lower() not in [stage for stage in stages if stage] and image != "scratch":
        found = triggers(image)
        if found is None:
            raise ImageMissing(f"Line {one.line}: the image “{image}” to build on is not on this machine.")
        if found:
            raise Refused(f"Line {one.line}: the image “{image}” has instructions for the builds on it (ONBUILD).")
    return name


def _check_run(one: Instruction) -> None:
    if one.rest.startswith("--"):
        flag = re.split(r"[=\s]", one.rest)[0]
        raise Refused(f"Line {one.line}: RUN {flag} would change how the build is shut in.")
    if re.match(r"[^\s]*<<-?[\"']?\w", one.rest):
        raise Refused(f"Line {one.line}: RUN with a here-document is not known to every engine; use a script.")


def _words(one: Instruction) -> list[str]:
    """Return the words of an ADD or COPY, without flags, whichever of the two ways they are written in."""
    words = one.rest.split()
    while words and words[0].startswith("--"):
        words = words[1:]
    rest = " ".join(words)
    if rest.startswith("["):
        try:
            return [str(word) for word in json.loads(rest)]
        except ValueError:
            raise Refused(f"Line {one.line}: {one.word.upper()} can't be read.") from None
    return re.sub(r"[\\\"']", "", rest).split()


def _check_add(one: Instruction) -> None:
    flags = [word for word in one.rest.split() if word.startswith("--")]
    if any(not flag.startswith(("--chown=", "--chmod=")) for flag in flags):
        raise Refused(f"Line {one.line}: ADD {flags[0].partition('=')[0]} is not allowed.")
    for word in _words(one)[:-1]:
        if ":" in word or "$" in word or "<<" in word:
            raise Refused(
                f"Line {one.line}: ADD may not fetch “{word[:200]}”; put the file into the package, or fetch it by RUN."
            )


def _check_copy(one: Instruction, stages: list[str]) -> None:
    if "<<" in one.rest:
        raise Refused(f"Line {one.line}: COPY with a here-document is not known to every engine; use a file.")
    for flag in [word for word in one.rest.split() if word.startswith("--")]:
        name, _, value = flag.partition("=")
        if name == "--from":
            stage = value.lower()
            earlier = stage in [known for known in stages[:-1] if known]
            if not earlier and not (stage.isdigit() and int(stage) < len(stages) - 1):
                raise Refused(f"Line {one.line}: COPY --from takes an earlier stage of the same Dockerfile.")
        elif name not in {"--chown", "--chmod", "--link"}:
            raise Refused(f"Line {one.line}: COPY {name} is not allowed.")


def expand(text: str, known: Mapping[str, str]) -> str:
    """Put the values of the Dockerfile's arguments into a name; raise `Refused` where one has none."""

    def value(match: re.Match[str]) -> str:
        name, how, other = match[1] or match[4], match[2], match[3] or ""
        found = known.get(name, "")
        if how == "+":
            return other if found else ""
        return found or (other if how == "-" else "")

    expanded = REFERENCE.sub(value, text)
    if "$" in expanded or not expanded:
        raise Refused(f"“{text}” names no image.")
    return expanded

"""Checks a Dockerfile that a package brings: on an allowed base, and nothing that reaches out of the build."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from datalab_package.dockerfile_reading import (
    INSTRUCTIONS,
    Instruction,
    directives,
    expand,
    global_arguments,
    instructions,
    split_image,
)

DEFAULT_BASES = tuple(f"datalabs/{name}" for name in ("jl_base", "x_base", "web_base", "datalabs_base"))
DEFAULT_BASES = (*DEFAULT_BASES, "datalabs/datalabs_ubuntu_base")
REGISTRY = "registry.of.the.platform"
"""Stands for the platform's registry while a reference is read; the platform always sets REGISTRY itself."""

PLATFORM_PATHS = (
    *("/", "/.datalab", "/data", "/media", "/opt/datalab", "/opt/environments", "/scratch", "/tmp", "/home"),  # noqa: S108  named
    *("/run", "/var/tmp", "/etc", "/proc", "/sys", "/dev"),  # noqa: S108  as above
)
PLATFORM_VARIABLES = re.compile(
    r"(?:IF_\w+|SPACELAB_\w+|DATALAB_ID|DATALABS_URL|HOME|USER|UID|https?_proxy)", re.IGNORECASE
)

SET_BY_ENGINES = re.compile(
    r"(?:https?|ftp|no|all)_proxy|(?:TARGET|BUILD)(?:PLATFORM|OS|ARCH|VARIANT)|SOURCE_DATE_EPOCH|BUILDKIT_\w+",
    re.IGNORECASE,
)
"""Arguments that have a value in an engine, whatever the Dockerfile says of them."""
_STAGE = re.compile(r"[a-z][a-z0-9_.-]{0,100}")
_NAMED = re.compile(r"\$\{?(\w+)")
_IF_SET = re.compile(r"\$\{\w+:?\+")
_STRANGE = re.compile(r"[^\S \t\r\n]|\r(?!\n)|[\x00-\x08\x0e-\x1f\x7f\u2028\u2029]")
_HEREDOC = re.compile(r"(?:^|\s)\d*<<-?\s*[\"']?[A-Za-z_]")
_REMOTE = re.compile(r"^(?:[a-z][a-z0-9+.-]*://|git@|\S+@\S+:)|\.git(?:#|$)", re.IGNORECASE)


@dataclass(frozen=True)
class DockerfileProblem:
    """What is wrong with one line of a Dockerfile. A `warning` does not stand in the way of the build."""

    line: int
    message: str
    advice: str = ""
    warning: bool = False


def check_dockerfile(text: str, allowed_bases: Collection[str] = DEFAULT_BASES) -> list[DockerfileProblem]:
    """Return what is wrong with a Dockerfile, in the order of its lines; nothing wrong gives an empty list.

    `allowed_bases` are images without tags: those of the platform's registry by name alone (`datalabs/jl_base`),
    others with their registry. The platform sets the build argument REGISTRY, whatever default the file gives it.
    """
    return sorted(_Check(text, allowed_bases).run(), key=lambda problem: problem.line)


class _Check:
    """One pass through a Dockerfile, remembering its stages."""

    def __init__(self, text: str, allowed: Collection[str]) -> None:
        self.text = text
        self.allowed = allowed
        self.found = instructions(text)
        self.known = {**global_arguments(self.found), "REGISTRY": REGISTRY}
        self.stages: list[str] = []

    def run(self) -> Iterator[DockerfileProblem]:
        for line, word in directives(self.text):
            advice = "Take the line out; the platform's own way of reading Dockerfiles is used."
            yield DockerfileProblem(line, f"A Dockerfile may not choose its own {word}.", advice)
        if strange := _STRANGE.search(self.text):
            line = self.text.count("\n", 0, strange.start()) + 1
            message = "There is a control character, or a blank that is none to an engine."
            yield DockerfileProblem(line, message, "Type the line again by hand.")
        for one in self.found:
            yield from self.instruction(one)
        if not self.stages and not any(one.word == "FROM" for one in self.found):
            advice = "Begin with: ARG REGISTRY, and then FROM ${REGISTRY}/datalabs/jl_base."
            yield DockerfileProblem(1, "It has no FROM, so there is nothing to build on.", advice)

    def instruction(self, one: Instruction) -> Iterator[DockerfileProblem]:
        if one.word not in INSTRUCTIONS:
            near = difflib.get_close_matches(one.word, INSTRUCTIONS, 1)
            advice = f"Did you mean {near[0]}?" if near else "If it belongs to the line before, end that one with \\."
            yield DockerfileProblem(one.line, f"“{one.word[:40]}” is no instruction of a Dockerfile.", advice)
            return
        if not self.stages and one.word not in {"FROM", "ARG"}:
            yield DockerfileProblem(one.line, f"{one.word} stands before the first FROM.", "Only ARG may stand there.")
        if one.word in {"RUN", "COPY", "ADD"} and _HEREDOC.search(one.rest):
            advice = "Put the text into a file of the package and COPY it."
            yield DockerfileProblem(one.line, "Not every engine reads “<<” in a Dockerfile.", advice)
        check = getattr(self, f"check_{one.word.lower()}", None)
        if check:
            yield from check(one)

    def check_from(self, one: Instruction) -> Iterator[DockerfileProblem]:
        words = one.rest.split()
        if one.flags:
            advice = "Leave it out; images are built for the machine that runs them."
            yield DockerfileProblem(one.line, f"FROM with {one.flags[0].partition('=')[0]} is not built here.", advice)
        if len(words) not in {1, 3} or (len(words) == 3 and words[1].upper() != "AS"):  # noqa: PLR2004  FROM a AS b
            yield DockerfileProblem(one.line, "FROM needs one image, and perhaps AS and a name.")
            self.stages.append("")
            return
        yield from self.image(one.line, words[0])
        if len(words) == 3 and not _STAGE.fullmatch(words[2].lower()):  # noqa: PLR2004  as above
            advice = "Use letters, digits, - and _; a letter first."
            yield DockerfileProblem(one.line, f"“{words[2][:60]}” is no name of a stage.", advice)
        self.stages.append(words[2].lower() if len(words) == 3 else "")  # noqa: PLR2004  as above

    def image(self, line: int, reference: str) -> Iterator[DockerfileProblem]:
        """Check an image that is built on or copied from; an earlier stage's name is one too."""
        if reference and reference.lower() in self.stages:
            return
        yield from self.arguments(line, reference)
        image = expand(reference, self.known)
        name, _ = split_image(image)
        ours = name.removeprefix(f"{REGISTRY}/").removeprefix("localhost/")
        if not name or "$" in name:
            advice = "Give each ARG in it a default, before the first FROM."
            yield DockerfileProblem(line, f"The image “{reference[:120]}” depends on an unknown argument.", advice)
        elif ours not in self.allowed:
            bases = ", ".join(
                f"${{REGISTRY}}/{base}" if "." not in base.split("/")[0] else base for base in self.allowed
            )
            yield DockerfileProblem(
                line, f"The image “{reference[:120]}” is not among those to build on.", f"Those are: {bases}."
            )

    def arguments(self, line: int, text: str) -> Iterator[DockerfileProblem]:
        """Check the arguments that choose an image: an engine must read them as they are read here."""
        for name in _NAMED.findall(text):
            if SET_BY_ENGINES.fullmatch(name):
                yield DockerfileProblem(line, f"{name} may not choose an image.", "Write the image's name out.")
        if _IF_SET.search(text):
            message = "“:+” may not choose an image, since the platform sets arguments of its own."
            yield DockerfileProblem(line, f"{message} It stands in “{text[:120]}”.", "Write the image's name out.")

    def check_arg(self, one: Instruction) -> Iterator[DockerfileProblem]:
        if not self.stages:
            yield from self.arguments(one.line, one.rest)

    def check_run(self, one: Instruction) -> Iterator[DockerfileProblem]:
        for flag in one.flags:
            name = flag.partition("=")[0]
            advice = "Leave it out; caches are kept by the platform, and the network is what its policy allows."
            yield DockerfileProblem(one.line, f"RUN with {name} is not built here.", advice)
        if re.search(r"(?:^|\s|/)(?:sudo|su)\s", one.rest):
            yield DockerfileProblem(one.line, "A build is root already.", "Leave sudo out.", warning=True)

    def check_add(self, one: Instruction) -> Iterator[DockerfileProblem]:
        yield from self._flags(one, {"--chown", "--chmod"})
        sources = one.words()[:-1]
        if any(_REMOTE.search(source.strip("\"'")) or "$" in source for source in sources):
            advice = "Fetch it in a RUN step, e.g. with curl, or put the file into the package."
            yield DockerfileProblem(one.line, "ADD may not fetch from elsewhere.", advice)
        yield from self._outside(one, sources)

    def check_copy(self, one: Instruction) -> Iterator[DockerfileProblem]:
        yield from self._flags(one, {"--chown", "--chmod", "--from"})
        source = next((flag.partition("=")[2] for flag in one.flags if flag.startswith("--from")), "")
        if source.isdigit():
            if int(source) >= max(len(self.stages) - 1, 0):
                yield DockerfileProblem(one.line, f"There is no stage {source} before this one.")
        elif source:
            yield from self.image(one.line, source.strip("\"'"))
        else:
            yield from self._outside(one, one.words()[:-1])

    def _flags(self, one: Instruction, known: set[str]) -> Iterator[DockerfileProblem]:
        given = [flag.partition("=")[0] for flag in one.flags]
        for name in given:
            if given.count(name) > 1:
                yield DockerfileProblem(one.line, f"{one.word} has {name} twice.", "Leave one out.")
            if name not in known:
                yield DockerfileProblem(
                    one.line, f"{one.word} with {name} is not known to every engine.", "Leave it out."
                )

    def _outside(self, one: Instruction, sources: list[str]) -> Iterator[DockerfileProblem]:
        for source in sources:
            if ".." in PurePosixPath(source).parts:
                advice = "Only files of the package can be copied; put it there."
                yield DockerfileProblem(one.line, f"“{source[:120]}” lies outside the package.", advice)

    def check_volume(self, one: Instruction) -> Iterator[DockerfileProblem]:
        for path in one.words():
            plain = str(PurePosixPath("/", path.rstrip("/") or "/"))
            if plain in PLATFORM_PATHS or plain.startswith(("/data/", "/media/", "/home/", "/.datalab/")):
                advice = "The platform mounts what belongs there; take the line out."
                yield DockerfileProblem(one.line, f"VOLUME may not name {plain}.", advice)
            else:
                advice = "What has to outlive a session belongs into /media/user."
                message = f"A session does not keep what is written to the volume {plain}."
                yield DockerfileProblem(one.line, message, advice, warning=True)

    def check_user(self, one: Instruction) -> Iterator[DockerfileProblem]:
        advice = "It counts for the build's next steps; a session runs as the person who started it."
        yield DockerfileProblem(one.line, f"USER {one.rest[:40]} does not last.", advice, warning=True)

    def check_onbuild(self, one: Instruction) -> Iterator[DockerfileProblem]:
        advice = "Do it in this build, or in the other Dockerfile."
        yield DockerfileProblem(one.line, "ONBUILD would act in other people's builds.", advice)

    def check_env(self, one: Instruction) -> Iterator[DockerfileProblem]:
        names = re.findall(r"(?:^|\s)([A-Za-z_]\w*)=", one.rest) or one.rest.split()[:1]
        for name in names:
            if PLATFORM_VARIABLES.fullmatch(name):
                advice = "The platform sets it anew in every session; take it out."
                yield DockerfileProblem(one.line, f"ENV {name} does not last.", advice, warning=True)

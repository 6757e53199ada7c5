"""What becomes of a package: the plan of its build, and what a person may answer to it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from datalab_package.dockerfile_checking import DEFAULT_BASES
from datalab_package.imports import Proposal


@dataclass(frozen=True)
class Answers:
    """What a person decided about the open points of a plan.

    `accepted` are requirements to add, mostly taken from the plan's proposals, perhaps with versions. `kind` and
    `command` overrule what was found. `provided` names what the base has, where that differs from the released one;
    `allowed_bases` are the images that a Dockerfile of one's own may build on. `layered`: whether the image of the
    version that a package is based on is there to build upon.
    """

    accepted: tuple[str, ...] = ()
    kind: str = ""
    command: tuple[str, ...] = ()
    provided: Collection[str] | None = None
    allowed_bases: Collection[str] = DEFAULT_BASES
    layered: bool = False


@dataclass(frozen=True)
class PlannedStep:
    """One step of a build: what it does, why, and the first and last line of the Dockerfile that do it."""

    title: str
    reason: str
    lines: tuple[int, int]


@dataclass(frozen=True)
class Origin:
    """Where the author wrote something that is installed."""

    text: str
    file: str
    line: int


@dataclass(frozen=True)
class Plan:
    """How a package becomes a datalab.

    `requirements` are lines for an installer, `constraints` what limits them; `origins` and `debian_origins` tell
    where each was written. `command` starts the program where no image does (words hold `$NAME`); an image built
    from `dockerfile` starts by itself. `added_lines` are lines that stand above the author's own Dockerfile.
    `builds_on` names the version whose image the Dockerfile's argument `DERIVED_FROM` stands for, if it has one.
    """

    kind: str
    base: str
    dockerfile: str
    own_dockerfile: bool = False
    requirements: tuple[str, ...] = ()
    debian_packages: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    interface: dict[str, Any] = field(default_factory=dict)
    steps: tuple[PlannedStep, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    warnings: tuple[str, ...] = ()
    activity_probe: str = ""
    found: tuple[str, ...] = ()
    """What the package was recognised by, one sentence each."""
    notebooks: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    constraints: tuple[str, ...] = ()
    overrides: bool = False
    local: bool = False
    project: bool = False
    prerelease: bool = False
    origins: tuple[Origin, ...] = ()
    debian_origins: tuple[Origin, ...] = ()
    added_lines: int = 0
    builds_on: str = ""

    def requirements_text(self) -> str:
        """Return the lines of the requirements file that the build installs."""
        return "".join(f"{line}\n" for line in self.requirements)

    def build_arguments(self, registry: str, versions: dict[str, str]) -> dict[str, str]:
        """Return the build arguments for images of `registry`; `versions` are the tags of the bases by name."""
        names = {f"{base.upper()}_VERSION": version for base, version in versions.items()}
        return {"REGISTRY": registry, **names}

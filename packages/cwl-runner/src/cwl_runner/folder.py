"""A run's folder: what is to be run, with what, and where its events and logs go."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

from cwl_runner.problems import Refusal
from cwl_runner.stand_in import here, order_here


@dataclasses.dataclass(frozen=True)
class Options:
    """`options.json`; the README explains each."""

    main: str
    outdir: str
    cache: str = ""
    label: str = ""
    parallel: int = 2
    environments: dict[str, str] = dataclasses.field(default_factory=dict)
    images: tuple[str, ...] = ()
    only_step: str = ""
    network: bool = False
    cores: float = 0
    memory_mb: float = 0
    roots: tuple[str, ...] = ()
    backend: str = "auto"
    keep_intermediate: bool = False
    on_error: str = "continue"
    cwl_version: str = ""
    cache_mb: float = 20_000
    expression_seconds: float = 20
    fetch: bool = False
    reuse: bool = True
    plans: bool = True

    @classmethod
    def read(cls, path: Path) -> Options:
        """Read the file; raises Refusal when it isn't what it should be."""
        try:
            given = json.loads(path.read_text())
            names = {field.name for field in dataclasses.fields(cls)}
            known = {name: value for name, value in given.items() if name in names and value is not None}
            known["roots"] = tuple(here(root) for root in known.get("roots", ()))
            known["images"] = tuple(known.get("images", ()))
            known |= {name: here(known[name]) for name in ("outdir", "cache") if name in known}
            known["cache"] = os.path.realpath(known["cache"]) if known.get("cache") else ""
            known["environments"] = {name: here(folder) for name, folder in known.get("environments", {}).items()}
            return cls(**known)
        except (OSError, ValueError, TypeError, AttributeError) as failure:
            raise Refusal(f"The run's options can't be read: {failure}") from failure


@dataclasses.dataclass(frozen=True)
class RunFolder:
    """The places inside a run's folder."""

    path: Path

    @property
    def bundle(self) -> Path:
        """The documents."""
        return self.path / "bundle"

    @property
    def events(self) -> Path:
        """The events, one a line."""
        return self.path / "events.jsonl"

    @property
    def control(self) -> Path:
        """What the platform wants of a running run."""
        return self.path / "control.json"

    @property
    def literals(self) -> Path:
        """The files that the job order gives by their contents."""
        return self.path / "literals"

    @property
    def jobs(self) -> Path:
        """The logs of each job."""
        return self.path / "jobs"

    def options(self) -> Options:
        """Read the options; what they leave out lies in the run's folder."""
        options = Options.read(self.path / "options.json")
        outdir = str(self.path / options.outdir)
        return dataclasses.replace(options, cache=options.cache or str(self.path / "cache"), outdir=outdir)

    def order(self) -> dict[str, Any]:
        """Read the job order; raises Refusal when it isn't an object."""
        try:
            order = json.loads((self.path / "job.json").read_text())
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as failure:
            raise Refusal(f"The run's inputs can't be read: {failure}") from failure
        if not isinstance(order, dict):
            raise Refusal("The run's inputs aren't an object of names and values.")
        return dict(order_here(order))

"""Compiled plans against cwltool's own way: the same jobs, word for word, and the same outputs."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, cast

import pytest
from cwl_runs import preloaded
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cwl_runner import compiling, documents, links, tools
from cwl_runner.backends.protocol import Place
from cwl_runner.digests import Digests
from cwl_runner.jobs import PlanJob, StepJob
from cwl_runner.roots import Roots


class Bench:
    """Makes jobs of a tool both ways, in a place of its own."""

    def __init__(self, folder: Path) -> None:
        self.roots = Roots([folder])
        self.digests = Digests()
        self.place = Place(0, str(folder / "place"), "/job")
        self.mapper = type("RunMapper", (tools.Mapper,), {"roots": self.roots})
        self.plans = True
        self.folder = folder
        Path(self.place.host).mkdir(exist_ok=True)

    def environment_for(self, tool: Any) -> tuple[str, str]:
        return tools.docker_image(tool)[0], ""

    def jobs(self, document: dict[str, Any], order: dict[str, Any]) -> tuple[StepJob, PlanJob | None]:
        path = self.folder / "tool.cwl"
        path.write_text(json.dumps({"cwlVersion": "v1.2", "class": "CommandLineTool", **document}))
        tool = cast("tools.Tool", documents.load(str(path), documents.plain_context(self.roots)))
        complete = documents.complete_order(tool, order, self.roots)
        access = type("RunAccess", (links.Access,), {"roots": self.roots})
        context = tools.Context(cast("tools.Engine", self), basedir="/", use_container=False, make_fs_access=access)

        def callback(outputs: Any, status: str) -> None:
            del outputs, status

        return tool.slow(complete, callback, context), tool.quick(complete, callback, context)


def tell(job: Any, kept: Path, written: dict[str, str]) -> dict[str, Any]:
    """Describe all of a job that anybody sees, and collect outputs that its command might have written."""
    job.lay_out(str(kept))
    host = Path(job.place.host)
    staged = {
        str(path.relative_to(host)): str(path.readlink()) for path in (host / "in").rglob("*") if path.is_symlink()
    }
    told = {
        "command": job.command(),
        "variables": {str(name): str(value) for name, value in job.variables().items()},
        "streams": [job.stdout, job.stderr, Path(job.standard_input()).resolve()],
        "staged": staged,
        "resources": dict(job.resources),
        "limits": [job.timelimit, job.networkaccess],
    }
    out = host / "out"
    for name, text in written.items():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text(text)
    out.rename(kept)
    told["outputs"] = job.collect(str(kept), 0)
    for path in sorted((host / "in").rglob("*"), reverse=True):
        path.unlink() if path.is_symlink() or path.is_file() else path.rmdir()
    return told


def compare(folder: Path, document: dict[str, Any], order: dict[str, Any], written: dict[str, str]) -> None:
    """Hold both ways against each other."""
    preloaded()
    bench = Bench(folder)
    slow, quick = bench.jobs(document, order)
    assert quick is not None, "the tool should have a plan"
    number = next(n for n in itertools.count() if not (folder / f"kept-{n}").exists())
    kept = folder / f"kept-{number}"
    first = tell(slow, kept, written)
    kept.rename(folder / f"slow-{number}")
    second = tell(quick, kept, written)
    assert second == first


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="$\\"), max_size=6)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "float": st.floats(allow_nan=False, allow_infinity=False, width=32),
    "boolean": st.booleans(),
    "File": st.sampled_from(["one.txt", "two.tar.gz", "three", "deep/one.txt"]),
    "Directory": st.sampled_from(["deep", "other"]),
}


@st.composite
def tools_with_orders(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw a plain tool and values for its inputs; files are names."""
    inputs: dict[str, Any] = {}
    order: dict[str, Any] = {}
    for name in draw(st.lists(st.sampled_from(["a", "b", "c", "A", "z1", "Zed", "_x"]), unique=True, max_size=5)):
        kind, array, optional = draw(st.sampled_from(sorted(VALUES))), draw(st.booleans()), draw(st.booleans())
        declared: Any = {"type": "array", "items": kind} if array else kind
        entry: dict[str, Any] = {"type": ["null", declared] if optional else declared}
        if draw(st.integers(0, 3)):
            binding: dict[str, Any] = {}
            if draw(st.booleans()):
                binding["position"] = draw(st.integers(-2, 2))
            if draw(st.booleans()):
                binding["prefix"] = draw(st.sampled_from(["-x", "--long=", ""]))
                binding["separate"] = draw(st.booleans())
            if array and draw(st.booleans()):
                binding["itemSeparator"] = draw(st.sampled_from([",", " "]))
            entry["inputBinding"] = binding
        value = draw(st.lists(VALUES[kind], max_size=3) if array else VALUES[kind])
        if kind in ("string", "int") and not array and draw(st.booleans()):
            entry["default"] = draw(VALUES[kind])
        elif not (optional and draw(st.booleans())):
            order[name] = _entries(kind, value)
        inputs[name] = entry
    arguments: list[Any] = []
    for _ in range(draw(st.integers(0, 3))):
        reference = draw(
            st.sampled_from(["plain", "$(runtime.cores)", "x$(runtime.outdir)y", *(f"$(inputs.{n})" for n in order)])
        )
        position = draw(st.integers(-2, 2))
        arguments.append(
            draw(st.sampled_from([reference, {"valueFrom": reference, "position": position, "prefix": "-p"}]))
        )
    return {
        "baseCommand": draw(st.sampled_from(["run", ["run", "it"], []])),
        "inputs": inputs,
        "arguments": arguments,
    }, order


def _entries(kind: str, value: Any) -> Any:
    if kind not in ("File", "Directory"):
        return value
    if isinstance(value, list):
        return [_entries(kind, item) for item in value]
    return {"class": kind, "location": f"DATA/{value}"}


def placed(value: Any, folder: Path) -> Any:
    """Put the files of an order below a folder."""
    return json.loads(json.dumps(value).replace("DATA/", f"{folder}/data/"))


def data(folder: Path) -> None:
    """Write the files that orders name."""
    for name in ("one.txt", "two.tar.gz", "three", "deep/one.txt", "other/x"):
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).write_text(name)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(tools_with_orders())
def test_any_plain_tool_gives_the_same_job(tmp_path_factory: pytest.TempPathFactory, made: tuple[Any, Any]) -> None:
    preloaded()
    folder = tmp_path_factory.mktemp("plan")
    data(folder)
    document, order = made
    bench = Bench(folder)
    document = {**document, "outputs": []}
    given_order = placed(order, folder)
    slow, quick = bench.jobs(document, given_order)
    if quick is None:  # cwltool alone does it: nothing to compare
        return
    assert quick.command() == slow.command()
    assert {name: str(value) for name, value in slow.variables().items()} == quick.variables()
    assert dict(slow.resources) == quick.resources


OUTPUTS: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"o": {"type": "File", "outputBinding": {"glob": "a.txt"}}}, {"a.txt": "x"}),
    ({"o": {"type": "File?", "outputBinding": {"glob": "gone"}}}, {}),
    ({"o": {"type": "File[]", "outputBinding": {"glob": "*.txt"}}}, {"b.txt": "1", "a.txt": "2", "c.log": ""}),
    ({"o": {"type": "File[]", "outputBinding": {"glob": ["*.b", "a*"]}}}, {"a.b": "1", "x.b": "2", "a": ""}),
    ({"o": {"type": "File[]", "outputBinding": {"glob": "none*"}}}, {}),
    ({"o": {"type": "Directory", "outputBinding": {"glob": "d"}}}, {"d/a": "1"}),
    ({"o": {"type": "stdout"}, "e": {"type": "stderr"}}, {"out.txt": "1", "err.txt": ""}),
    ({"o": {"type": "File", "outputBinding": {"glob": "$(inputs.text).txt"}}}, {"word.txt": "x"}),
    ({"o": {"type": "File", "outputBinding": {"glob": "a b%20c.txt"}}}, {"a b%20c.txt": "x"}),
]


@pytest.mark.parametrize("number", range(len(OUTPUTS)))
def test_outputs_are_the_same(tmp_path: Path, number: int) -> None:
    outputs, written = OUTPUTS[number]
    data(tmp_path)
    document = {
        "baseCommand": ["run"],
        "inputs": {"text": "string", "file": {"type": "File", "inputBinding": {}}},
        "stdin": "$(inputs.file.path)",
        "outputs": outputs,
        "requirements": {
            "EnvVarRequirement": {"envDef": {"WORD": "$(inputs.text)", "PLAIN": "yes"}},
            "ResourceRequirement": {"coresMin": 2, "ramMin": 100},
            "ToolTimeLimit": {"timelimit": 5},
            "NetworkAccess": {"networkAccess": True},
        },
    }
    if "e" in outputs:
        document |= {"stdout": "out.txt", "stderr": "err.txt"}
    order = {"text": "word", "file": {"class": "File", "location": f"{tmp_path}/data/one.txt"}}
    compare(tmp_path, document, order, written)


NOT_PLAIN: dict[str, dict[str, Any]] = {
    "javascript": {"arguments": ["${return 1;}"], "requirements": {"InlineJavascriptRequirement": {}}},
    "a working directory": {"requirements": {"InitialWorkDirRequirement": {"listing": []}}},
    "a shell": {"requirements": {"ShellCommandRequirement": {}}},
    "a shell as a hint": {"hints": {"ShellCommandRequirement": {}}},
    "a record": {"inputs": {"r": {"type": {"type": "record", "fields": {"a": "int"}}}}},
    "secondary files": {"inputs": {"f": {"type": "File", "secondaryFiles": [".idx"]}}},
    "loaded contents": {"inputs": {"f": {"type": "File", "loadContents": True}}},
    "an evaluated output": {"outputs": {"n": {"type": "int", "outputBinding": {"outputEval": "$(1)"}}}},
    "a position to evaluate": {"inputs": {"n": {"type": "int", "inputBinding": {"position": "$(self)"}}}},
}


@pytest.mark.parametrize("name", sorted(NOT_PLAIN))
def test_what_is_not_plain_has_no_plan(tmp_path: Path, name: str) -> None:
    preloaded()
    path = tmp_path / "tool.cwl"
    document = {"baseCommand": "run", "inputs": {}, "outputs": {}, **NOT_PLAIN[name]}
    path.write_text(json.dumps({"cwlVersion": "v1.2", "class": "CommandLineTool", **document}))
    tool = documents.load(str(path), documents.plain_context(Roots([tmp_path])))
    assert compiling.compile_tool(cast("tools.Tool", tool)) is None

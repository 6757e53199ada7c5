"""What the tests of crates share: a real run of a small workflow, and the published validator without a network."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession
from rocrate_validator import services
from rocrate_validator.models import Severity, ValidationSettings

from run_crate import About, Agent, Below, Crate, Software, crate_of, read_run
from run_crate.values import Take

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
BIOSCHEMAS_1_1 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}
"""The terms that RO-Crate 1.1 names otherwise than the later context that the library brings along."""

DOCUMENTS = {
    "main.cwl": """\
cwlVersion: v1.2
class: Workflow
label: Count words
doc: Splits a text into lines and counts the words of each.
requirements: {ScatterFeatureRequirement: {}, SubworkflowFeatureRequirement: {}, StepInputExpressionRequirement: {},
  InlineJavascriptRequirement: {}}
inputs:
  text: {type: File, doc: What is counted}
  flag: {type: string, default: -w}
outputs:
  counts: {type: "File[]", outputSource: count/counted}
  total: {type: File, outputSource: sum/total}
steps:
  split: {run: tools/split.cwl, in: {text: text}, out: [lines]}
  count: {run: tools/count.cwl, scatter: text, in: {text: split/lines, flag: flag}, out: [counted]}
  sum: {run: inner/sum.cwl, in: {counts: count/counted}, out: [total]}
""",
    "tools/split.cwl": """\
cwlVersion: v1.2
class: CommandLineTool
doc: One file a line
baseCommand: [split, -l, "1"]
inputs: {text: {type: File, inputBinding: {position: 1}}}
outputs: {lines: {type: "File[]", outputBinding: {glob: "x*"}}}
""",
    "tools/count.cwl": """\
cwlVersion: v1.2
class: CommandLineTool
baseCommand: wc
inputs: {flag: {type: string, inputBinding: {position: 1}}, text: {type: stdin}}
stdout: counted.txt
outputs: {counted: stdout}
""",
    "inner/sum.cwl": """\
cwlVersion: v1.2
class: Workflow
inputs: {counts: "File[]"}
outputs: {total: {type: File, outputSource: add/total}}
steps:
  add:
    in: {counts: counts}
    out: [total]
    run:
      class: CommandLineTool
      baseCommand: cat
      inputs: {counts: {type: "File[]", inputBinding: {position: 1}}}
      stdout: total.txt
      outputs: {total: stdout}
""",
}


def make_run(place: Path, documents: dict[str, str], order: dict[str, Any], main: str = "main.cwl") -> Path:
    """Carry out a run as the platform's coordinator does; return its folder. Its outputs are in `place/out`."""
    folder = place / "run"
    for path, text in documents.items():
        file = folder / "bundle" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    (folder / "job.json").write_text(json.dumps(order))
    (folder / "options.json").write_text(
        json.dumps({"main": main, "outdir": str(place / "out"), "cache": str(place / "cache")})
    )
    command = [str(Path(sys.executable).with_name("spacelab-cwl")), "run", str(folder)]
    subprocess.run(command, check=False, capture_output=True, timeout=120)
    return folder


def about_run(**more: Any) -> About:
    """Say of a run what its folder doesn't."""
    agent = Agent("Ada Lovelace", "https://orcid.org/0000-0002-1825-0097", "Analytical Engines")
    engine = Software("Spacelab", "0.1.0", "https://example.org/spacelab")
    facts = {
        "url": "https://example.org/pipelines/count",
        "version": "1.0.0",
        "license": "https://spdx.org/licenses/MIT",
    }
    return About("abc123def456", "Count words", agent, engine, exported=1_790_000_000, **{**facts, **more})


def crate_from(folder: Path, take: Take | None = None, **more: Any) -> Crate:
    """Describe a run whose files are where it named them."""
    place, logs = Below({"/": Path("/")}), Below({"/": folder / "jobs"})
    return crate_of(read_run(folder), about_run(**more), place=place, logs=logs, take=take or Take(inputs=True))


class _Shipped(BaseAdapter):
    """Answers for one address with a document that is on this machine."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content

    def send(self, request: requests.PreparedRequest, *_args: Any, **_more: Any) -> requests.Response:
        from io import BytesIO  # noqa: PLC0415  only where a cache is made

        from urllib3 import HTTPResponse  # noqa: PLC0415  as above

        raw = HTTPResponse(BytesIO(self.content), {"Content-Type": "application/ld+json"}, 200, preload_content=False)
        return requests.adapters.HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        pass


def make_cache(place: Path) -> Path:
    """Make the cache from which the validator takes RO-Crate's context, so that it needs no network."""
    import rocrate  # noqa: PLC0415  only its file is wanted

    found = json.loads((Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_text())
    content = json.dumps({"@context": {**found["@context"], **BIOSCHEMAS_1_1}}).encode()
    cache = place / "contexts"
    with CachedSession(str(cache), backend="sqlite", expire_after=-1) as session:
        session.mount("https://", _Shipped(content))
        headers = {"Accept": "application/ld+json, application/json, */*;q=0.1"}
        session.get(CONTEXT, headers=headers)
    return cache


def complaints(crate: Path, cache: Path, profile: str, severity: Severity = Severity.REQUIRED) -> list[str]:
    """List what the validator finds wrong with a crate."""
    settings = ValidationSettings(
        rocrate_uri=str(crate),
        profile_identifier=profile,
        requirement_severity=severity,
        cache_path=cache,
        offline=True,
    )
    result = services.validate(settings)
    return [
        f"{one.check.identifier} {one.severity.name} {one.violatingEntity} {one.message}"
        for one in result.get_issues(severity)
    ]

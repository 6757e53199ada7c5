"""A program that serves below `/datalabs/$IF_main_id` opens there, found by its own lines or told by its author."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_packages import META, package

from datalab_package import make_plan, read_manifest, write_path

WEB = "kind: web\ncommand: [python, $SPACELAB_PACKAGE/serve.py]\n"
BELOW = {"port": 10000, "path": "/datalabs/{id}/", "health_path": "/datalabs/{id}/"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("start.sh", 'exec tool --base-url "/datalabs/${IF_main_id}"'),
        ("start.sh", "exec tool --base-url=/datalabs/$IF_main_id/"),
        ("serve.py", "BASE = f\"/datalabs/{os.environ['IF_main_id']}\""),
        ("serve.py", "base = '/datalabs/' + os.environ.get('IF_main_id', 'none')"),
        ("etc/server.conf", "path /datalabs/$IF_main_id"),
    ],
)
def test_a_program_that_serves_below_the_prefix_opens_there(tmp_path: Path, file: str, line: str) -> None:
    plan = make_plan(package(tmp_path, {"spacelab.yml": WEB, "serve.py": "import os\n", file: f"# a\n{line}\n"}))
    assert plan.interface == BELOW
    assert f"{file}, line 2: it serves below /datalabs/$IF_main_id, and opens there." in plan.found


@pytest.mark.parametrize(
    "files",
    [
        {"serve.py": "# not below /datalabs/$IF_main_id\nimport os\n"},
        {"serve.py": "print(os.environ['IF_main_id'])\n"},
        {"README.md": "It serves below /datalabs/$IF_main_id.\n"},
        {"a/b/c/d.sh": "tool /datalabs/$IF_main_id\n"},
        {"start.sh": "tool /datalabs/$IF_main_id\n", "spacelab.yml": f"{WEB}interface:\n  path: /\n"},
    ],
    ids=["comment", "elsewhere", "no program", "deep", "said otherwise"],
)
def test_nothing_is_made_of_other_words(tmp_path: Path, files: dict[str, str]) -> None:
    assert make_plan(package(tmp_path, {"spacelab.yml": WEB, **files})).interface["path"] == "/"


def test_what_is_no_text_says_nothing(tmp_path: Path) -> None:
    package(tmp_path, {"spacelab.yml": WEB})
    (tmp_path / "start.sh").write_bytes(b"\xff /datalabs/$IF_main_id\n")
    assert make_plan(tmp_path).interface["path"] == "/"


@pytest.mark.parametrize(
    "before",
    ["", WEB, f"# ours\n{WEB}", f"{WEB}interface:\n  port: 8080\n"],
    ids=["none", "plain", "comment", "has one"],
)
def test_a_path_is_written_beside_what_stands_there(tmp_path: Path, before: str) -> None:
    package(
        tmp_path, {"index.html": "<h1>x</h1>", "datalab-meta.yml": META, **({"spacelab.yml": before} if before else {})}
    )
    write_path(tmp_path, "/datalabs/{id}/")
    manifest = read_manifest(tmp_path)
    assert manifest.interface["path"] == manifest.interface["health_path"] == "/datalabs/{id}/"
    assert manifest.interface.get("port") == (8080 if "8080" in before else None)
    assert manifest.command == ([*read_command(before)] if before else [])
    assert ("# ours" in (tmp_path / "spacelab.yml").read_text()) == ("# ours" in before)


def read_command(text: str) -> list[str]:
    """Return the command of the `spacelab.yml` above."""
    return ["python", "$SPACELAB_PACKAGE/serve.py"] if "command" in text else []

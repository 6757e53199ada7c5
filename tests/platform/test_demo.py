"""The main job works through the command that people and continuous integration run."""

from __future__ import annotations

import json

import pytest

from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]


def test_the_main_job_holds(platform: Platform) -> None:
    done = platform.command("demo", "--json", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report, _, last = done.stdout.rstrip().rpartition("\n")
    found = json.loads(report)
    assert found["held"]
    assert [phase["phase"] for phase in found["phases"]] == ["queued", "starting", "running"]
    assert last.endswith("the main job works")


def test_a_volume_that_nobody_knows_is_said_to_be_unknown(platform: Platform) -> None:
    done = platform.command("demo", "--volume", "atlantis")
    assert done.returncode != 0
    assert "atlantis" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_backup_of_the_running_platform_starts_elsewhere(platform: Platform) -> None:
    file = platform.state.parent / "backup.tar.gz"
    assert platform.command("backup", str(file)).returncode == 0
    restored = Platform(port=platform.port, state=platform.state.parent / "restored")
    done = restored.command("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert "No changes detected" in restored.command("makemigrations", "--check", "--dry-run").stdout
    assert restored.command("volumes", "list").stdout == platform.command("volumes", "list").stdout

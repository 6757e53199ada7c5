"""The whole platform with its database in PostgreSQL: the main job, and a backup that comes back or leaves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest

from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow, pytest.mark.long]


@pytest.fixture
def elsewhere(postgres: str, postgres_platform: Platform) -> Iterator[Platform]:
    """Make room to restore into: an empty state directory and an empty database."""
    name = f"restored_{uuid4().hex[:8]}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"create database {name}")
    yield replace(
        postgres_platform,
        state=postgres_platform.state.parent / name,
        settings={"SPACELAB_DATABASE_URL": f"{postgres}/{name}"},
        process=None,
    )
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


def tables(platform: Platform) -> int:
    """Count the tables of the platform's database."""
    with psycopg.connect(platform.settings["SPACELAB_DATABASE_URL"]) as database:
        found = database.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
    return int(found[0]) if found else 0


def test_the_main_job_holds(postgres_platform: Platform) -> None:
    done = postgres_platform.command("demo", "--json", timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.rstrip().rpartition("\n")[0])["held"]
    assert not (postgres_platform.state / "spacelab.sqlite3").exists()


def test_a_backup_of_the_running_platform_comes_back(postgres_platform: Platform, elsewhere: Platform) -> None:
    file = elsewhere.state.with_suffix(".tar.gz")
    assert postgres_platform.command("backup", str(file)).returncode == 0
    done = elsewhere.command("restore", str(file))
    assert done.returncode == 0, done.stderr
    assert elsewhere.command("volumes", "list").stdout == postgres_platform.command("volumes", "list").stdout
    assert elsewhere.command("migrate", "--check").returncode == 0


def test_a_restore_into_a_database_in_use_leaves_nothing_behind(
    postgres_platform: Platform, elsewhere: Platform
) -> None:
    file = elsewhere.state.with_suffix(".tar.gz")
    assert postgres_platform.command("backup", str(file)).returncode == 0
    with psycopg.connect(elsewhere.settings["SPACELAB_DATABASE_URL"]) as database:
        database.execute("create table lab_sessions_session (mine text)")
    done = elsewhere.command("restore", str(file))
    assert done.returncode == 1
    assert "pg_restore failed" in done.stderr
    assert "Traceback" not in done.stderr
    assert tables(elsewhere) == 1
    assert [each.name for each in elsewhere.state.iterdir()] == ["secret-key"]

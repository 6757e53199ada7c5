"""Two people who take the same short name at the same moment: one gets it, the others are told, on every database."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from spacelab.accounts.models import Person
from spacelab.builds.actions import SYSTEM, fail
from spacelab.builds.models import Build, ShortName
from spacelab.datalabs.actions import delete_draft
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Invalid
from support.builds import bring, queued, start
from support.people import make_person
from support.sessions import QuietRuntime

RACE = """
import threading
import django
django.setup()
from django.conf import settings
settings.BUILDERS = dict.fromkeys(("environment", "image"), "support.builds.QuietBuilder")
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from spacelab.builds.models import Build, ShortName
from spacelab.datalabs.actions import delete_draft
from spacelab.datalabs.models import DatalabVersion
from spacelab.kit.refusals import Invalid
from support.builds import bring, start
from support.people import make_person
people = [make_person(f"dora{number}", "developer") for number in range(6)]
brought = {person: bring(person) for person in people}
together = threading.Barrier(len(people))
outcomes = []
def attempt(person):
    together.wait()
    try:
        start(person, brought[person])
        outcomes.append("queued")
    except Invalid as refusal:
        outcomes.append(refusal.field)
    finally:
        connection.close()
threads = [threading.Thread(target=attempt, args=(person,)) for person in people]
[one.start() for one in threads]
[one.join() for one in threads]
holders = {ShortName.objects.get(slug="nearby-stars").person_id}
assert holders == set(Build.objects.filter(state="queued").values_list("person_id", flat=True))
print(*outcomes)
"""


def race(state: Path, **more: str) -> list[str]:
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SPACELAB_")},
        "DJANGO_SETTINGS_MODULE": "support.racing",
        "SPACELAB_STATE": str(state),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **more,
    }
    done = subprocess.run(
        [sys.executable, "-c", RACE], env=variables, capture_output=True, text=True, timeout=400, check=False
    )
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())


WON_BY_ONE = ["queued"] + ["short_name"] * 5


def test_one_short_name_goes_to_one_of_those_who_ask_at_once(tmp_path: Path) -> None:
    assert race(tmp_path) == sorted(WON_BY_ONE)


@pytest.fixture
def database(postgres: str, tmp_path: Path) -> Iterator[str]:
    """Make a database in which every table is, and nothing else; it is a template of others."""
    name = f"race_{uuid4().hex[:8]}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"create database {name}")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("SPACELAB_", "DJANGO_"))}
    variables = {**kept, "SPACELAB_STATE": str(tmp_path), "SPACELAB_DATABASE_URL": f"{postgres}/{name}"}
    subprocess.run([sys.executable, "-m", "spacelab", "migrate", "-v0"], env=variables, check=True)
    yield name
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
        server.execute(f"drop database {name} with (force)")


@pytest.mark.slow
def test_so_it_does_where_transactions_run_side_by_side(tmp_path: Path, postgres: str, database: str) -> None:
    for number in range(3):
        name = f"{database}_{number}"
        with psycopg.connect(f"{postgres}/postgres", autocommit=True) as server:
            server.execute(f"create database {name} template {database}")
        assert race(tmp_path, SPACELAB_DATABASE_URL=f"{postgres}/{name}") == sorted(WON_BY_ONE)


@pytest.mark.usefixtures("workshop")
def test_a_name_is_free_again_once_its_draft_is_deleted(developer: Person, quiet_runtime: type[QuietRuntime]) -> None:
    first = queued(developer)
    other = make_person("emil", "developer")
    with pytest.raises(Invalid, match="somebody else"):
        queued(other)
    assert ShortName.objects.get().person == developer
    fail(by=SYSTEM, build=first, message="No.")
    with pytest.raises(Invalid, match="somebody else"):
        queued(other)
    delete_draft(by=developer, version=DatalabVersion.objects.get())
    second = start(other, bring(other))
    assert Build.objects.get(pk=second.pk).state == "queued"
    assert ShortName.objects.get().person == other
    with pytest.raises(Invalid, match="somebody else"):
        queued(developer)

"""What is counted stays true: the same as the rows say, whatever people do, and however many at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from django.db import IntegrityError, transaction

from spacelab.feedback import actions
from spacelab.feedback.models import Comment, Rating, Standing
from support.people import make_person

SUBJECT = "datalab:spectra"
RACE = """
import threading
import django
django.setup()
from django.core.management import call_command
from django.db import connection
call_command("migrate", verbosity=0)
from spacelab.feedback import actions
from spacelab.feedback.models import Comment, Rating, Standing
from support.people import make_person
people = [make_person(f"ada{number}") for number in range(5)]
together = threading.Barrier(2 * len(people))
def attempt(person, stars):
    together.wait()
    try:
        for given in (1, stars):
            actions.rate(by=person, subject="datalab:spectra", stars=given, owner=None)
            actions.comment(by=person, subject="datalab:spectra", text="Good.", owner=None)
            actions.bookmark(by=person, subject="datalab:spectra")
    finally:
        connection.close()
threads = [threading.Thread(target=attempt, args=(person, 4)) for person in people for _ in range(2)]
[one.start() for one in threads]
[one.join() for one in threads]
found = Standing.objects.get()
print(found.by_stars, found.average, found.comments, found.bookmarks, Rating.objects.count(), Comment.objects.count())
"""


def race(state: Path, **more: str) -> str:
    """Have people who each use two windows speak about the same thing at the same moment."""
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
    return done.stdout.strip()


def test_many_at_once_on_sqlite(tmp_path: Path) -> None:
    assert race(tmp_path) == "[0, 0, 0, 5, 0] 4.0 5 5 5 5"


@pytest.mark.slow
def test_many_at_once_on_postgresql(tmp_path: Path, postgres: str) -> None:
    name = f"feedback_{uuid4().hex[:8]}"
    with psycopg.connect(f"{postgres}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    assert race(tmp_path, SPACELAB_DATABASE_URL=f"{postgres}/{name}") == "[0, 0, 0, 5, 0] 4.0 5 5 5 5"


@pytest.mark.django_db
def test_the_counts_are_what_the_rows_say() -> None:
    ada, eva = make_person("ada"), make_person("eva")
    for person, stars in ((ada, 5), (eva, 2), (ada, 4), (eva, 0)):
        actions.rate(by=person, subject=SUBJECT, stars=stars, owner=None)
    actions.comment(by=ada, subject=SUBJECT, text="Good.", owner=ada)
    found = Standing.objects.get()
    assert (found.by_stars, found.ratings, found.average, found.comments) == ([0, 0, 0, 1, 0], 1, 4.0, 1)
    actions.forget(by=ada, subject=SUBJECT)
    assert not Standing.objects.exists()
    assert not Rating.objects.exists()
    assert not Comment.objects.exists()


@pytest.mark.django_db
def test_the_database_keeps_no_other_stars() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Rating.objects.create(person=make_person(), subject=SUBJECT, stars=6)

"""The trail: the page's filters, and that nobody changes a line, whatever the database."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.audit.actions import System, record
from spacelab.audit.models import Entry


@pytest.fixture
def entry(db: None) -> Entry:
    return record(by=System("test"), action="test.write", subject="thing:1", size=3)


def test_the_model_refuses_changes(entry: Entry) -> None:
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


@pytest.mark.parametrize(
    "statement", ["UPDATE audit_entry SET actor = 'person:eve'", "DELETE FROM audit_entry WHERE id > 0"]
)
def test_the_database_refuses_changes(entry: Entry, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Entry.objects.all().delete()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        Entry.objects.update(actor="person:eve")
    assert Entry.objects.get(pk=entry.pk).actor == "system:test"


@pytest.mark.django_db(transaction=True)
def test_the_protection_is_there_after_a_test_that_emptied_the_tables() -> None:
    record(by=System("test"), action="test.write", subject="thing:2")
    with pytest.raises(DatabaseError, match="append-only"):
        Entry.objects.all().delete()


def test_the_page_filters_and_turns_pages(operator: Person, entry: Entry) -> None:
    for number in range(120):
        record(by=operator, action="test.many", subject=f"thing:{number + 2}")
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator)
    page = client.get("/audit/", {"actor": "system:test"}).content.decode()
    assert "test.write" in page
    assert "test.many" not in page
    assert "size: 3" in page
    only = client.get("/audit/", {"subject": "thing:7"}).content.decode()
    assert only.count("test.many") == 1
    assert client.get("/audit/", {"page": "2"}).content.decode().count("test.many") == 20
    assert "No lines" in client.get("/audit/", {"actor": "person:nobody"}).content.decode()


def test_a_line_is_shown_as_text(operator: Person) -> None:
    record(by=operator, action="test.write", subject="thing:<b>bold</b>", note="<script>alert(1)</script>")
    client = Client(SERVER_NAME="localhost")
    client.force_login(operator)
    page = client.get("/audit/").content.decode()
    assert "<script>alert" not in page
    assert "<b>bold" not in page


SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture
def postgres() -> Iterator[str]:
    """Run a PostgreSQL of this test's own, on a Unix socket."""
    if not SERVERS:
        pytest.skip("no PostgreSQL server on this machine")
    programs = str(SERVERS[-1])
    as_user = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        if as_user:
            shutil.chown(folder, 65534, 65534)
        data = f"{folder}/data"
        subprocess.run([*as_user, f"{programs}/initdb", "-D", data, "-U", "lab", "-A", "trust"], check=True)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off"
        control = [*as_user, f"{programs}/pg_ctl", "-D", data, "-o", options]
        subprocess.run([*control, "-l", f"{folder}/log", "-w", "start"], check=True)
        try:
            yield f"host={folder} user=lab dbname=postgres"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True)


@pytest.mark.slow
def test_postgresql_refuses_changes(postgres: str) -> None:
    import psycopg  # noqa: PLC0415  only for this database

    from spacelab.audit.append_only import PROTECT, RELEASE  # noqa: PLC0415  as above

    with psycopg.connect(postgres, autocommit=True) as link:
        link.execute("CREATE TABLE audit_entry (id serial PRIMARY KEY, actor text)")
        for statements in (PROTECT, RELEASE, PROTECT):
            for statement in statements["postgresql"]:
                link.execute(statement.encode())
        link.execute("INSERT INTO audit_entry (actor) VALUES ('person:ada')")
        for refused in ("UPDATE audit_entry SET actor = ''", "DELETE FROM audit_entry", "TRUNCATE audit_entry"):
            with pytest.raises(psycopg.errors.IntegrityError, match="append-only"):
                link.execute(refused.encode())
        assert link.execute("SELECT actor FROM audit_entry").fetchall() == [("person:ada",)]

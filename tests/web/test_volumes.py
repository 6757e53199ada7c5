"""The data pages and the volumes' API: what each visitor sees, and paths that would lead out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Forbidden
from spacelab.volumes import actions
from support.people import make_person


@pytest.fixture
def archive(operator: Person, scientist: Person, tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    (tmp_path / "Example_Notebooks").mkdir()
    (tmp_path / "Example_Notebooks" / "first.ipynb").write_text("{}")
    (tmp_path / "README.md").write_text("# Euclid\n\n<script>alert(1)</script>\n")
    (tmp_path / "passwd").symlink_to("/etc/passwd")
    (tmp_path / ".hidden").write_text("h")
    declaration = {"name": "euclid", "path": str(tmp_path), "title": "Euclid Q1", "access": {"people": ["ada"]}}
    actions.declare_archive(by=operator, declaration=declaration)
    return tmp_path


def test_a_named_person_reads_about_the_volume(client: Client, scientist: Person, archive: Path) -> None:
    client.force_login(scientist)
    assert "Euclid Q1" in client.get("/data/").content.decode()
    page = client.get("/data/euclid").content.decode()
    assert "first.ipynb" in page
    assert "/data/euclid" in page
    assert "<script>alert" not in page
    assert "passwd" not in page
    assert ".hidden" not in page


def test_others_get_the_answer_for_an_unknown_volume(client: Client, archive: Path) -> None:
    assert "Euclid" not in client.get("/data/").content.decode()
    client.force_login(make_person("eve"))
    for address in ("/data/euclid", "/data/euclid/files/README.md", "/data/nothing", "/api/v1/volumes/euclid"):
        assert client.get(address).status_code == 404
    assert client.get("/api/v1/volumes").json() == []


def test_a_file_is_an_attachment_and_no_path_leads_out(client: Client, scientist: Person, archive: Path) -> None:
    client.force_login(scientist)
    answer = client.get("/data/euclid/files/README.md")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for inside in ("passwd", "..%2f..%2fetc%2fpasswd", ".hidden", "Example_Notebooks"):
        assert client.get(f"/data/euclid/files/{inside}").status_code in {404, 422}
    assert client.get("/data/euclid", {"path": "../.."}).status_code == 422


def test_own_files_come_by_the_api_and_links_do_not(client: Client, scientist: Person) -> None:
    actions.ensure_areas(person=scientist)
    workspace = settings.VOLUMES_DIRECTORY / "people" / scientist.username / "workspace"
    (workspace / "result.json").write_text('{"answer": 46.45}')
    (workspace / "link").unlink(missing_ok=True)
    (workspace / "link").symlink_to("/etc/passwd")
    assert client.get("/api/v1/workspace/files/result.json").status_code == 401
    client.force_login(scientist)
    answer = client.get("/api/v1/workspace/files/result.json")
    assert answer.getvalue() == b'{"answer": 46.45}'
    for inside in ("link", "none", "%2e%2e/home/x"):
        assert client.get(f"/api/v1/workspace/files/{inside}").status_code in {404, 422}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what its sessions can't")
def test_pages_show_no_more_than_a_session_could_read(client: Client, scientist: Person, archive: Path) -> None:
    (archive / "keys").mkdir(mode=0o700)
    for name in ("keys/id_rsa", "shadow"):
        (archive / name).write_text("private")
    (archive / "shadow").chmod(0o640)
    client.force_login(scientist)
    for name in ("keys/id_rsa", "shadow"):
        assert client.get(f"/data/euclid/files/{name}").status_code == 404
    assert client.get("/data/euclid", {"path": "keys"}).status_code == 404
    (archive / "README.md").chmod(0o600)
    assert "<h1>Euclid</h1>" not in client.get("/data/euclid").content.decode()


def test_a_demo_operator_shows_no_folder_of_the_host(operator: Person, tmp_path: Path) -> None:
    Person.objects.filter(pk=operator.pk).update(is_demo=True)
    operator.refresh_from_db()
    with pytest.raises(Forbidden):
        actions.declare_archive(by=operator, declaration={"name": "mine", "path": str(tmp_path), "title": "Mine"})

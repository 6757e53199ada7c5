"""Whole images: looked into, carried to another platform and started there, sent to a real registry and fetched."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from spacelab.audit.actions import System
from spacelab.audit.models import Entry
from spacelab.images import actions, queries, shelf
from spacelab.images.actions import scanning
from spacelab.images.rules.provenance import image_labels
from spacelab.kit.refusals import Conflict, Forbidden, Invalid, NotFound, Unavailable
from support import osv, registry
from support.base_images import contract_image
from support.engine import Engine, running_engine
from support.people import make_person
from support.registry import Registry, running_registry

pytestmark = [pytest.mark.container, pytest.mark.django_db]
BY = System("test")
IMAGE = "localhost/spacelab-test/supply:v1-1"
FOREIGN = "localhost/spacelab-test/foreign:1"
PACKAGE, BASE = "ab" * 32, "sha256:" + "cd" * 32


class Described:
    """What the labels of the test's image are made from."""

    slug, title, abstract, version, author, licence = "supply", "Supply", "A test.", "1", "Ada", "MIT"


def silent(_text: str) -> None:
    """Take progress and tell nobody."""


def libraries(program: str) -> set[str]:
    """List what a program of this machine needs to run: itself, its loader, its libraries."""
    said = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return {program, *re.findall(r"(/\S+) \(0x", said)}


def build(engine: Engine, name: str, labels: dict[str, str]) -> None:
    """Make a small image: one program, a greeting, and a Python package with a known vulnerability."""
    metadata = "opt/lib/python3.11/site-packages/urllib3-2.0.5.dist-info/METADATA"
    files = {
        "Dockerfile": b'FROM scratch\nCOPY root /\nCMD ["/bin/cat", "/greeting"]\n',
        f"root/{metadata}": b"Metadata-Version: 2.1\nName: urllib3\nVersion: 2.0.5\nLicense: MIT\n",
        "root/greeting": b"the same image",
        **{f"root{path}": Path(path).read_bytes() for path in libraries("/bin/cat")},
    }
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(content), 0o755
            archive.addfile(entry, io.BytesIO(content))
    context.seek(0)
    # A cached image would bring the other one's labels.
    engine.client.images.build(fileobj=context, custom_context=True, tag=name, labels=labels, nocache=True, rm=True)


@pytest.fixture(scope="module")
def image(engine: Engine) -> Iterator[str]:
    """Make an image with the labels that a build gives it."""
    build(engine, IMAGE, image_labels(Described(), PACKAGE, BASE, "0.1.0", "https://git.example.org/ada/supply"))
    yield IMAGE
    engine.client.images.remove(IMAGE)


@pytest.fixture(scope="module")
def foreign(engine: Engine) -> Iterator[str]:
    """Make an image without such labels."""
    build(engine, FOREIGN, {})
    yield FOREIGN
    engine.client.images.remove(FOREIGN)


@pytest.fixture(autouse=True)
def here(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the platform use the test engine, with papers in a folder of the test."""
    monkeypatch.setattr(settings.SPACELAB, "state", tmp_path / "state")
    monkeypatch.setattr(settings.SPACELAB, "container_engine", engine.url)
    return tmp_path


@pytest.fixture
def elsewhere() -> Iterator[Engine]:
    """Run an engine that has nothing of the other one's images."""
    store = Path(tempfile.mkdtemp(prefix="spe-", dir="/var/tmp"))
    with running_engine(store) as other:
        yield other
        for one in other.client.containers.list(all=True):
            one.remove(force=True)
        subprocess.run(other.podman("rmi", "--all", "--force"), env=other.variables, check=True, capture_output=True)
    shutil.rmtree(store)


@pytest.fixture
def archive(image: str, tmp_path: Path) -> Path:
    """Export the image."""
    actions.export_image(by=BY, image=image, target=tmp_path / "supply.tar", progress=silent)
    return tmp_path / "supply.tar"


def test_an_image_lists_what_its_package_manager_lists(engine: Engine, here: Path) -> None:
    image = contract_image(engine)
    key = scanning.describe_image(image)
    document = shelf.get(key, shelf.CONTENTS)
    assert document is not None
    listed = {one["name"] for one in document["components"] if one.get("purl", "").startswith("pkg:deb/")}
    said = engine.run(image, ["dpkg-query", "-W", "-f", "${Package}\n"])
    assert listed == set(said.split())
    assert sorted(one.name for one in (here / "state" / "sboms").iterdir()) == sorted(
        f"{key}{kind}" for kind in (shelf.CONTENTS, shelf.SUMMARY)
    )


def test_an_image_shows_its_vulnerabilities(image: str, here: Path) -> None:
    key = scanning.describe_image(image)
    (here / "osv.json").write_text(json.dumps(osv.ALL))
    assert not scanning.look_up(key).scanned
    actions.update_vulnerabilities(by=BY, paths=[here / "osv.json"], progress=silent)
    report = scanning.look_up(key)
    assert [one.id for one in report.findings] == ["CVE-2023-43804"]
    assert report.not_covered == {}


def test_an_exported_image_starts_again_on_another_platform(
    archive: Path, image: str, elsewhere: Engine, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported = Entry.objects.get(action="builds.export-image")
    assert exported.subject == f"image:{image}"
    monkeypatch.setattr(settings.SPACELAB, "container_engine", elsewhere.url)
    monkeypatch.setattr(settings.SPACELAB, "state", here / "other")
    monkeypatch.setattr(settings.SPACELAB, "image_registry", "lab.example.org")
    digest = exported.details["digest"]
    taken = actions.import_image(by=BY, source=archive, digest=digest, progress=silent)
    assert (taken.name, taken.digest) == ("lab.example.org/spacelab-test/supply:v1-1", digest)
    there = queries.image_store().images()
    assert [(one.names, one.id) for one in there] == [((taken.name,), taken.id)]
    assert there[0].labels["org.spacelab.package"] == PACKAGE
    assert elsewhere.run(taken.name) == "the same image"
    assert taken.report.subject == shelf.image_key(taken.id)
    assert Entry.objects.get(action="builds.import-image").details["digest"] == digest
    again = actions.import_image(by=BY, source=archive, progress=silent)
    assert again.id == taken.id


def test_what_may_not_come_in_leaves_nothing(
    archive: Path, foreign: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "localhost/spacelab-test/taken:1"
    queries.image_store().remove(name)  # what an earlier, broken run may have left

    def refused(kind: type[Exception], said: str, file: Path = archive, **how: Any) -> None:
        with pytest.raises(kind, match=said):
            actions.import_image(**{"by": BY, "source": file, "name": name, "progress": silent, **how})
        assert queries.image_store().find(name) is None

    refused(Invalid, "has the digest", digest="sha256:" + "0" * 64)
    refused(Conflict, "another image called", name=foreign)
    refused(Invalid, "no whole name", name="../escape")
    refused(Forbidden, "builds.manage-any", by=make_person("ada"))
    cut = here / "cut.tar"
    cut.write_bytes(archive.read_bytes()[:-40_000])
    refused(Invalid, "no OCI archive", file=cut)
    monkeypatch.setattr(settings.SPACELAB, "image_import_mb", 1)
    refused(Invalid, "unpacks to more")
    monkeypatch.setattr(settings.SPACELAB, "image_import_mb", 4096)
    plain = here / "plain.tar"
    queries.image_store().save_oci(foreign, plain, silent)
    refused(Invalid, "no label org.spacelab.builder", file=plain)
    (here / "osv.json").write_text(json.dumps(osv.ALL))
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_gate", "medium")
    refused(Conflict, "Not scanned: no database")
    monkeypatch.setattr(settings.SPACELAB, "vulnerability_database", here / "osv.json")
    refused(Conflict, "CVE-2023-43804")
    assert not Entry.objects.filter(action="builds.import-image")


@pytest.fixture
def hub(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Run a registry with a password, and give the platform the file that holds it."""
    if lacking := registry.missing():
        pytest.skip(lacking)
    (here / "registry").mkdir()
    with running_registry(here / "registry") as running:
        file = here / "credentials.json"
        entry = {"username": registry.USER, "password": registry.PASSWORD}
        file.write_text(json.dumps({"auths": {running.host: entry}}))
        file.chmod(0o600)
        monkeypatch.setattr(settings.SPACELAB, "registry_credentials", file)
        yield running


def test_an_image_goes_to_a_registry_and_comes_back(
    engine: Engine, image: str, hub: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, said = f"{hub.host}/lab/supply:v1", list[str]()
    digest = actions.push_image(by=BY, image=image, reference=reference, progress=said.append)
    assert digest.startswith("sha256:")
    assert said
    assert queries.image_store().find(reference) is None, "the registry's name is not left on this engine"
    with pytest.raises(Invalid, match="has the digest"):
        actions.pull_image(by=BY, reference=reference, digest="sha256:" + "0" * 64, progress=silent)
    assert queries.image_store().find(reference) is None
    taken = actions.pull_image(by=BY, reference=reference, digest=digest, progress=said.append)
    first = queries.image_store().find(image)
    assert first is not None
    assert taken.id == first.id
    assert engine.run(reference) == "the same image"
    queries.image_store().remove(reference)
    with pytest.raises(Unavailable, match="refused"):
        actions.pull_image(by=BY, reference=f"{hub.host}/lab/absent:v1", progress=silent)
    monkeypatch.setattr(settings.SPACELAB, "registry_credentials", None)
    with pytest.raises(Unavailable) as refused:
        actions.push_image(by=BY, image=image, reference=reference, progress=said.append)
    with pytest.raises(NotFound):
        actions.push_image(by=BY, image="localhost/absent:1", reference=reference, progress=silent)
    trail = " ".join(f"{one.action} {one.subject} {one.details}" for one in Entry.objects.all())
    assert "builds.push-image" in trail
    told = " ".join([*said, trail, str(refused.value), hub.log.read_text()])
    assert registry.PASSWORD not in told

"""OCI archives: one that is whole is read, and every kind of damage or malice is named."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from spacelab.images.oci_archive import Archive, check_archive, renamed
from spacelab.kit.refusals import Invalid
from support import oci

ROOM = 10 * 2**20


def check(file: Path) -> Archive:
    """Check an archive, saying nothing meanwhile."""
    return check_archive(file, most_bytes=ROOM, progress=lambda _text: None)


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_archive_says_what_it_holds(tmp_path: Path, zipped: bool) -> None:  # noqa: FBT001  a parameter
    layout = oci.Layout(oci.layer(a=b"1"), oci.layer(b=b"2"), zipped=zipped)
    found = check(layout.write(tmp_path / "image.tar"))
    assert found.name == "localhost/ada_sky:v1-1"
    assert found.labels == oci.LABELS
    assert found.image_id == layout.manifest["config"]["digest"]
    assert found.digest == layout.index["manifests"][0]["digest"]
    assert found.unpacked == len(oci.layer(a=b"1")) + len(oci.layer(b=b"2"))


def test_an_image_inside_an_index_is_found_and_attestations_are_passed_over(tmp_path: Path) -> None:
    layout = oci.Layout(oci.layer(a=b"1"))
    entry = layout.index["manifests"][0]
    strange = {**layout.put(b"{}", oci.MANIFEST), "platform": {"os": "unknown", "architecture": "unknown"}}
    inner = {"schemaVersion": 2, "manifests": [entry, strange]}
    outer = layout.put(json.dumps(inner).encode(), "application/vnd.oci.image.index.v1+json")
    layout.parts["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [outer]}).encode()
    assert check(layout.write(tmp_path / "image.tar")).digest == entry["digest"]


def _changed_layer(layout: oci.Layout) -> None:
    path = layout.manifest["layers"][0]["digest"].replace("sha256:", "blobs/sha256/")
    content = bytearray(layout.parts[path])
    content[4] ^= 1  # a moment in the header of gzip: it still unpacks to the same
    layout.parts[path] = bytes(content)


def _other_layer(layout: oci.Layout) -> None:
    layout.manifest["layers"][0] = layout.put(gzip.compress(oci.layer(evil=b"2")), f"{oci.LAYER}+gzip")
    layout.seal()


def _missing_layer(layout: oci.Layout) -> None:
    del layout.parts[layout.manifest["layers"][0]["digest"].replace("sha256:", "blobs/sha256/")]


def _cut_layer(layout: oci.Layout) -> None:
    layout.manifest["layers"][0] = layout.put(gzip.compress(oci.layer(a=b"1"))[:-20], f"{oci.LAYER}+gzip")
    layout.seal()


def _bomb(layout: oci.Layout) -> None:
    zeros = b"\0" * (ROOM + 1)
    layout.manifest["layers"][0] = layout.put(gzip.compress(zeros), f"{oci.LAYER}+gzip")
    layout.config["rootfs"]["diff_ids"] = [f"sha256:{sha256(zeros).hexdigest()}"]
    layout.seal()


def _two_images(layout: oci.Layout) -> None:
    entry = layout.index["manifests"][0]
    layout.parts["index.json"] = json.dumps({"manifests": [entry, entry]}).encode()


def _wrong_size(layout: oci.Layout) -> None:
    layout.manifest["layers"][0]["size"] += 1
    layout.seal()


def _strange_layer(layout: oci.Layout) -> None:
    layout.manifest["layers"][0]["mediaType"] = f"{oci.LAYER}+zstd"
    layout.seal()


def _path_as_digest(layout: oci.Layout) -> None:
    layout.manifest["layers"][0]["digest"] = "sha256:../../../etc/passwd"
    layout.seal()


def _artifact(layout: oci.Layout) -> None:
    layout.parts["index.json"] = json.dumps(
        {"manifests": [layout.put(b'{"layers": []}', "application/vnd.cncf.helm.chart.v1")]}
    ).encode()


def _more_layers(layout: oci.Layout) -> None:
    layout.config["rootfs"]["diff_ids"] *= 2
    layout.seal()


def _odd_forms(layout: oci.Layout) -> None:
    layout.parts["index.json"] = b'{"manifests": [{"digest": 7}]}'


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_changed_layer, "was changed"),
        (_other_layer, "another one than"),
        (_missing_layer, "is missing"),
        (_cut_layer, "cut short"),
        (_bomb, "unpacks to more"),
        (_two_images, "2 images"),
        (_wrong_size, "bytes instead of"),
        (_strange_layer, "zstd"),
        (_path_as_digest, "without a SHA-256"),
        (_artifact, "not an image"),
        (_more_layers, "different layers"),
        (_odd_forms, "without a SHA-256"),
        (lambda layout: layout.parts.pop("oci-layout"), "“oci-layout” is missing"),
        (lambda layout: layout.parts.update({"oci-layout": b'{"imageLayoutVersion": "9"}'}), "another version"),
        (lambda layout: layout.parts.update({"index.json": b"[]"}), "something else"),
        (lambda layout: layout.parts.update({"index.json": b"{"}), "can't be read"),
        (lambda layout: layout.parts.update({"index.json": b" " * (5 * 2**20)}), "larger than"),
        (lambda layout: layout.parts.update({f"x{n}": b"" for n in range(2100)}), "more than 2000"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, spoil: Callable[[oci.Layout], None], said: str) -> None:
    layout = oci.Layout(oci.layer(a=b"1"))
    spoil(layout)
    with pytest.raises(Invalid, match=said):
        check(layout.write(tmp_path / "image.tar"))


def test_links_holes_and_doubles_are_refused(tmp_path: Path) -> None:
    for kind, said in ((tarfile.SYMTYPE, "no ordinary file"), (tarfile.CHRTYPE, "no ordinary file")):
        file = oci.Layout(oci.layer(a=b"1")).write(tmp_path / "image.tar")
        with tarfile.open(file, "a") as archive:
            entry = tarfile.TarInfo("blobs/sha256/link")
            entry.type, entry.linkname = kind, "/etc/passwd"
            archive.addfile(entry)
        with pytest.raises(Invalid, match=said):
            check(file)
    with tarfile.open(oci.Layout(oci.layer(a=b"1")).write(file), "a") as archive:
        archive.addfile(tarfile.TarInfo("oci-layout"), io.BytesIO())
    with pytest.raises(Invalid, match="twice"):
        check(file)


def test_an_image_in_docker_s_form_is_told_apart(tmp_path: Path) -> None:
    file = tmp_path / "image.tar"
    with tarfile.open(file, "w") as archive:
        archive.addfile(tarfile.TarInfo("manifest.json"))
    with pytest.raises(Invalid, match="Docker's own form") as refused:
        check(file)
    assert "skopeo" in refused.value.advice


@pytest.mark.parametrize("content", [b"", b"no tar", b"\x1f\x8b" + b"\0" * 600, b"\0" * 1024])
def test_what_is_no_archive_at_all_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "image.tar"
    file.write_bytes(content)
    with pytest.raises(Invalid):
        check(file)
    with pytest.raises(Invalid, match="can't be read"):
        check(tmp_path / "absent.tar")


@given(cut=some.floats(0.01, 0.95))
def test_an_archive_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: float) -> None:
    file = oci.Layout(oci.layer(a=b"1" * 5000), zipped=False).write(tmp_path_factory.mktemp("oci") / "image.tar")
    content = file.read_bytes().rstrip(b"\0")
    file.write_bytes(content[: int(len(content) * cut)])
    with pytest.raises(Invalid):
        check(file)


def test_an_image_gets_another_name_and_stays_the_same(tmp_path: Path) -> None:
    layout = oci.Layout(oci.layer(a=b"1"))
    layout.parts["manifest.json"] = json.dumps([{"Config": "blobs/sha256/x", "RepoTags": ["old/name:1"]}]).encode()
    layout.parts["extra/file"] = b"not of the layout"
    file = layout.write(tmp_path / "image.tar")
    other = tmp_path / "other.tar"
    other.write_bytes(b"".join(renamed(file, "lab.example.org/x/sky:v2")))
    before, after = check(file), check(other)
    assert after.name == "lab.example.org/x/sky:v2"
    assert (after.digest, after.image_id, after.labels) == (before.digest, before.image_id, before.labels)
    with tarfile.open(other) as archive:
        assert "extra/file" not in archive.getnames()
        docker = archive.extractfile("manifest.json")
        assert docker is not None
        assert json.load(docker)[0]["RepoTags"] == ["lab.example.org/x/sky:v2"]

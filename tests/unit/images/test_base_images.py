"""What is declared in base-images/: its order, the hash that says whether an image is current, what a site puts in."""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from spacelab.images import base_images
from spacelab.images.adapters import debian
from spacelab.images.base_images import Site
from spacelab.kit.refusals import Invalid, NotFound

OURS = Path(__file__).parents[3] / "base-images"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


def declare(root: Path, name: str, parent: str = "") -> Path:
    """Declare an image."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    lines = f'title = "{name}"\ndescription = "."\nversion = "1"\nfrom = "{parent}"\n'
    (folder / "image.toml").write_text(lines)
    (folder / "Dockerfile").write_text("FROM scratch\n")
    return folder


def hashes(root: Path, site: Site | None = None) -> dict[str, str]:
    return base_images.content_hashes(base_images.read_base_images(root), site or Site())


def test_ours_come_in_an_order_that_can_be_built() -> None:
    names = [image.name for image in base_images.read_base_images(OURS)]
    assert names[0] == "datalabs_base"
    assert {"jl_base", "web_base", "x_base"} < set(names)


def test_choosing_brings_what_an_image_starts_from(tmp_path: Path) -> None:
    declare(tmp_path, "a", "b")
    declare(tmp_path, "b", "c")
    declare(tmp_path, "c")
    declare(tmp_path, "other", "c")
    images = base_images.read_base_images(tmp_path)
    assert [image.name for image in base_images.choose(images, ["a"])] == ["c", "b", "a"]
    assert len(base_images.choose(images, [])) == 4
    with pytest.raises(NotFound, match="nothing"):
        base_images.choose(images, ["nothing"])


@pytest.mark.parametrize("parent", ["missing", "a"])
def test_an_image_that_starts_from_nothing_known_or_itself_is_refused(tmp_path: Path, parent: str) -> None:
    declare(tmp_path, "a", parent)
    with pytest.raises(Invalid, match=parent):
        base_images.read_base_images(tmp_path)


def test_a_change_below_changes_all_above_and_nothing_beside(tmp_path: Path) -> None:
    lower = declare(tmp_path, "lower")
    declare(tmp_path, "upper", "lower")
    declare(tmp_path, "beside")
    before = hashes(tmp_path)
    (lower / "added").write_text("1")
    after = hashes(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"lower", "upper"}
    (lower / "added").chmod(0o755)
    assert hashes(tmp_path)["lower"] != after["lower"]


def test_every_setting_of_a_site_counts(tmp_path: Path) -> None:
    declare(tmp_path, "one")
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(CERTIFICATE)
    plain = Site()
    sites = [
        plain,
        replace(plain, mirror="http://mirror.example.org"),
        replace(plain, package_index="https://index.example.org/simple"),
        replace(plain, npm_registry="https://npm.example.org"),
        replace(plain, ca_bundle=bundle),
        replace(plain, base="bootstrap:bookworm"),
    ]
    assert len({hashes(tmp_path, site)["one"] for site in sites}) == len(sites)


def test_a_bundle_without_a_certificate_is_refused(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    with pytest.raises(Invalid, match="can't be read"):
        Site(ca_bundle=bundle).files()
    bundle.write_text("nothing")
    with pytest.raises(Invalid, match="no certificate"):
        Site(ca_bundle=bundle).files()


def test_a_context_keeps_the_right_to_be_run_and_no_declaration(tmp_path: Path) -> None:
    folder = declare(tmp_path, "one")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o744)
    files = base_images.context_files(base_images.read_base_images(tmp_path)[0], Site())
    with tarfile.open(fileobj=io.BytesIO(base_images.context_archive(files))) as archive:
        modes = {entry.name: entry.mode for entry in archive}
    assert modes["run.sh"] == 0o755
    assert modes["Dockerfile"] == 0o644
    assert "image.toml" not in modes
    assert "site/ca-bundle.pem" in modes


def test_a_suite_is_a_name_and_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no Debian suite"):
        debian.bootstrap("--help", "http://mirror.example.org", tmp_path / "x.tar", print)


def test_security_updates_are_among_the_sources() -> None:
    assert "deb http://m/debian-security bookworm-security main\n" in debian.sources("bookworm", "http://m")


def conda(command: str) -> subprocess.CompletedProcess[str]:
    """Run some Python with the stand-in for conda read in as `conda`, without doing anything by it."""
    load = (
        "import sys, types; conda = types.ModuleType('conda'); text = open(sys.argv[1]).read()\n"
        "exec(text.rsplit('main()', 1)[0], conda.__dict__)\n"
    )
    words = ["python3", "-c", load + command, str(OURS / "jl_base" / "bin" / "conda")]
    return subprocess.run(words, check=False, capture_output=True, text=True)


@pytest.mark.parametrize(
    ("asked", "installed"),
    [
        ("numpy", "numpy"),
        ("numpy=1.26", "numpy==1.26.*"),
        ("conda-forge::numpy==1.26.4=py311h", "numpy==1.26.4"),
        ("scipy >=1.10", "scipy>=1.10"),
        ("pytorch", "torch"),
        ("python=3.9", "None"),
    ],
)
def test_the_stand_in_for_conda_reads_names(asked: str, installed: str) -> None:
    result = conda(f"print(conda.requirement({asked!r}))")
    assert result.stdout.strip() == installed, result.stderr


def test_what_exists_for_conda_alone_is_refused() -> None:
    result = conda("conda.requirement('graph-tool')")
    assert result.returncode == 1
    assert "exists for conda alone" in result.stderr

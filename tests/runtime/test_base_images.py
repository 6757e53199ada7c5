"""The base images: built by the platform on a real engine, current ones left alone, small, and what they promise."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from spacelab.images.base_images import BaseImage
from spacelab.kit.refusals import NotFound, Unavailable
from spacelab.site.base_building import build_base_images, standings
from support.base_images import certificates, provide, use_engine
from support.engine import Engine

pytestmark = pytest.mark.container

LARGEST_MB = {"datalabs_base": 130, "jl_base": 780, "web_base": 190}
"""What the documentation says, and a little; a jump is a mistake."""


@pytest.fixture(autouse=True)
def _here(settings: Any, engine: Engine, state: Path) -> None:
    use_engine(settings, engine, state)


def run(engine: Engine, image: str, command: str) -> str:
    """Run a shell command in an image, with no network and no rights."""
    return engine.run(
        f"localhost/datalabs/{image}:stable",
        ["bash", "-c", command],
        read_only=True,
        cap_drop=["ALL"],
        user="64200:64200",
        environment={"HOME": "/tmp"},  # noqa: S108  the container's own
        tmpfs={"/tmp": ""},  # noqa: S108  the container's own
    )


@pytest.fixture
def images(_here: None, engine: Engine) -> None:
    """Have the images that these tests look at."""
    provide(engine, *LARGEST_MB)


@pytest.mark.long
@pytest.mark.usefixtures("images")
class TestImages:
    def test_what_is_current_is_left_alone(self, engine: Engine) -> None:
        built = provide(engine, *LARGEST_MB)
        assert [one.seconds for one in built.values()] == [None, None, None]
        states = {one.image.name: one.state for one in standings()}
        assert {name: states[name] for name in LARGEST_MB} == dict.fromkeys(LARGEST_MB, "current")

    def test_they_are_small_and_say_where_they_come_from(self, engine: Engine) -> None:
        for name, limit in LARGEST_MB.items():
            found = engine.client.images.get(f"localhost/datalabs/{name}:1.0.0")
            assert found.attrs["Size"] < limit * 1_000_000, name
            labels = found.labels
            assert labels["org.opencontainers.image.version"] == "1.0.0"
            assert labels["org.opencontainers.image.base.digest"].startswith("sha256:")
            assert labels["org.spacelab.builder"].startswith("spacelab ")
            assert found.attrs["Config"]["Cmd"] == ["/sbin/tini", "--", "/.datalab/run.sh"]
        alias = engine.client.images.get("localhost/datalabs/datalabs_ubuntu_base:stable")
        assert alias.id == engine.client.images.get("localhost/datalabs/datalabs_base:1.0.0").id

    def test_the_lab_imports_what_it_promises_and_python_is_its_own(self, engine: Engine) -> None:
        said = run(
            engine,
            "jl_base",
            "which python pip uv; bash -lc 'which python'; ls -d /opt/miniconda/bin/jupyter; python -c '"
            "import numpy, scipy.stats, matplotlib.pyplot, pandas, h5py, yaml, ipympl, ipywidgets, pyvo\n"
            'import astropy.units, astroquery.simbad; print("all there")\'',
        )
        places = [f"/opt/environments/base/bin/{name}" for name in ("python", "pip", "uv", "python")]
        assert said.split() == [*places, "/opt/miniconda/bin/jupyter", "all", "there"]

    def test_nothing_is_left_over(self, engine: Engine) -> None:
        left = "find /var/lib/apt/lists /var/cache/apt /opt/build /usr/share/man -type f 2>/dev/null"
        assert run(engine, "jl_base", f"{left} | wc -l").strip() == "0"

    def test_everything_is_compiled(self, engine: Engine) -> None:
        check = "import astropy, tornado; print(*[m.__cached__ for m in (astropy, tornado)])"
        for file in run(engine, "jl_base", f"python -c '{check}' | xargs ls").split():
            assert file.endswith(".pyc")

    def test_they_trust_the_sites_certificates(self, engine: Engine) -> None:
        said = run(engine, "datalabs_base", "grep -c BEGIN $SSL_CERT_FILE; ls /usr/local/share/ca-certificates | wc -l")
        known, own = (int(line) for line in said.split())
        assert known > 100
        assert (own > 0) <= (certificates() is not None)

    def test_the_first_image_says_what_it_contains(self) -> None:
        (built,) = build_base_images(["datalabs_base"], progress=lambda _image, _text: None)
        assert "Debian" in built.packages
        assert next(one.packages for one in standings() if one.image.name == "datalabs_base") == built.packages


@pytest.fixture
def slow_image(_here: None, engine: Engine, settings: Any, state: Path) -> Iterator[Path]:
    """Declare an image of its own that starts from a current base."""
    provide(engine, "datalabs_base")
    root = state / "base-images"
    folder = root / "slow"
    folder.mkdir(parents=True)
    base = settings.BASE_IMAGES_DIRECTORY / "datalabs_base"
    (root / "datalabs_base").symlink_to(base)
    (folder / "image.toml").write_text('title = "Slow"\ndescription = "."\nversion = "0"\nfrom = "datalabs_base"\n')
    settings.BASE_IMAGES_DIRECTORY = root
    yield folder
    for image in engine.client.images.list("localhost/datalabs/slow"):
        engine.client.images.remove(str(image.id), force=True)


def dockerfile(folder: Path, *lines: str) -> None:
    """Write the Dockerfile of the image that is declared in a folder."""
    (folder / "Dockerfile").write_text("\n".join(["FROM localhost/datalabs/datalabs_base:stable", *lines, ""]))


class TestBuilding:
    def test_a_failed_step_is_told_with_its_last_lines(self, slow_image: Path) -> None:
        dockerfile(slow_image, "RUN echo first; echo the reason; exit 7")
        with pytest.raises(Unavailable, match=r"(?s)step 2/\d+: RUN echo first.*the reason"):
            list(build_base_images(["slow"], progress=lambda _image, _text: None, describe=False))

    def test_a_cancelled_build_ends_in_the_engine_too(self, slow_image: Path) -> None:
        dockerfile(slow_image, "RUN echo begun; exec sleep 98765")

        def interrupt(_image: BaseImage, text: str) -> None:
            if text == "begun":
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            list(build_base_images(["slow"], progress=interrupt, describe=False))
        deadline = time.monotonic() + 60
        while "sleep 98765" in subprocess.run(["ps", "-eo", "args"], check=True, capture_output=True, text=True).stdout:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def test_an_unknown_name_is_refused(self) -> None:
        with pytest.raises(NotFound, match="nonsense"):
            list(build_base_images(["nonsense"], progress=lambda _image, _text: None))


def test_the_command_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    from django.core.management import call_command  # noqa: PLC0415  Django is ready only inside a test

    call_command("images", "list", "--json")
    listed = {one["reference"]: one["state"] for one in json.loads(capsys.readouterr().out)}
    assert "localhost/datalabs/x_base:1.0.0" in listed

"""Packages written for ESA Datalabs build and start here: the catalogue's examples of each kind and era, for real."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.base_images import provide, use_engine
from support.engine import Engine
from support.esa import Session, build_example, build_files, python, started

pytestmark = pytest.mark.container

HOOK = "#!/bin/sh\n"
BASE = "ARG REGISTRY=localhost\nFROM ${REGISTRY}/datalabs/datalabs_base:stable\n"


@pytest.fixture(autouse=True)
def _here(settings: Any, engine: Engine, state: Path) -> None:
    use_engine(settings, engine, state)


@pytest.fixture
def bases(_here: None, engine: Engine) -> None:
    """Have the base images that web applications and bare packages start from."""
    provide(engine, "web_base")


@pytest.fixture
def lab_base(_here: None, engine: Engine) -> None:
    """Have the base image of packages with notebooks."""
    provide(engine, "jl_base")


@pytest.fixture(params=["lab-2021", "lab-2022", "lab-2025"])
def lab(
    request: pytest.FixtureRequest, lab_base: None, engine: Engine, tmp_path: Path
) -> Iterator[tuple[str, Session]]:
    """Build and start one of the packages with notebooks."""
    name = request.param
    with started(engine, build_example(engine, name, tmp_path)) as session:
        yield name, session


NOTEBOOKS = {
    "lab-2021": ("/media/notebooks/passes.ipynb", "sgp4"),
    "lab-2022": ("/media/notebooks/parallax.ipynb", "uncertainties"),
    "lab-2025": ("/media/notebooks/notebooks/first-steps/period.ipynb", "uncertainties"),
}


@pytest.mark.long
def test_a_lab_of_each_era_serves_its_notebooks(lab: tuple[str, Session]) -> None:
    name, session = lab
    mark = session.run("echo $DATALAB_ID").strip()
    assert session.answer(f"/datalabs/{mark}/api").startswith("200")
    assert "frame-ancestors https://portal.example.org 'self'" in session.fetch(f"/datalabs/{mark}/api")
    page = session.fetch(f"/datalabs/{mark}/lab")
    assert page.startswith("200")
    assert "JupyterLab" in page
    notebook, module = NOTEBOOKS[name]
    assert session.fetch(f"/datalabs/{mark}/api/contents{notebook}?content=0").startswith("200")
    execute = f"cd /tmp && jupyter execute --output=/tmp/done.ipynb {notebook} && grep -c output_type /tmp/done.ipynb"
    assert int(session.run(f"{execute} 2>/dev/null").split()[-1]) > 0
    assert "site-packages" in session.run(python(f"import {module}; print({module}.__file__)"))
    session.logged("the interface answers on port 10000")
    if name == "lab-2021":
        assert session.run("cat /home/ada/welcome-$DATALAB_ID.txt").startswith("The passes are in")
    if name == "lab-2022":
        assert session.run("units -t '1 parsec' lightyear").startswith("3.26")


@pytest.mark.usefixtures("bases")
class TestApplications:
    def test_a_web_application(self, engine: Engine, tmp_path: Path) -> None:
        with started(engine, build_example(engine, "web", tmp_path)) as session:
            assert "<td>656.3<td>1312.6" in session.answer("/?z=1")

    def test_an_explore_application_has_its_folders_and_prefix(self, engine: Engine, tmp_path: Path) -> None:
        image = build_example(engine, "explore", tmp_path)
        with started(engine, image, PATH_PREFIX="/apps/counter") as session:
            assert '{"files": 0, "visit": 1}' in session.answer("/apps/counter/")
            assert '"visit": 2' in session.fetch("/apps/counter/")
            assert session.run("cat /media/user/count.json") == '{"files": 0, "visit": 2}'

    @pytest.mark.desktops
    def test_a_desktop_shows_its_program(self, engine: Engine, tmp_path: Path) -> None:
        provide(engine, "x_base")
        with started(engine, build_example(engine, "desktop", tmp_path)) as session:
            assert session.answer("/").startswith("200")
            deadline = time.monotonic() + 60  # the page answers before the program has begun
            while "clock.py" not in session.run("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"):
                assert time.monotonic() < deadline
                time.sleep(0.1)


DOCKERFILE = """ARG REGISTRY=localhost
FROM ${REGISTRY}/datalabs/jl_base:stable
RUN apt-get update && apt-get install -y --no-install-recommends units=9.99-0ubuntu1 && apt-get clean
WORKDIR /tmp
COPY environment.yml /tmp/
RUN conda env create -f /tmp/environment.yml \\
    && conda clean -all -f -y \\
    && conda run -n demo python -m ipykernel install --name=demo --display-name=demo
RUN conda install --quiet --yes -c conda-forge 'mamba' && mamba install -y sgp4=2.25
RUN bash -c '. /opt/miniconda/etc/profile.d/conda.sh && conda activate demo && python -c "import uncertainties"'
"""
ENVIRONMENT = (
    "name: demo\nchannels: [conda-forge]\ndependencies: [python=3.11, ipykernel, pip, {pip: [uncertainties]}]\n"
)


@pytest.mark.long
@pytest.mark.usefixtures("lab_base")
def test_a_dockerfile_for_conda_and_for_another_distributions_versions(engine: Engine) -> None:
    image = build_files(engine, "conda", {"Dockerfile": DOCKERFILE, "environment.yml": ENVIRONMENT})
    with started(engine, image) as session:
        session.answer("/datalabs/")
        kernel = session.run("jupyter kernelspec list --json")
        assert "/usr/local/share/jupyter/kernels/demo" in kernel
        assert session.run("conda run -n demo which python").strip() == "/opt/environments/demo/bin/python"
        assert "site-packages" in session.run(python("import sgp4; print(sgp4.__file__)"))
        assert session.run("units --version").startswith("GNU Units")


@pytest.fixture
def contract(bases: None, engine: Engine) -> Iterator[Session]:
    """Start a datalab with hooks of all kinds, whose own start serves its environment."""
    start = "#!/bin/sh\nenv >/tmp/env\nsleep 1\nexec python3 -m http.server $IF_main_port --bind 127.0.0.1 -d /tmp\n"
    files = {
        "Dockerfile": BASE
        + "COPY user-1.sh user-2.sh other.sh /opt/datalab/init.d/\nCOPY old.sh /opt/datalabs/init.d/\n"
        + "COPY start.sh /opt/datalab/start.sh\nENV ENVIRONMENT='SIMPUT=/opt/simput SIXTE=/opt/sixte'\n",
        "user-1.sh": "#!/bin/sh\necho one >>/tmp/hooks\nexit 3\n",
        "user-2.sh": "echo two >>/tmp/hooks\n",
        "other.sh": "#!/bin/sh\necho other >>/tmp/hooks\n",
        "old.sh": "#!/bin/sh\necho old >>/tmp/hooks\n",
        "start.sh": start,
    }
    with started(engine, build_files(engine, "contract", files), LOG_LEVEL="DEBUG") as session:
        yield session


class TestContract:
    def test_hooks_run_in_order_and_a_failed_one_is_named(self, contract: Session) -> None:
        contract.answer("/env")
        assert contract.run("cat /tmp/hooks").split() == ["one", "two", "old"]
        assert "the hook /opt/datalab/init.d/user-1.sh failed with status 3" in contract.log
        assert "not run: /opt/datalab/init.d/other.sh" in contract.log

    def test_running_is_said_only_when_the_interface_answers(self, contract: Session) -> None:
        contract.logged("start /opt/datalab/start.sh")
        contract.answer("/env")
        contract.logged("the interface answers on port 10000")
        assert contract.log.index("start /opt/datalab") < contract.log.index("the interface answers")

    def test_variables(self, contract: Session) -> None:
        page = contract.answer("/env")
        values = dict(line.split("=", 1) for line in page.splitlines() if "=" in line)
        mark = values["DATALAB_ID"]
        assert values["JUPYTER_CONFIG_DIR"] == f"/home/ada/.jupyterlab-{mark}"
        assert (values["SERVICE_INPUT_DIR"], values["SERVICE_USER_DATA"]) == ("/data", "/media/user")
        assert values["SERVICE_USER_APP_DATA"].startswith("/home/ada/")
        assert (values["SIMPUT"], values["SIXTE"], values["PATH_PREFIX"]) == ("/opt/simput", "/opt/sixte", "")

    def test_a_session_stays_its_person_whatever_scripts_try(self, contract: Session) -> None:
        contract.answer("/env")
        assert contract.run("su - ada -c 'id -u'").strip() == "64200"
        assert contract.run("gosu $USER id -u").strip() == "64200"
        assert "can't become root" in contract.run("su root -c id 2>&1 || true")


@pytest.mark.usefixtures("bases")
class TestEnds:
    def test_an_image_with_nothing_to_start_says_so(self, engine: Engine) -> None:
        with started(engine, build_files(engine, "nothing", {"Dockerfile": BASE})) as session:
            assert session.container.wait(timeout=120)["StatusCode"] == 78
            assert "nothing to start" in session.log

    @pytest.mark.parametrize(("program", "status"), [("true", 0), ("false", 1)])
    def test_the_end_of_the_program_is_the_end_of_the_datalab(self, engine: Engine, program: str, status: int) -> None:
        start = (
            f". /.datalab/init.sh\nwait_interface &\nif {program}; then api_emit_finished; else api_emit_error; fi\n"
            "api_emit_if_done\n"
        )
        files = {"Dockerfile": BASE + "COPY start.sh /opt/datalab/\n", "start.sh": "#!/bin/bash\n" + start}
        with started(engine, build_files(engine, f"ends-{program}", files)) as session:
            assert session.container.wait(timeout=120)["StatusCode"] == status

    def test_a_library_that_is_read_by_any_shell(self, engine: Engine) -> None:
        with started(engine, "localhost/datalabs/datalabs_base:stable", DATALAB_COMMAND="sleep 60") as session:
            for shell in ("dash -eu", "bash -euo pipefail"):
                used = ". /.datalab/init.sh; debug no; api_emit_running; api_emit_finished; api_emit_if_done"
                assert session.run(f"{shell} -c '{used}'").strip() == "[datalab] finished"

"""A failed build is explained: the outputs are those of real runs of uv, pip, apt, npm, git and Podman."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_packages import notebook, package

from datalab_package import Plan, explain_failure, make_plan
from datalab_package.failure_told import near_names

OUTPUTS = Path(__file__).parent / "outputs"
REQUIREMENTS = """# what the notebook needs
astropy==6.0.0
numpy==2.3.0
python-ldap
pycurl
mysqlclient
pygraphviz
pyfits
astropyyy-nonsense
sunpy
"""
FILES = {"a.ipynb": notebook("1"), "requirements.txt": REQUIREMENTS, "packages.txt": "curl\ntopcta\ntopcat=4.8-99\n"}


def output(name: str) -> str:
    return (OUTPUTS / f"{name}.txt").read_text()


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return make_plan(package(tmp_path, FILES))


@pytest.mark.parametrize(
    ("name", "place", "said", "advised"),
    [
        ("uv-no-package", ("requirements.txt", 9), "no Python package called astropyyy-nonsense", "name"),
        ("pip-no-package", ("requirements.txt", 9), "no Python package called astropyyy-nonsense", "name"),
        ("uv-no-version", ("requirements.txt", 2), "no version astropy==99.1", "version of astropy open"),
        ("pip-no-version", ("requirements.txt", 2), "no version astropy==99.1; the newest", "version of astropy open"),
        ("uv-conflict", ("requirements.txt", 3), "astropy==6.0.0 needs numpy>=1.22,<2", "version of numpy open"),
        ("pip-conflict", ("requirements.txt", 3), "astropy 6.0.0 needs numpy<2 and >=1.22", "version of numpy open"),
        ("uv-python", ("", 0), "proj==1 needs Python >=3.13, and the base has 3.11.7", "older version of proj"),
        ("uv-ldap", ("requirements.txt", 4), "header lber.h is missing", "packages.txt: libldap2-dev"),
        (
            "uv-curl",
            ("requirements.txt", 5),
            "pycurl needs the program curl-config",
            "packages.txt: libcurl4-openssl-dev",
        ),
        ("uv-mysql", ("requirements.txt", 6), "the library mysqlclient is missing", "default-libmysqlclient-dev"),
        ("uv-header", ("requirements.txt", 7), "pygraphviz needs the program dot", "packages.txt: graphviz"),
        ("uv-2to3", ("requirements.txt", 8), "older Python", ""),
        ("uv-network", ("", 0), "could not reach index.example.org", "Try again"),
        ("pip-network", ("", 0), "could not reach index.example.org", "Try again"),
        ("apt-network", ("", 0), "could not reach deb.example.org", "Try again"),
        ("npm-network", ("", 0), "could not reach npm.example.org", "Try again"),
        ("uv-refused", ("", 0), "does not let builds reach index.example.org", "allow"),
        ("pip-refused", ("", 0), "does not let builds reach", "allow"),
        ("apt-refused", ("", 0), "does not let builds reach deb.example.org", "allow"),
        ("git-refused", ("", 0), "does not let builds reach git.example.org", "allow"),
        ("pip-no-file", ("", 0), "nothere.txt is not there", "package"),
        ("apt-no-package", ("packages.txt", 2), "no package called topcta", "Did you mean topcat?"),
        ("apt-no-version", ("packages.txt", 3), "no version 4.8-99 of topcat", "without a version"),
        ("npm-no-package", ("", 0), "no npm package called leftpadd-nonsense-xyz", "name"),
        ("npm-no-version", ("", 0), "no version react@99.1.1", "version"),
        ("npm-conflict", ("", 0), "react-dom@18.3.1 needs react@^18.3.1, which does not fit with react@17.0.2", "fit"),
        ("df-killed", ("", 0), "more memory", "operators"),
        ("df-disk", ("", 0), "no room left", "data"),
    ],
)
def test_common_failures_are_explained(plan: Plan, name: str, place: tuple[str, int], said: str, advised: str) -> None:
    failure = explain_failure(output(name), plan)
    assert said in failure.message
    assert advised in failure.advice
    assert (failure.file, failure.line) == place
    if place[1]:
        assert f"({place[0]}, line {place[1]})" in failure.message
    if name.startswith(("uv-no", "uv-conflict", "uv-ldap")):
        assert failure.step == "Install Python packages"


@pytest.mark.parametrize(
    ("name", "text", "line", "said", "advised"),
    [
        ("df-copy", "COPY data.csv /x/\nRUN true\n", 2, "data.csv is to be copied", "capitals"),
        ("df-command", "RUN conda env create -f /x.yml\n", 2, "no conda", "environment.yml"),
        ("df-killed", "RUN perl -e 'kill 9, $$'\n", 2, "more memory", "operators"),
        ("df-image", "RUN true\n", 0, "The image", "operators"),
        ("df-syntax", "COPY a\n", 2, "COPY requires at least one argument", "form"),
        ("df-env", "RUN true\n", 0, "ENV must have two arguments", "form"),
        ("uv-ldap", "RUN apt-get update\nRUN uv pip install \\\n  python-ldap\n", 4, "lber.h", "apt-get install"),
        ("pip-no-package", "RUN pip install astropyyy-nonsense\n", 2, "astropyyy", "name"),
    ],
)
def test_failures_of_one_s_own_dockerfile_name_its_line(  # noqa: PLR0917  what each case is made of
    tmp_path: Path, name: str, text: str, line: int, said: str, advised: str
) -> None:
    """The bases of another registry put two lines above the author's own; his lines are named all the same."""
    plan = make_plan(package(tmp_path, {"Dockerfile": f"FROM repos.example.org/datalabs/jl_base:beta\n{text}"}))
    assert plan.added_lines == 2
    failure = explain_failure(output(name), plan)
    assert said in failure.message
    assert advised in failure.advice
    assert failure.line == line
    assert failure.file == ("Dockerfile" if line else "")


def test_an_unknown_instruction_is_named_with_what_was_meant(plan: Plan) -> None:
    failure = explain_failure(output("df-unknown"), plan)
    assert (failure.message, failure.advice) == ("“RNU” is no instruction of a Dockerfile.", "Did you mean RUN?")


def test_the_step_of_a_generated_dockerfile_is_named(plan: Plan) -> None:
    run = next(line for line in plan.dockerfile.splitlines() if line.startswith("RUN apt-get"))
    assert run.endswith("\\")
    joined = "RUN apt-get update &&     apt-get install -y --no-install-recommends curl topcat=4.8-99 topcta &&     rm"
    failure = explain_failure(f"STEP 2/8: {joined} -rf /var/lib/apt/lists/*\n{output('apt-no-version')}", plan)
    assert (failure.step, failure.line) == ("Install Debian packages", 3)


def test_what_nobody_knows_is_quoted(plan: Plan) -> None:
    failure = explain_failure("one\nsomething odd failed: 42\n\x1b[31mdone\x1b[0m\n", plan)
    assert failure.message == "The build failed: something odd failed: 42."
    assert explain_failure("", plan).message == "The build failed: it said nothing."


@pytest.mark.parametrize(
    ("name", "meant"),
    [("sklearn", "scikit-learn"), ("astopy", "astropy"), ("cv2", "opencv-python-headless"), ("zzzz", "")],
)
def test_near_names_are_proposed(name: str, meant: str) -> None:
    assert near_names(name)[:1] == ([meant] if meant else [])

"""What becomes of each kind of package, and that two kinds in one are refused."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from small_packages import META, notebook, package

from datalab_package import Answers, PackageProblem, check_dockerfile, make_plan, write_context
from datalab_package.dockerfile_writing import quoted, shell_line

ENVIRONMENT = """
name: lab
channels: [conda-forge]
dependencies:
  - python=3.11
  - _libgcc_mutex=0.1
  - conda-forge::numpy=1.26
  - scipy==1.11.4=py311h
  - pytables>=3.8,<4
  - cfitsio
  - r-ggplot2
  - pip:
      - sunpy[all]>=5
"""


def test_a_bare_notebook_is_a_jupyter_datalab(tmp_path: Path) -> None:
    folder = package(tmp_path, {"a.ipynb": notebook("import healpy")})
    plan = make_plan(folder)
    assert (plan.kind, plan.base, plan.requirements, plan.command) == ("jupyter", "jl_base", (), ())
    assert (plan.activity_probe, plan.interface["path"]) == ("jupyter", "/datalabs/{id}/lab")
    assert [one.package for one in plan.proposals] == ["healpy"]
    accepted = make_plan(folder, answers=Answers(accepted=("healpy>=1.16",)))
    assert (accepted.requirements, accepted.proposals) == (("healpy>=1.16",), ())


def test_all_files_that_name_packages_are_read_with_their_lines(tmp_path: Path) -> None:
    files = {
        "a.ipynb": notebook("1"),
        "environment.yml": ENVIRONMENT,
        "requirements.txt": "# ours\nastropy \\\n  >= 6  # recent\n-r more/extra.txt\n--pre\n--trusted-host x\n",
        "more/extra.txt": "-c limits.txt\nregions\n",
        "more/limits.txt": "numpy<3\n",
        "pyproject.toml": '[project]\nname = "x"\nversion = "1"\ndependencies = [\n  "reproject",\n]\n',
        "packages.txt": "topcat=4.8-8 # tables\n\nlibgsl-dev",
        "overrides.txt": "x==1\n",
    }
    plan = make_plan(package(tmp_path, files))
    origins = {origin.text: (origin.file, origin.line) for origin in (*plan.origins, *plan.debian_origins)}
    assert origins == {
        "numpy==1.26.*": ("environment.yml", 7),
        "scipy==1.11.4": ("environment.yml", 8),
        "tables>=3.8,<4": ("environment.yml", 9),
        "libcfitsio-dev": ("environment.yml", 10),
        "r-cran-ggplot2": ("environment.yml", 11),
        "sunpy[all]>=5": ("environment.yml", 13),
        "astropy   >= 6": ("requirements.txt", 2),
        "regions": ("more/extra.txt", 2),
        "reproject": ("pyproject.toml", 5),
        "topcat=4.8-8": ("packages.txt", 1),
        "libgsl-dev": ("packages.txt", 3),
    }
    assert (plan.constraints, plan.overrides, plan.prerelease) == (("numpy<3",), True, True)
    assert [warning.split(":")[0] for warning in plan.warnings] == ["environment.yml", "requirements.txt, line 6"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"requirements.txt": "numpy\nastropy >> 3\n"}, ("requirements.txt", "line 2", "astropy >> 3")),
        ({"requirements.txt": "-r ../x.txt\n"}, ("requirements.txt", "line 1", "../x.txt")),
        ({"requirements.txt": "./../x.whl\n"}, ("line 1", "outside")),
        ({"requirements.txt": "-r requirements.txt\n"}, ("too deeply",)),
        ({"environment.yml": "dependencies:\n  - numpy\n  - heasoft\n"}, ("environment.yml", "line 3", "heasoft")),
        ({"environment.yml": "dependencies:\n  - cudatoolkit=11\n"}, ("line 2", "cudatoolkit")),
        ({"environment.yml": "dependencies:\n  - numpy\n  - npm: [x]\n"}, ("line 3", "pip")),
        ({"environment.yml": "dependencies:\n  - a\n b\n"}, ("environment.yml", "line", "YAML")),
        ({"pyproject.toml": "[project\n"}, ("pyproject.toml", "TOML")),
        ({"pyproject.toml": '[tool.poetry.dependencies]\nx = {git = "y"}\n'}, ("line 2", "Poetry")),
        ({"packages.txt": "curl\nTopCat\n"}, ("packages.txt", "line 2", "TopCat")),
        ({"packages.txt": "curl;reboot\n"}, ("packages.txt", "line 1")),
        ({"packages.txt": "--force-yes\n"}, ("packages.txt", "line 1")),
        ({"README.md": "x"}, ("nothing", "started")),
        ({"datalab-meta.yml": META, "spacelab.yml": "kind: web\n"}, ("command",)),
        ({"datalab-meta.yml": META, "spacelab.yml": "kind: desktop\n"}, ("No program",)),
        ({"spacelab.yml": "kind: desktop\n", "packages.txt": "topcat saods9"}, ("several", "topcat", "ds9")),
        (
            {"a.py": "import streamlit\n", "b.py": "import dash\napp = dash.Dash()\n"},
            ("several", "a.py (Streamlit)", "b.py (Dash)"),
        ),
        ({"Dockerfile": "FROM datalabs/x_base\n", "spacelab.yml": "kind: jupyter\n"}, ("two kinds", "x_base")),
        ({"Dockerfile": "FROM datalabs/jl_base\n", "spacelab.yml": "kind: desktop\n"}, ("two kinds", "jl_base")),
        ({"Dockerfile": "FROM datalabs/jl_base\nRUN --privileged x\n"}, ("Dockerfile, line 2",)),
        ({"Dockerfile": "FROM alpine\n"}, ("Dockerfile, line 1", "alpine")),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, files: dict[str, str], words: tuple[str, ...]) -> None:
    with pytest.raises(PackageProblem) as refused:
        make_plan(package(tmp_path, files))
    for word in words:
        assert word in refused.value.message


def test_poetry_s_versions_are_written_as_installers_read_them(tmp_path: Path) -> None:
    text = '[tool.poetry.dependencies]\npython = "^3.12"\na = "^1.2.3"\nb = "~1.2"\nc = "*"\n'
    text += 'd = {version = "^0.3", extras = ["x"]}\n'
    plan = make_plan(package(tmp_path, {"pyproject.toml": text}))
    assert plan.requirements == ("a>=1.2.3,<2", "b>=1.2,<1.3", "c", "d[x]>=0.3,<0.4")
    assert "asks for Python >=3.12" in plan.warnings[0]


WEB = {
    "Streamlit": ("import streamlit as st\n", "streamlit run", "/_stcore/health"),
    "Panel": ("import panel as pn\npn.Row().servable()\n", "panel serve", "/"),
    "Bokeh": ("from bokeh.io import curdoc\ncurdoc().add_root(1)\n", "bokeh serve", "/"),
    "Dash": ("from dash import Dash\napp = Dash(__name__)\n", "app:app.server", "/"),
    "marimo": ("import marimo\napp = marimo.App()\n", "marimo run", "/health"),
    "Gradio": ("import gradio as gr\ndemo = gr.Blocks()\ndemo.launch()\n", "GRADIO_SERVER_PORT=$IF_main_port", "/"),
    "Solara": ("import solara\n", "solara run", "/"),
    "Shiny": ("from shiny import App\n", "shiny run", "/"),
    "Flask": ("import flask\nserver = flask.Flask('x')\n", "app:server", "/"),
    "FastAPI": ("from fastapi import FastAPI\napi = FastAPI()\n", "app:api", "/"),
}


@pytest.mark.parametrize("framework", WEB)
def test_web_applications_are_recognised_and_started_behind_the_proxy(tmp_path: Path, framework: str) -> None:
    script, part, health = WEB[framework]
    plan = make_plan(package(tmp_path, {"app.py": f"import numpy\n{script}"}))
    assert (plan.kind, plan.base) == ("web", "web_base")
    line = shlex.join(plan.command)
    assert part in line.replace("'", "")
    assert "IF_main_port" in line
    assert "127.0.0.1" in line
    assert plan.interface == {"port": 10000, "path": "/", "health_path": health}
    assert framework in plan.found[0]
    assert framework.lower() in {text.partition("[")[0] for text in plan.requirements}
    assert ("websockets" in plan.requirements) is (framework == "FastAPI")
    assert "numpy" in [one.package for one in plan.proposals]
    assert f"ENV DATALAB_COMMAND={quoted(shell_line(plan.command))}" in plan.dockerfile


def test_voila_shows_a_notebook_and_a_command_of_the_author_wins(tmp_path: Path) -> None:
    files = {"a.ipynb": notebook("1"), "requirements.txt": "voila"}
    plan = make_plan(package(tmp_path / "1", files))
    assert plan.command[:4] == ("$SPACELAB_ENVIRONMENT/bin/python", "-m", "voila", "$SPACELAB_PACKAGE/a.ipynb")
    assert plan.requirements == ("voila", "ipykernel")
    plan = make_plan(package(tmp_path / "2", {**files, "spacelab.yml": "command: [serve, $IF_main_port]\n"}))
    assert (plan.kind, plan.command) == ("web", ("serve", "$IF_main_port"))
    plan = make_plan(tmp_path / "1", answers=Answers(kind="jupyter"))
    assert (plan.kind, plan.command) == ("jupyter", ())


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({"a.ipynb": notebook("x.servable()"), "requirements.txt": "panel"}, ("panel", "nbconvert")),
        ({"app.py": WEB["Solara"][0]}, ("solara[assets]",)),
        ({"app.py": WEB["Solara"][0], "requirements.txt": "solara==1.50"}, ("solara==1.50",)),
        (
            {"app.py": f"{WEB['FastAPI'][0]}def take(file: UploadFile): ...\n"},
            ("fastapi", "uvicorn", "websockets", "python-multipart"),
        ),
    ],
)
def test_what_a_framework_needs_and_does_not_bring_is_installed_too(
    tmp_path: Path, files: dict[str, str], wanted: tuple[str, ...]
) -> None:
    assert make_plan(package(tmp_path, files)).requirements == wanted


def test_a_command_that_names_a_file_as_if_it_started_beside_it_is_warned_of(tmp_path: Path) -> None:
    lost = package(tmp_path / "lost", {"spacelab.yml": "command: [python, app.py, --quiet]\n", "app.py": "print(1)"})
    assert "`$SPACELAB_PACKAGE/app.py`" in make_plan(lost).warnings[0]
    found = {"spacelab.yml": "command: [python, $SPACELAB_PACKAGE/app.py]\n", "app.py": "print(1)"}
    assert make_plan(package(tmp_path / "found", found)).warnings == ()


def test_a_desktop_program_of_debian_is_enough(tmp_path: Path) -> None:
    plan = make_plan(package(tmp_path, {"packages.txt": "topcat=4.8-8\n", "requirements.txt": "astropy\n"}))
    assert (plan.kind, plan.base, plan.command) == ("desktop", "x_base", ("topcat",))
    assert "apt-get install -y --no-install-recommends topcat=4.8-8" in plan.dockerfile
    assert "pip install --no-cache-dir -r" in plan.dockerfile


def test_static_pages_are_served(tmp_path: Path) -> None:
    plan = make_plan(package(tmp_path, {"index.html": "<p>"}))
    assert (plan.kind, plan.command) == ("web", ())


def test_an_older_jupyterlab_is_left_to_the_base(tmp_path: Path) -> None:
    plan = make_plan(package(tmp_path, {"a.ipynb": notebook("1"), "requirements.txt": "jupyterlab==2.2.9\nsunpy\n"}))
    assert plan.requirements == ("sunpy",)
    assert "requirements.txt, line 1: jupyterlab==2.2.9" in plan.warnings[0]


def test_steps_tell_their_lines_and_the_changing_files_come_last(tmp_path: Path) -> None:
    files = {
        "a.ipynb": notebook("1"),
        "requirements.txt": "sunpy\n",
        "packages.txt": "curl\n",
        "datalab-meta.yml": META,
    }
    folder = package(tmp_path / "p", files)
    plan = make_plan(folder)
    lines = plan.dockerfile.splitlines()
    titles = [step.title for step in plan.steps]
    assert titles[:3] == ["Start from jl_base", "Install Debian packages", "Install Python packages"]
    assert titles[-1] == "Add the package's files"
    assert [lines[step.lines[0] - 1].split()[0] for step in plan.steps] == ["ARG", "RUN", "COPY", "LABEL", "COPY"]
    assert lines[plan.steps[-1].lines[1] - 1] == lines[-1] == "COPY tree/ /"
    assert 'org.opencontainers.image.version="1.10"' in plan.dockerfile
    assert check_dockerfile(plan.dockerfile) == []
    (folder / "a.ipynb").write_text(notebook("2"))
    assert make_plan(folder).dockerfile == plan.dockerfile


def test_the_context_holds_the_whole_package_and_its_notebooks_twice(tmp_path: Path) -> None:
    files = {"a.ipynb": notebook("1"), "data/b.csv": "1", "requirements.txt": "-c c.txt\nsunpy\n", "c.txt": "numpy<3\n"}
    folder = package(tmp_path / "p", {**files, "start.sh": "#!/bin/sh\n"})
    write_context(folder, make_plan(folder), tmp_path / "context")
    made = tmp_path / "context"
    assert (made / "requirements.txt").read_text() == "sunpy\n"
    assert (made / "constraints.txt").read_text() == "numpy<3\n"
    assert (made / "tree" / "opt" / "datalab" / "data" / "b.csv").read_text() == "1"
    assert (made / "tree" / "opt" / "datalab" / "start.sh").stat().st_mode & 0o111 == 0o111
    assert str((made / "tree" / "media" / "notebooks").readlink()) == "/opt/datalab"
    assert {path.lstat().st_mtime for path in made.rglob("*")} == {946684800}


def test_files_of_the_package_that_are_installed_come_before_the_installer(tmp_path: Path) -> None:
    files = {
        "a.ipynb": notebook("1"),
        "requirements.txt": "./wheels/x-1-py3-none-any.whl\n",
        "wheels/x-1-py3-none-any.whl": "",
    }
    folder = package(tmp_path / "p", files)
    plan = make_plan(folder)
    assert plan.dockerfile.index("COPY tree/ /") < plan.dockerfile.index("uv pip install")
    write_context(folder, plan, tmp_path / "context")
    assert (tmp_path / "context" / "tree" / "opt" / "datalab" / ".requirements" / "requirements.txt").is_file()


def test_a_python_project_is_installed_itself(tmp_path: Path) -> None:
    text = '[build-system]\nrequires = ["hatchling"]\n[project]\nname = "x"\nversion = "1"\n'
    plan = make_plan(package(tmp_path, {"pyproject.toml": text, "x/__init__.py": "", "a.ipynb": notebook("import x")}))
    assert plan.project
    assert plan.dockerfile.rstrip().endswith("/opt/datalab")
    assert plan.proposals == ()


@pytest.mark.parametrize(
    "command",
    [
        ("python", "$SPACELAB_PACKAGE/a b.py", "--port", "$IF_main_port"),
        ("sh", "-c", 'echo "a" \\ $5 `date` ${IF_main_port}x'),
        ("env", "A='b'", "x"),
    ],
)
def test_a_command_reaches_the_program_word_by_word(command: tuple[str, ...]) -> None:
    script = f'printf "%s\\n" {shell_line(command)}'
    variables = {"SPACELAB_PACKAGE": "/p", "IF_main_port": "1234", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, text=True, check=True)
    wanted = [word.replace("$SPACELAB_PACKAGE", "/p").replace("$IF_main_port", "1234") for word in command]
    assert done.stdout.splitlines() == [word.replace("${IF_main_port}", "1234") for word in wanted]


def test_several_lines_in_a_command_are_refused(tmp_path: Path) -> None:
    text = yaml.safe_dump({"kind": "web", "command": ["sh", "-c", "a\nb"]})
    with pytest.raises(PackageProblem, match="several lines"):
        make_plan(package(tmp_path, {"spacelab.yml": text}))

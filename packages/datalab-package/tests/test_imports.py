"""What notebooks and scripts import and nothing installs is proposed, with the place that wants it."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_packages import notebook, package

from datalab_package import PackageProblem, make_plan, missing_imports, suggest_metadata


def test_each_package_is_proposed_once_with_file_cell_and_line(tmp_path: Path) -> None:
    first = notebook(
        "# Stars\n\nSome *nice* stars.",
        "%matplotlib inline\nimport os, numpy as np\nfrom astropy.io import fits\n\nimport healpy",
        "!pip install reproject\nfrom sklearn.cluster import KMeans\nx = !ls\nhelp?",
    )
    folder = package(tmp_path, {"a.ipynb": first, "b/c.py": "import PIL.Image\nimport healpy\nfrom . import d\n"})
    found = missing_imports(folder)
    assert [(one.package, one.file, one.cell, one.line) for one in found] == [
        ("healpy", "a.ipynb", 2, 5),
        ("scikit-learn", "a.ipynb", 3, 2),
        ("reproject", "a.ipynb", 3, 1),
    ]
    assert found[0].reason == "a.ipynb, cell 2, line 5 imports healpy."
    assert found[2].reason == "a.ipynb, cell 3, line 1 installs it."
    assert {one.package for one in missing_imports(folder, provided=())} >= {"numpy", "astropy", "pillow"}


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("import yaml, cv2", {"opencv-python-headless"}),
        ("from google.protobuf import message\nfrom mpl_toolkits.mplot3d import Axes3D", {"protobuf"}),
        ("from google import protobuf", {"protobuf"}),
        ("try:\n    import cupy\nexcept ImportError:\n    import numpy as cupy", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import torch", set()),
        ("def late():\n    import tqdm", {"tqdm"}),
        ("%%bash\nimport nothing", set()),
        ("%%time\nimport tqdm", {"tqdm"}),
        ("\n%%capture out\nimport tqdm", {"tqdm"}),
        ("if True:\n    !ls\n    import tqdm", {"tqdm"}),
        ("print 'old'\nimport tqdm", {"tqdm"}),
        ("%pip install 'lightkurve>=2' -q  # for later", {"lightkurve>=2"}),
        ("%pip install astropy==5.0", set()),
        ("import helper\nfrom tools.deep import x", set()),
        ("import __future__, sys\nfrom os import path", set()),
        ("import jupyterlab, IPython, ipywidgets", set()),
    ],
)
def test_code_as_people_write_it(tmp_path: Path, code: str, packages: set[str]) -> None:
    folder = package(tmp_path, {"a.ipynb": notebook(code), "helper.py": "", "tools/deep.py": ""})
    assert {one.package for one in missing_imports(folder)} == packages


def test_a_module_that_no_index_has_is_a_warning(tmp_path: Path) -> None:
    plan = make_plan(package(tmp_path, {"a.ipynb": notebook("import pysas")}))
    assert plan.proposals == ()
    assert plan.warnings == ("a.ipynb, cell 1, line 1 imports pysas, which only XMM-Newton's SAS brings.",)


def test_another_language_is_left_alone(tmp_path: Path) -> None:
    assert missing_imports(package(tmp_path, {"a.ipynb": notebook("library(ggplot2)\nimport x", language="R")})) == []


def test_notebooks_of_the_older_format_are_read(tmp_path: Path) -> None:
    old = '{"worksheets": [{"cells": [{"cell_type": "code", "input": ["import healpy"]}]}], "nbformat": 3}'
    assert [one.package for one in missing_imports(package(tmp_path, {"a.ipynb": old}))] == ["healpy"]


@pytest.mark.parametrize("text", ["", "{", '{"cells": 1}', "[]", "[" * 100_000])
def test_what_is_no_notebook_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(PackageProblem, match=r"b/a\.ipynb.* not a notebook"):
        missing_imports(package(tmp_path, {"b/a.ipynb": text}))


def test_metadata_is_suggested_from_the_first_notebook(tmp_path: Path) -> None:
    text = "# Distance of the **Hyades**\n\nFrom [Hipparcos](https://example.org),\nby parallax.\n\nMore."
    folder = package(tmp_path, {"hyades.ipynb": notebook("import os", text)})
    assert suggest_metadata(folder) == {
        "title": "Distance of the Hyades",
        "alternateName": "hyades",
        "abstract": "From Hipparcos, by parallax.",
        "version": "0.1.0",
    }
    bare = package(tmp_path / "bare", {"My_plots.ipynb": notebook("1")})
    assert suggest_metadata(bare)["title"] == "My plots"
    assert suggest_metadata(bare, "My repository")["alternateName"] == "my-repository"

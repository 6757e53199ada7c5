"""Reading packages: every form of the metadata, and a clear word on what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from datalab_package import PackageProblem, read_manifest

META = "title: A title\nalternateName: Jupyter_Lab\nabstract: What it does\nversion: 1.10\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


def package(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / name.replace("__", ".").replace("_", "-")).write_text(text)
    return folder


def test_dotted_and_nested_keys_mean_the_same(tmp_path: Path) -> None:
    for index, form in enumerate(("creator.name: Ada\ncontactPoint.email: a@b.eu\n", "creator:\n  name: Ada\n")):
        folder = tmp_path / str(index)
        folder.mkdir()
        assert read_manifest(package(folder, datalab_meta__yml=META + form)).author == "Ada"


@pytest.mark.parametrize("form", ["keywords: galaxies, H II regions,galaxies", "keywords: [galaxies, H II regions]"])
def test_keywords_may_be_a_list_or_words_with_commas(tmp_path: Path, form: str) -> None:
    assert read_manifest(package(tmp_path, datalab_meta__yml=META + form)).tags == ["galaxies", "H II regions"]


def test_the_older_file_name_is_read_and_a_version_stays_as_written(tmp_path: Path) -> None:
    manifest = read_manifest(package(tmp_path, lab_meta__yml=META, requirements__txt="astropy"))
    assert (manifest.version, manifest.slug, manifest.has_requirements) == ("1.10", "jupyter-lab", True)


def test_the_set_up_is_read(tmp_path: Path) -> None:
    setup = (
        'kind: web\ncommand: [python, app.py]\ninterface: {port: 9000, path: "/", health_path: /up}\n'
        "default_volumes: [gaia]\nvariables: {MODE: fast, N: 3}\n"
    )
    manifest = read_manifest(package(tmp_path, datalab_meta__yml=META, spacelab__yml=setup, logo__svg=SVG))
    assert manifest.command == ["python", "app.py"]
    assert manifest.interface == {"port": 9000, "path": "/", "health_path": "/up"}
    assert (manifest.default_volumes, manifest.variables) == (["gaia"], {"MODE": "fast", "N": "3"})
    assert manifest.icon == SVG


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ("datalab-meta.yml",)),
        ({"datalab_meta__yml": "title: x\n"}, ("datalab-meta.yml", "alternateName")),
        ({"datalab_meta__yml": "title: [x]\n"}, ("datalab-meta.yml", "title", "text")),
        ({"datalab_meta__yml": "title: 'x\n"}, ("datalab-meta.yml", "line", "YAML")),
        ({"datalab_meta__yml": "- x\n"}, ("datalab-meta.yml", "keys")),
        ({"datalab_meta__yml": META.replace("A title", "x" * 300)}, ("title", "300")),
        ({"datalab_meta__yml": META.replace("Jupyter_Lab", "银河")}, ("alternateName", "银河")),
        ({"spacelab__yml": "kid: web\n"}, ("spacelab.yml", "kid")),
        ({"spacelab__yml": "kind: game\n"}, ("spacelab.yml", "kind", "game")),
        ({"spacelab__yml": "command: python app.py\n"}, ("spacelab.yml", "command")),
        ({"spacelab__yml": "interface: {port: 80}\n"}, ("spacelab.yml", "interface.port")),
        ({"spacelab__yml": "interface: {path: x}\n"}, ("spacelab.yml", "interface.path")),
        ({"spacelab__yml": "variables: {a-b: x}\n"}, ("spacelab.yml", "variables.a-b")),
        ({"icon__svg": "<html/>"}, ("icon.svg", "SVG")),
        ({"icon__svg": '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>'}, ("icon.svg", "SVG")),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, files: dict[str, str], words: tuple[str, ...]) -> None:
    present = files if "datalab_meta__yml" in files or not files else {"datalab_meta__yml": META, **files}
    with pytest.raises(PackageProblem) as refused:
        read_manifest(package(tmp_path, **present))
    for word in words:
        assert word in refused.value.message

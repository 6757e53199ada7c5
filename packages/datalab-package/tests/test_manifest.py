"""Reading packages: every form of the metadata, and a clear word on what is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from datalab_package import META_KEYS, PackageProblem, missing_terms, read_manifest

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


def test_metadata_of_2022_and_of_2025_are_both_read(tmp_path: Path) -> None:
    of_2022 = META + "distribution.license: MIT\nkeywords:\n  - Solar flares\n  - Corona\ncreator.name: Ada\n"
    of_2025 = META + "contactPoint.email: a@b.eu\ncreator.name: Ada\n"
    seen = []
    for number, text in enumerate((of_2022, of_2025)):
        folder = tmp_path / str(number)
        folder.mkdir()
        seen.append(missing_terms(read_manifest(package(folder, datalab_meta__yml=text))))
    assert seen == [["contactPoint.email"], ["distribution.license"]]


def test_every_term_is_kept_flat_and_a_flag_of_authority_is_not_self_awarded(tmp_path: Path) -> None:
    terms = "".join(f"{term}: a value\n" for term in META_KEYS if f"{term}:" not in META and term != "keywords")
    more = "keywords: [a, b]\nmission: \n  - Gaia\n  - Hipparcos\nmy.own: {deep: x}\nESAOfficial: true\n"
    text = META + terms.replace("mission: a value\n", "") + more
    metadata = read_manifest(package(tmp_path, datalab_meta__yml=text)).metadata
    assert set(META_KEYS) <= metadata.keys()
    assert (metadata["mission"], metadata["my.own.deep"]) == (["Gaia", "Hipparcos"], "x")
    assert "ESAOfficial" not in metadata


def test_several_creators_are_all_named(tmp_path: Path) -> None:
    text = META + "creator:\n  - {name: Ada, logo: a.png}\n  - name: Grace\n"
    assert read_manifest(package(tmp_path, datalab_meta__yml=text)).author == "Ada, Grace"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ((META + "creator.name: José\n").encode("latin-1"), ("line 5", "Latin-1", "é")),
        (META.encode("utf-16"), ("line 1", "UTF-16")),
        ((META + "title: again\n").encode(), ("line 5", "title", "twice")),
        ((META + "a: &a [x]\nb: *a\n").encode(), ("line 6", "aliases")),
        ((META + "a: " + "[" * 50_000).encode(), ("nested",)),
        ((META + "a: \x07\n").encode(), ("YAML",)),
        ((META + "? [a, b]\n: c\n").encode(), ("line 5", "key")),
        (b"#" * 300_000, ("larger",)),
    ],
)
def test_a_file_that_is_no_plain_yaml_in_utf_8_is_refused(tmp_path: Path, content: bytes, words: tuple[str]) -> None:
    (tmp_path / "datalab-meta.yml").write_bytes(content)
    with pytest.raises(PackageProblem) as refused:
        read_manifest(tmp_path)
    for word in words:
        assert word in refused.value.message


def test_a_signature_of_utf_8_and_line_ends_of_windows_are_read(tmp_path: Path) -> None:
    (tmp_path / "datalab-meta.yml").write_bytes(b"\xef\xbb\xbf" + META.replace("\n", "\r\n").encode())
    assert read_manifest(tmp_path).version == "1.10"


THREADS = """
kind: desktop
opens: {formats: [.FITS, "*.vot"], default: [/data/hipparcos/a.fits]}
root: writable
threads:
  - name: smooth
    title: Smooth an image
    command: [smooth, "--sigma={sigma}", "{image}", "{out}", "${HOME}"]
    inputs:
      - {name: image, type: file, formats: fits}
      - {name: sigma, title: Width, type: number, default: 2, minimum: 0.5, maximum: 10}
      - {name: mode, type: choice, choices: [fast, best], default: fast}
    outputs: [{name: out, title: Smoothed, path: out/smooth.fits}]
"""


def test_what_a_datalab_opens_and_its_threads_are_read(tmp_path: Path) -> None:
    manifest = read_manifest(package(tmp_path, datalab_meta__yml=META, spacelab__yml=THREADS))
    assert (manifest.opens.formats, manifest.opens.default) == (("fits", "vot"), ("/data/hipparcos/a.fits",))
    assert (manifest.root, manifest.declared_kind) == ("writable", "desktop")
    (thread,) = manifest.threads
    assert thread.command_for({"image": "a.fits"}) == ["smooth", "--sigma=2", "a.fits", "out/smooth.fits", "${HOME}"]
    assert [one.type for one in thread.inputs] == ["file", "number", "choice"]
    assert (thread.inputs[1].minimum, thread.inputs[1].maximum) == (0.5, 10)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("kind: desktop", "kind: [desktop, web]"), ("kind", "only one")),
        (("kind: desktop", "command: [[a], [b]]"), ("command", "several")),
        (("name: smooth", "name: Smooth it"), ("threads[1].name", "Smooth it")),
        (("{sigma}", "{sigmas}"), ("threads[1].command", "sigmas")),
        (("default: 2,", "default: 20,"), ("threads[1].inputs[2].default", "outside")),
        (("default: 2,", "default: two,"), ("default", "two", "number")),
        (("default: fast", "default: slow"), ("slow", "choices")),
        (("type: choice, ", ""), ("choices",)),
        (("path: out/", "path: ../"), ("threads[1].outputs[1].path",)),
        (("name: mode", "name: out"), ("threads[1].inputs", "out")),
        (("root: writable", "root: open"), ("root", "open")),
        (("formats: fits", "format: fits"), ("threads[1].inputs[1].format", "known")),
    ],
)
def test_what_is_wrong_with_the_set_up_is_named(tmp_path: Path, change: tuple[str, str], words: tuple[str]) -> None:
    assert change[0] in THREADS
    with pytest.raises(PackageProblem) as refused:
        read_manifest(package(tmp_path, datalab_meta__yml=META, spacelab__yml=THREADS.replace(*change)))
    for word in ("spacelab.yml", *words):
        assert word in refused.value.message


WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "Zs"]), max_size=60)


@given(st.dictionaries(st.sampled_from(sorted(META_KEYS.keys() - {"keywords", "version"})), WORDS), st.lists(WORDS))
def test_metadata_comes_back_as_it_was_written(values: dict[str, str], keywords: list[str]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        needed = {"title": "A title", "alternateName": "a-lab", "abstract": "What it does", "version": "1.10"}
        (folder / "datalab-meta.yml").write_text(yaml.safe_dump({**values, **needed, "keywords": keywords}))
        manifest = read_manifest(folder)
    kept = {key: value.strip() for key, value in {**values, **needed}.items() if value.strip()}
    assert {key: value for key, value in manifest.metadata.items() if key != "keywords"} == kept
    assert manifest.tags == list(dict.fromkeys(word.strip() for word in keywords if word.strip()))

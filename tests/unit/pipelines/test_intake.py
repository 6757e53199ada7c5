"""What is taken in from outside: texts byte for byte; data are left out and told, or refused where they are needed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from spacelab.kit.refusals import Invalid, TooLarge
from spacelab.pipelines import archives, intake
from spacelab.pipelines.rules import Bundle, reached
from support.packages import files_of, zip_of
from support.pipelines import FILES, TOOL, WORKFLOW

PICTURE = b"\x89PNG\r\n\x1a\n\x00\xff"
ABOUT = archives.About("greet", "1.0", {"title": "Greet"}, "", None)
STAR = "  star: {type: File, default: {class: File, location: star.fits}}\n"
NEEDING = TOOL.replace("  message: {type", f"{STAR}  message: {{type")


def unpacked(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def crate_of(texts: dict[str, str]) -> dict[str, bytes]:
    return unpacked(archives.crate(Bundle(texts, "main.cwl"), ABOUT))


def test_a_crate_with_data_comes_back_byte_for_byte_and_names_what_is_left_out() -> None:
    texts = {**FILES, "notes/läs mig.txt": "\ufeffCRLF\r\n\ttab  \n", "main.cwl": WORKFLOW.replace("\n", "\r\n")}
    crate = {**crate_of(texts), "graph.png": PICTURE, "test/star.fits": PICTURE, "test/large.csv": b"1,2\n" * 400_000}
    taken = intake.take_in(files_of({"crate.zip": zip_of(crate)}))
    assert {path: text for path, text in taken.files.items() if path in texts} == texts
    assert taken.left == ("graph.png", "test/large.csv", "test/star.fits")
    assert taken.told.endswith("no document needs them: graph.png, test/large.csv, test/star.fits.")
    assert intake.main_in(taken.files) == "main.cwl"
    again = crate_of({path: text for path, text in taken.files.items() if path != archives.CRATE_FILE})
    assert {path: again[path] for path in texts} == {path: text.encode() for path, text in texts.items()}


@pytest.mark.parametrize("place", ["say.cwl", "main.cwl"])
def test_data_that_a_document_needs_are_refused_by_their_name(place: str) -> None:
    brought: dict[str, str | bytes] = {
        **FILES,
        "star.fits": PICTURE,
        place: NEEDING if place == "say.cwl" else "location: star.fits\n" + WORKFLOW,
    }
    with pytest.raises(Invalid, match=r"star\.fits is data, and a document needs it") as refused:
        intake.take_in(files_of({"crate.zip": zip_of(brought)}))
    assert "inputs" in refused.value.advice


def test_a_folder_that_a_document_needs_may_hold_no_data() -> None:
    needing = WORKFLOW + "hints: {x: {location: data}}\n"
    with pytest.raises(Invalid, match=r"data/deep/star\.fits is data"):
        intake.take_in(files_of({"a.zip": zip_of({**FILES, "main.cwl": needing, "data/deep/star.fits": PICTURE})}))


def test_a_document_that_is_no_text_is_refused_at_its_line() -> None:
    with pytest.raises(Invalid, match=r"say\.cwl, line 2 is no text"):
        intake.take_in(files_of({"main.cwl": WORKFLOW, "say.cwl": b"class: x\n\xff"}))


def test_too_many_texts_are_refused() -> None:
    with pytest.raises(TooLarge, match="more than 500 files"):
        intake.take_in(files_of({f"{number}.txt": "x" for number in range(501)}))


def write(folder: Path, contents: dict[str, str | bytes]) -> None:
    for path, content in contents.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())


def test_a_document_of_a_repository_comes_with_what_it_names_and_no_more(tmp_path: Path) -> None:
    inner = WORKFLOW.replace("run: say.cwl", "run: ../../tools/say.cwl")
    tool = TOOL + "# reads scripts/say.py\nhints: {DockerRequirement: {dockerFile: {$include: Dockerfile}}}\n"
    contents: dict[str, str | bytes] = {
        "README.md": "see workflows/hello/main.cwl",
        "workflows/hello/main.cwl": inner,
        "workflows/hello/codemeta.json": "{}",
        "workflows/other/main.cwl": WORKFLOW,
        "tools/say.cwl": tool,
        "tools/scripts/say.py": "print(1)",
        "tools/Dockerfile": "FROM x",
        "tools/star.fits": PICTURE,
    }
    write(tmp_path, contents)
    taken = intake.take_fetched(tmp_path, "workflows/hello/main.cwl")
    assert taken.main == "workflows/hello/main.cwl"
    assert sorted(taken.files) == [
        "tools/Dockerfile",
        "tools/say.cwl",
        "tools/scripts/say.py",
        "workflows/hello/codemeta.json",
        "workflows/hello/main.cwl",
    ]
    alone = intake.take_fetched(tmp_path, "tools/say.cwl")
    assert (alone.main, sorted(alone.files)) == ("say.cwl", ["Dockerfile", "say.cwl", "scripts/say.py"])
    assert sorted(intake.take_fetched(tmp_path, "workflows/other").files) == ["main.cwl"]


def test_paths_of_a_repository_lead_nowhere_else(tmp_path: Path) -> None:
    write(tmp_path / "repository", {"main.cwl": WORKFLOW})
    write(tmp_path / "secret", {"main.cwl": "secret"})
    (tmp_path / "repository" / "way").symlink_to(tmp_path / "secret")
    (tmp_path / "repository" / "file.cwl").symlink_to(tmp_path / "secret" / "main.cwl")
    for path in ("way", "way/main.cwl", "file.cwl", "nothing"):
        with pytest.raises(Invalid, match="The repository has no"):
            intake.take_fetched(tmp_path / "repository", path)
    with pytest.raises(Invalid, match="link"):
        intake.take_fetched(tmp_path / "repository", "main.cwl")


def test_documents_that_name_each_other_are_followed_once() -> None:
    assert reached({"a.cwl": "run: b.cwl", "b.cwl": "run: a.cwl", "c.cwl": ""}, "a.cwl") == {"a.cwl", "b.cwl"}

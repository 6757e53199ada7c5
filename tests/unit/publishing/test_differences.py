"""What differs between two packages: bounded, readable, and never read through a link."""

from __future__ import annotations

import time
from pathlib import Path

from spacelab.publishing.rules import differences
from spacelab.publishing.rules.differences import compare
from support.reviews import make_package


def test_files_are_added_changed_and_removed_in_reading_order(tmp_path: Path) -> None:
    same = {"same.txt": "as it was\n"}
    old = make_package(
        tmp_path / "old", {**same, "gone.py": "x\n", "Dockerfile": "FROM a\nRUN b\n", "app.py": "1\n2\n"}
    )
    new = make_package(
        tmp_path / "new",
        {
            **same,
            "Dockerfile": "FROM a\nRUN c\n",
            "app.py": "1\n2\n3\n",
            "requirements.txt": "numpy\n",
            "new.py": "n\n",
        },
    )
    found = compare(old, new)
    assert [(one.path, one.change, one.part) for one in found.files] == [
        ("Dockerfile", "changed", "Dockerfile"),
        ("requirements.txt", "added", "dependencies"),
        ("app.py", "changed", "files"),
        ("gone.py", "removed", "files"),
        ("new.py", "added", "files"),
    ]
    assert [(line.sign, line.text, line.number) for line in found.files[0].lines][1:] == [
        (" ", "FROM a", 1),
        ("-", "RUN b", None),
        ("+", "RUN c", 2),
    ]
    assert found.files[2].lines[-1].number == 3
    assert found.counts == {"added": 2, "changed": 2, "removed": 1}


def test_without_an_older_version_all_is_added(tmp_path: Path) -> None:
    found = compare(None, make_package(tmp_path / "new", {"a.py": "1\n"}))
    assert [(one.path, one.change) for one in found.files] == [("a.py", "added")]
    assert "not on this machine" in compare(None, tmp_path / "nowhere").trouble
    assert "not on this machine" in compare(None, None).trouble
    assert "all are shown as added" in compare(tmp_path / "nowhere", tmp_path / "new").trouble


def test_binary_and_large_files_are_named_and_not_shown(tmp_path: Path) -> None:
    many = "".join(f"{number}\n" for number in range(differences.MOST_COMPARED + 1))
    some = "".join(f"{number}\n" for number in range(differences.MOST_LINES + 50))
    new = make_package(
        tmp_path / "new",
        {
            "a.bin": b"\0\1",
            "b.txt": "x" * (differences.LARGEST + 1),
            "c.txt": many,
            "d.txt": some,
            "e.txt": "y" * 5000,
            "f.txt": b"\xff\xfe latin",
        },
    )
    notes = {one.path: (one.note, len(one.lines)) for one in compare(None, new).files}
    assert notes["a.bin"] == (differences.BINARY, 0)
    assert notes["b.txt"] == notes["c.txt"] == (differences.TOO_LARGE, 0)
    assert notes["d.txt"] == ("51 more lines are not shown.", differences.MOST_LINES)
    assert notes["f.txt"][0] == ""
    line = compare(None, new).files[4].lines[-1]
    assert len(line.text) == differences.LONGEST_LINE


def test_a_package_of_thousands_of_files_stays_small_and_quick(tmp_path: Path) -> None:
    old = make_package(tmp_path / "old", {f"{n}.txt": "a\nb\n" * 700 for n in range(40)})
    new = make_package(tmp_path / "new", {f"{n}.txt": "b\na\nc\n" * 700 for n in range(2000)})
    began = time.process_time()
    found = compare(old, new)
    assert time.process_time() - began < 20
    assert len(found.files) == differences.MOST_NAMES
    assert found.more == 1500
    assert sum(len(one.lines) for one in found.files) <= differences.MOST_LINES * 10


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("password\n")
    new = make_package(tmp_path / "new", {"a.py": "1\n"})
    (new / "leak.txt").symlink_to(tmp_path / "secret")
    (new / "all").symlink_to(tmp_path)
    assert [one.path for one in compare(None, new).files] == ["a.py"]

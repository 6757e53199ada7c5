"""What comes from outside is taken in whole or refused, and a refusal leaves nothing behind."""

from __future__ import annotations

import io
import os
import shutil
import stat
import struct
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datalab_package import Limits, PackageProblem, copy_folder, package_hash, take_files, unpack_zip

SMALL = Limits(files=5, total_bytes=2000, file_bytes=1000, ratio=5, ratio_from_bytes=1500)


def zipped(*files: tuple[str | zipfile.ZipInfo, bytes | str], method: int = zipfile.ZIP_STORED) -> io.BytesIO:
    """Pack files in this order, under exactly these names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as archive:
        for name, text in files:
            archive.writestr(name, text)
    return content


def special(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = mode << 16
    return info


def listed(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_one_top_folder_and_what_systems_leave_behind_are_dropped(tmp_path: Path) -> None:
    program = special("lab/run.sh", 0o100755)
    content = zipped(
        ("lab/", b""),
        ("lab/a.ipynb", b"{}"),
        (program, b"#!/bin/sh"),
        ("lab/data/b.csv", b"1"),
        ("lab/.git/config", b"x"),
        ("__MACOSX/lab/._a.ipynb", b"x"),
        ("lab/.DS_Store", b"x"),
    )
    taken = unpack_zip(content, tmp_path / "new")
    assert listed(tmp_path / "new") == ["a.ipynb", "data/b.csv", "run.sh"]
    assert (taken.files, taken.total_bytes, taken.notes) == (3, 12, ())
    modes = [stat.S_IMODE((tmp_path / "new" / name).stat().st_mode) for name in ("run.sh", "a.ipynb")]
    assert modes == [0o755, 0o644]


def test_names_in_any_encoding_and_with_backslashes_are_read(tmp_path: Path) -> None:
    content = zipped(("données.txt", b"1"), ("sub\\b.txt", b"2"))
    raw = content.getvalue().replace(b"\x00\x08", b"\x00\x00")  # the mark of UTF-8 names, gone as with older packers
    unpack_zip(io.BytesIO(raw), tmp_path / "new")
    assert listed(tmp_path / "new") == ["données.txt", "sub/b.txt"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (zipped(("a/../../evil", b"x")), ("evil", "..")),
        (zipped(("..\\evil", b"x")), ("evil", "..")),
        (zipped(("/etc/passwd", b"x")), ("/etc/passwd", "absolute")),
        (zipped(("C:\\x", b"x")), ("absolute",)),
        (zipped(("../evil/", b""), ("a", b"x")), ("..",)),
        (zipped((special("link", 0o120777), b"/etc/passwd")), ("link",)),
        (zipped((special("pipe", 0o010644), b"")), ("pipe", "neither")),
        (zipped((special("disk", 0o060644), b"")), ("disk", "neither")),
        (zipped(("a.txt", b"x"), ("A.TXT", b"y")), ("A.TXT", "a.txt", "case")),
        (zipped(("é", b"x"), ("e\u0301", b"y")), ("differs",)),
        (zipped(("a", b"x"), ("a/b", b"y")), ("both a file and a folder",)),
        (zipped(("a\nb", b"x")), ("control",)),
        (zipped(("./.", b"x")), ("no name",)),
        (zipped(("x" * 300, b"x")), ("too long",)),
        (zipped(("a/" * 50 + "x", b"x")), ("too long",)),
        (zipped(*((f"f{number}", b"x") for number in range(6))), ("6 files", "5")),
        (zipped(("a", b"x" * 1001)), ("“a”", "MiB")),
        (zipped(*((f"f{number}", b"x" * 600) for number in range(4))), ("together",)),
        (zipped(*((f"f{n}", b"0" * 900) for n in range(2)), method=zipfile.ZIP_DEFLATED), ("would unpack",)),
        (zipped(), ("no files",)),
        (zipped(("__MACOSX/x", b"x")), ("no files",)),
        (io.BytesIO(b"hello"), ("not a zip",)),
        (io.BytesIO(zipped(("a", b"x" * 500)).getvalue()[:-30]), ("not a zip",)),
    ],
)
def test_a_bad_zip_is_refused_and_leaves_nothing(tmp_path: Path, content: io.BytesIO, words: tuple[str]) -> None:
    with pytest.raises(PackageProblem) as refused:
        unpack_zip(content, tmp_path / "new", SMALL)
    for word in words:
        assert word in refused.value.message
    assert list(tmp_path.iterdir()) == []


def test_an_encrypted_zip_is_refused(tmp_path: Path) -> None:
    raw = bytearray(zipped(("a", b"x")).getvalue())
    for mark, flags in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        raw[raw.index(mark) + flags] |= 1
    with pytest.raises(PackageProblem, match="encrypted"):
        unpack_zip(io.BytesIO(bytes(raw)), tmp_path / "new")


def test_a_name_with_a_zero_byte_is_refused(tmp_path: Path) -> None:
    raw = zipped(("a.txt_sh", b"x")).getvalue().replace(b"a.txt_sh", b"a.txt\x00sh")
    with pytest.raises(PackageProblem, match="control"):
        unpack_zip(io.BytesIO(raw), tmp_path / "new")


def test_a_file_without_a_name_is_refused(tmp_path: Path) -> None:
    raw = zipped(("a", b"")).getvalue()
    local, central = bytearray(raw[:30]), bytearray(raw[31 : 31 + 46])
    local[26] = central[28] = 0  # the lengths of the name
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)
    with pytest.raises(PackageProblem, match=r"absolute|no name"):
        unpack_zip(io.BytesIO(bytes(local + central + end)), tmp_path / "new")


def test_a_file_that_is_larger_than_announced_is_refused(tmp_path: Path) -> None:
    raw = bytearray(zipped(("a", b"0" * 900), method=zipfile.ZIP_DEFLATED).getvalue())
    for mark, size in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        raw[raw.index(mark) + size : raw.index(mark) + size + 4] = struct.pack("<L", 10)
    with pytest.raises(PackageProblem):
        unpack_zip(io.BytesIO(bytes(raw)), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_hundred_thousand_files_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    content = zipped(*((f"f{number}", b"") for number in range(100_000)))
    with pytest.raises(PackageProblem, match="100,000 files"):
        unpack_zip(content, tmp_path / "new")


def test_a_zip_of_the_large_kind_is_read(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive, archive.open("a.txt", "w", force_zip64=True) as member:
        member.write(b"x")
    unpack_zip(content, tmp_path / "new")
    assert listed(tmp_path / "new") == ["a.txt"]


def made(folder: Path) -> Path:
    source = folder / "source"
    (source / "sub").mkdir(parents=True)
    (source / "a.py").write_text("print()")
    (source / "sub" / "b.sh").write_text("true")
    (source / "sub" / "b.sh").chmod(0o755)
    return source


def test_a_git_checkout_comes_without_git_and_its_pointers_are_reported(tmp_path: Path) -> None:
    source = made(tmp_path)
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=source, check=True)
    (source / "big.fits").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345678\n")
    (source / "same.py").symlink_to("a.py")
    taken = copy_folder(source, tmp_path / "new")
    assert listed(tmp_path / "new") == ["a.py", "big.fits", "same.py", "sub/b.sh"]
    assert not (tmp_path / "new" / "same.py").is_symlink()
    assert os.access(tmp_path / "new" / "sub" / "b.sh", os.X_OK)
    assert [note.split()[0] for note in taken.notes] == ["big.fits"]


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (lambda folder: (folder / "x").symlink_to("/etc/passwd"), "link"),
        (lambda folder: (folder / "x").symlink_to("../outside"), "link"),
        (lambda folder: (folder / "x").symlink_to("."), "link"),
        (lambda folder: (folder / "x").symlink_to("nowhere"), "link"),
        (lambda folder: subprocess.run(["mkfifo", folder / "x"], check=True), "neither"),
        (lambda folder: (folder / "x").write_bytes(b"x" * 1001), "MiB"),
        (lambda folder: [(folder / f"x{number}").touch() for number in range(9)], "files"),
        (lambda folder: shutil.copy(folder / "a.py", folder / "A.py"), "case"),
    ],
)
def test_a_bad_folder_is_refused_and_leaves_nothing(tmp_path: Path, spoil: Callable[[Path], object], word: str) -> None:
    (tmp_path / "outside").write_text("secret")
    spoil(made(tmp_path))
    with pytest.raises(PackageProblem, match=word):
        copy_folder(tmp_path / "source", tmp_path / "new", SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside", "source"]


def test_uploaded_files_are_taken_in(tmp_path: Path) -> None:
    take_files([("lab/a.ipynb", io.BytesIO(b"{}")), ("lab/b/c.py", io.BytesIO(b"1"))], tmp_path / "new")
    assert listed(tmp_path / "new") == ["a.ipynb", "b/c.py"]
    with pytest.raises(PackageProblem, match=r"\.\."):
        take_files([("../a.ipynb", io.BytesIO(b"{}"))], tmp_path / "other")


def test_the_hash_follows_content_names_and_modes_and_nothing_else(tmp_path: Path) -> None:
    source = made(tmp_path)
    first = package_hash(source)
    os.utime(source / "a.py", (1, 1))
    (source / "empty").mkdir()
    copy_folder(source, tmp_path / "copy")
    assert package_hash(source) == package_hash(tmp_path / "copy") == first
    seen = {first}
    for change in (
        lambda: (source / "a.py").write_text("print(1)"),
        lambda: (source / "a.py").chmod(0o755),
        lambda: (source / "a.py").rename(source / "c.py"),
        (source / "c.py").unlink,
    ):
        change()
        seen.add(package_hash(source))
    assert len(seen) == 5


NAMES = st.text(st.sampled_from(["a", "B", "/", "\\", ".", "é", "\n", " ", "~", ":"]), min_size=1, max_size=9)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(NAMES, st.binary(max_size=9)), max_size=6))
def test_no_zip_writes_outside_its_folder(files: list[tuple[str, bytes]]) -> None:
    outer = Path(tempfile.mkdtemp())
    try:
        target = outer / "inner" / "new"
        with_names = [(special(name, 0o100644), content) for name, content in files]
        try:
            taken = unpack_zip(zipped(*with_names), target)
        except PackageProblem:
            assert not list(outer.rglob("*")) or listed(outer) == []
            assert not target.exists()
        else:
            assert len(listed(target)) == taken.files
            assert len(listed(outer)) == taken.files
    finally:
        shutil.rmtree(outer)


CONTENT = st.dictionaries(st.text("abc", min_size=1, max_size=3), st.binary(max_size=20), min_size=1, max_size=4)


@settings(max_examples=60, deadline=None)
@given(CONTENT, CONTENT)
def test_equal_hashes_mean_equal_packages(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    hashes = []
    for files in (one, dict(reversed(other.items()))):
        with tempfile.TemporaryDirectory() as name:
            for file, content in files.items():
                (Path(name) / file).write_bytes(content)
            hashes.append(package_hash(Path(name)))
    assert (hashes[0] == hashes[1]) == (one == other)

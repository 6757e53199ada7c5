"""The author's client: where its token comes from, what it sends of a folder, and how it says what went wrong."""

from __future__ import annotations

import io
import stat
import time
import zipfile
from argparse import Namespace
from pathlib import Path
from typing import Any, TextIO

import httpx
import pytest

from spacelab.site.client import access, program, pushing, verbs
from spacelab.site.client.access import Access
from spacelab.site.client.portal import Portal
from spacelab.site.client.terminal import Terminal
from spacelab.site.client.trouble import Refused, Trouble, Unreachable, Wrong

HERE = Access("http://localhost:9", "slt_secret")


def asking(*answers: httpx.Response) -> Portal:
    """Make a client whose platform gives these answers one after the other, and the last one from then on."""
    left = list(answers)
    transport = httpx.MockTransport(lambda _: left.pop(0) if len(left) > 1 else left[0])
    portal = Portal(HERE)
    portal.http = httpx.Client(base_url="http://localhost:9/api/v1", transport=transport)
    return portal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Give a terminal whose texts can be read, where nobody waits."""
    monkeypatch.setattr(time, "sleep", lambda _: None)
    return Terminal(out=io.StringIO(), error=io.StringIO())


def written(stream: TextIO) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def found(state: str, version_state: str = "testing", **more: Any) -> httpx.Response:
    return httpx.Response(
        200, json={"state": state, "version_state": version_state, "reason": "", "evidence": [], **more}
    )


@pytest.mark.parametrize(("state", "status"), [("passed", 0), ("failed", 1), ("given-up", 1), ("dropped", 1)])
def test_a_launch_test_is_waited_for(terminal: Terminal, state: str, status: int) -> None:
    seen = [{"passed": state == "passed", "summary": "It starts."}]
    portal = asking(found(""), found("interface"), found("notebooks"), found(state, evidence=seen))
    assert verbs.test(portal, terminal, Namespace(name="stars/1.0", again=False)) == status
    assert written(terminal.out).startswith(f"Launch test: {state}.")
    assert [line[2:] for line in written(terminal.error).splitlines()] == [
        "not begun yet",
        "interface",
        "notebooks",
    ]


def test_no_launch_test_is_waited_for_that_will_not_come(terminal: Terminal) -> None:
    with pytest.raises(Wrong, match="draft"):
        verbs.test(asking(found("", "draft")), terminal, Namespace(name="stars/1.0", again=False))


def test_a_platform_that_restarts_is_waited_for(terminal: Terminal) -> None:
    portal = asking(found("interface"), httpx.Response(502), httpx.Response(503, text=""), found("passed"))
    assert verbs.test(portal, terminal, Namespace(name="stars/1.0", again=False)) == 0


def test_a_log_is_followed_to_the_end(terminal: Terminal) -> None:
    def build(state: str) -> httpx.Response:
        return httpx.Response(200, json={"state": state})

    def printed(text: str, since: int) -> httpx.Response:
        return httpx.Response(200, text=text, headers={"X-Next-Since": str(since)})

    listed = httpx.Response(200, json=[{"id": "b1", "version": "1.0"}])
    answers = [
        listed,
        *(build("building"), printed("one\n", 4)),
        *(build("building"), printed("", 4)),
        *(build("failed"), printed("two\n", 8)),
        *(build("failed"), printed("", 8)),
    ]
    assert verbs.log(asking(*answers), terminal, Namespace(name="stars/1.0", follow=True)) == 1
    assert written(terminal.out) == "one\ntwo\n"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path)}
    with pytest.raises(Wrong, match="not known"):
        access.find(environment)
    file = access.default_file(environment)
    access.save(Access("https://one.example", "slt_kept"), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert access.find(environment) == Access("https://one.example", "slt_kept")
    assert access.find({**environment, "SPACELAB_TOKEN": "slt_new"}) == Access("https://one.example", "slt_new")
    both = {**environment, "SPACELAB_URL": "https://two.example/", "SPACELAB_TOKEN": "slt_two"}
    assert access.find(both) == Access("https://two.example", "slt_two")


def test_a_kept_token_goes_to_no_other_platform(tmp_path: Path) -> None:
    environment = {"XDG_CONFIG_HOME": str(tmp_path), "SPACELAB_URL": "https://evil.example"}
    access.save(Access("https://one.example", "slt_kept"), access.default_file(environment))
    with pytest.raises(Wrong, match="no token for"):
        access.find(environment)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666])
def test_a_file_that_others_read_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "access.toml"
    access.save(HERE, file)
    file.chmod(mode)
    with pytest.raises(Wrong, match="Others can read") as trouble:
        access.find({}, file)
    assert "chmod 600" in trouble.value.advice
    assert "slt_secret" not in str(trouble.value)


@pytest.mark.parametrize("text", ["", "url = 1", "url = 'https://a.example'", "no toml", "url = 'x'\ntoken = 'y'"])
def test_a_file_that_says_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "access.toml"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(Wrong):
        access.find({}, file)


@pytest.mark.parametrize("url", ["ftp://a.example", "https://u@a.example", "https://", "http://a.example", "x", ""])
def test_addresses_that_get_no_token(url: str) -> None:
    with pytest.raises(Wrong):
        access.checked_url(url)


def test_a_token_is_shown_nowhere() -> None:
    assert "slt_secret" not in repr(HERE)
    options = program.parser()
    assert not any("token" in name for action in options._actions for name in action.option_strings)


def test_a_folder_becomes_a_zip_without_what_tools_leave(tmp_path: Path) -> None:
    folder = tmp_path / "package"
    for name in ("stars.ipynb", "data/a.csv", ".git/config", "__pycache__/x.pyc", ".venv/bin/python"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "same.csv").symlink_to("data/a.csv")
    assert pushing.zip_folder(folder, tmp_path / "package.zip") == 3
    with zipfile.ZipFile(tmp_path / "package.zip") as archive:
        assert sorted(archive.namelist()) == ["data/a.csv", "same.csv", "stars.ipynb"]
        assert archive.read("same.csv") == b"data/a.csv"


def test_nothing_outside_the_folder_is_sent(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("mine")
    folder = tmp_path / "package"
    folder.mkdir()
    with pytest.raises(Wrong, match="holds no files"):
        pushing.zip_folder(folder, tmp_path / "a.zip")
    (folder / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(Wrong, match="leads out"):
        pushing.zip_folder(folder, tmp_path / "b.zip")


def test_answers_and_terms() -> None:
    given = ["short-name=stars", "requirements=numpy", "requirements=astropy"]
    assert pushing.answers_of(given) == {"short_name": "stars", "requirements": ["numpy", "astropy"]}
    assert pushing.answers_of(["requirements="]) == {"requirements": []}
    for wrong in (["version"], ["=1"]):
        with pytest.raises(Wrong):
            pushing.answers_of(wrong)


@pytest.mark.parametrize(
    ("answer", "kind", "words", "status"),
    [
        (httpx.Response(409, json={"detail": "It moved on.", "advice": "Look."}), Refused, "It moved on. Look.", 1),
        (httpx.Response(401, json={"detail": "Unknown token."}), Wrong, "Unknown token.", 2),
        (httpx.Response(502, text="<html>"), Unreachable, "502", 3),
        (httpx.Response(302, headers={"Location": "/sign-in/"}), Unreachable, "302", 3),
        (httpx.Response(200, text="<html>"), Unreachable, "no Spacelab", 3),
        (httpx.Response(404, text="no"), Refused, "404", 1),
    ],
)
def test_what_a_platform_answers(answer: httpx.Response, kind: type[Trouble], words: str, status: int) -> None:
    with pytest.raises(kind, match=words.replace(".", r"\.")) as trouble:
        asking(answer).send("POST", "/author")
    assert trouble.value.status == status


def test_a_text_of_the_platform_steers_no_terminal() -> None:
    out, error = io.StringIO(), io.StringIO()
    terminal = Terminal(out=out, error=error)
    terminal.say("a\x1b[31mb\r")
    terminal.result({}, ["c\x1bd"])
    assert (out.getvalue(), error.getvalue()) == ("cd\n", "a[31mb\n")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"private": True, "everybody": True},
        {"people": ["ada"], "team": ["plasma"]},
        {"people": ["ada"], "everybody": True},
    ],
)
def test_a_version_is_shared_in_one_way(given: dict[str, Any]) -> None:
    options = Namespace(**{"name": "a/1", "private": False, "people": [], "team": [], "everybody": False, **given})
    with pytest.raises(Wrong):
        verbs.share(Portal(HERE), Terminal(), options)


@pytest.mark.parametrize("name", ["..", "a/..", "", "/1"])
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(Wrong):
        verbs.history(Portal(HERE), Terminal(), Namespace(name=name))


@pytest.mark.parametrize("verb", ["archive", "delete"])
def test_what_can_hurt_names_its_version(verb: str) -> None:
    options = program.parser().parse_args([verb, "stars"])
    with pytest.raises(Wrong, match="Say which version"):
        options.work(Portal(HERE), Terminal(), options)

"""Pushing a package: a folder, a file or a repository is sent, planned, built and followed to its end."""

from __future__ import annotations

import tempfile
import time
import zipfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from spacelab.site.client.naming import build_in_words, detail_lines
from spacelab.site.client.portal import Portal, path_of
from spacelab.site.client.terminal import Terminal
from spacelab.site.client.trouble import FAILED, Trouble, Wrong

PAUSE = 0.7
"""Seconds between two looks at a build."""
BEFORE_PLAN = frozenset({"received", "fetching"})
ENDED = frozenset({"built", "failed", "cancelled"})
GIT = ("https://", "http://")


def push(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Send it, plan it, build it; Ctrl-C cancels what was begun."""
    answers = answers_of(options.answer)
    if options.source.startswith(GIT):
        body = {"git_url": options.source, "git_ref": options.ref}
        build = portal.send("POST", "/builds/git", body)
    else:
        if options.ref:
            raise Wrong("--ref goes with a repository's address.")
        build = _upload(portal, terminal, Path(options.source))
    with cancelling(portal, terminal, build["id"]):
        while build["state"] in BEFORE_PLAN:
            time.sleep(PAUSE)
            build = portal.get(path_of("builds", build["id"]))
        if build["state"] != "planned":
            return ended(portal, terminal, build)
        _tell_plan(terminal, build)
        if options.plan:
            portal.send("DELETE", path_of("builds", build["id"]))
            terminal.result(build["plan"], [f"It would become {_what(build)}. Nothing is kept."])
            return 0
        build = portal.send("POST", f"{path_of('builds', build['id'])}/start", answers)
        if options.no_wait:
            terminal.result(build, [f"Build {build['id']} of {build_in_words(build)} is {build['state']}."])
            return 0
        build = follow(portal, terminal, build, with_log=options.log)
    return ended(portal, terminal, build)


def _upload(portal: Portal, terminal: Terminal, source: Path) -> dict[str, Any]:
    if not source.exists():
        raise Wrong(f"There is no {source}.", "Name a folder, a notebook, a zip, or a repository's https address.")
    with tempfile.TemporaryDirectory(prefix="spacelab-") as folder:
        sent, name = source, source.name
        if source.is_dir():
            sent, name = Path(folder) / "package.zip", "package.zip"
            count = zip_folder(source, sent)
            terminal.say(f"{source}: {count} {'file' if count == 1 else 'files'}")
        total = sent.stat().st_size
        build: dict[str, Any] = portal.upload("/builds", "files", sent, name, lambda done: terminal.sent(done, total))
    return build


def zip_folder(source: Path, target: Path) -> int:
    """Write a folder as a zip, without what systems and tools leave behind; return how many files it has.

    A link is followed as long as it leads to something in the folder; `Wrong` is raised for any other.
    """
    from datalab_package.paths import is_junk  # noqa: PLC0415  slow to load, and needed here alone

    root, count = source.resolve(), 0
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
        for file in sorted(source.rglob("*")):
            name = file.relative_to(source)
            if is_junk(PurePosixPath(name.as_posix())) or file.is_dir():
                continue
            real = file.resolve()
            if not real.is_relative_to(root) or not real.is_file():
                raise Wrong(f"{name} leads out of the folder.", "Copy what it leads to, or remove the link.")
            archive.write(real, name.as_posix())
            count += 1
    if not count:
        raise Wrong(f"{source} holds no files.", "`spacelab datalab new DIR` writes a starter.")
    return count


def answers_of(given: list[str]) -> dict[str, Any]:
    """Read `KEY=VALUE` answers to what a package lacks; `requirements` may be there several times."""
    answers: dict[str, Any] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise Wrong(f"“{one[:60]}” is no answer.", "Write KEY=VALUE, such as version=1.1.")
        name = key.strip().replace("-", "_")
        if name == "requirements":
            answers.setdefault(name, []).extend([value] if value else [])
        else:
            answers[name] = value
    return answers


@contextmanager
def cancelling(portal: Portal, terminal: Terminal, build_id: str) -> Iterator[None]:
    """Cancel the build when somebody presses Ctrl-C; a plan that is refused is not left behind either."""
    try:
        yield
    except KeyboardInterrupt:
        terminal.say("Cancelling …")
        portal.send("DELETE", path_of("builds", build_id))
        terminal.say("The build is cancelled.")
        raise
    except Trouble:
        _discard(portal, build_id)
        raise


def _discard(portal: Portal, build_id: str) -> None:
    """Discard a plan; a build that is at work goes on, as when only the line to the platform broke."""
    try:
        if portal.get(path_of("builds", build_id))["state"] == "planned":
            portal.send("DELETE", path_of("builds", build_id))
    except Trouble:
        return


def follow(portal: Portal, terminal: Terminal, build: dict[str, Any], *, with_log: bool) -> dict[str, Any]:
    """Tell each change and step of a build until it has ended; return it then."""
    told: set[str] = set()
    since = 0
    while True:
        for line in _news(build):
            if line not in told:
                told.add(line)
                terminal.say(line)
        if with_log:
            since = print_log(portal, terminal, build["id"], since)
        if build["state"] in ENDED:
            return build
        time.sleep(PAUSE)
        build = portal.get(path_of("builds", build["id"]))


def _news(build: dict[str, Any]) -> Iterator[str]:
    for change in build["changes"]:
        if change["state"] not in {"received", "planned"}:
            yield f"· {change['state']}: {change['reason']}".rstrip(": ")
    for step in build["steps"]:
        if step["state"] in {"done", "failed", "bad"}:
            took = f" ({step['took']:.1f} s)" if step["took"] is not None else ""
            yield f"  {'✓' if step['state'] == 'done' else '✗'} {step['title']}{took}"


def print_log(portal: Portal, terminal: Terminal, build_id: str, since: int) -> int:
    """Print what is new in a build's log; return where to go on."""
    answer = portal.text(f"{path_of('builds', build_id)}/log", since=since)
    for line in answer.text.splitlines():
        terminal.say(f"    {line}")
    return int(answer.headers.get("X-Next-Since", since))


def ended(portal: Portal, terminal: Terminal, build: dict[str, Any]) -> int:
    """Say what came of a build; return the exit status."""
    if build["state"] == "built":
        version = portal.get(path_of("author", build["datalab"], build["version"]))
        terminal.result({"build": build, "version": version}, detail_lines(version))
        return 0
    failure = build["failure"]
    place = ":".join(str(one) for one in (failure["file"], failure["line"]) if one)
    lines = [
        f"{build_in_words(build)}: the build {'was cancelled' if build['state'] == 'cancelled' else 'failed'}.",
        " ".join(one for one in (place, failure["message"] or build["reason"]) if one),
        failure["advice"],
    ]
    terminal.result({"build": build, "version": None}, [line for line in lines if line])
    return FAILED


def _tell_plan(terminal: Terminal, build: dict[str, Any]) -> None:
    plan = build["plan"]
    terminal.say(f"It becomes {_what(build)}.")
    for sentence in (*plan.get("found", ()), *plan.get("warnings", ())):
        terminal.say(f"  · {sentence}")
    for one in plan.get("proposals", ()):
        terminal.say(f"  · {one['reason']}")


def _what(build: dict[str, Any]) -> str:
    kind = build["plan"].get("kind", "")
    return f"{build_in_words(build)} ({kind})" if build["datalab"] else f"a datalab of the kind {kind}"

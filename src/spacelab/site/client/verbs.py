"""What a person does with her versions from a terminal: look, test, move, describe, share, delete."""

from __future__ import annotations

import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from spacelab.site.client import pushing
from spacelab.site.client.naming import address_of, detail_lines, version_line
from spacelab.site.client.portal import Portal, path_of
from spacelab.site.client.terminal import Terminal
from spacelab.site.client.trouble import FAILED, Wrong

AT_REST = frozenset({"passed", "failed", "given-up", "dropped"})
"""States in which a launch test has ended."""
EXACTLY = frozenset({"archive", "reinstate", "delete"})
"""What is done to a version that is named, and never to whichever was made last."""


def status(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """List one's versions, or show one of them."""
    if options.name:
        found = portal.get(address_of(portal, options.name))
        terminal.result(found, detail_lines(found))
        return 0
    listed = list(portal.pages("/author"))
    nothing = ["You have no datalabs yet. `spacelab datalab push DIR` brings one."]
    terminal.result(listed, [version_line(one) for one in listed] or nothing)
    return 0


def history(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Tell what happened to a version, the oldest first."""
    told = portal.get(f"{address_of(portal, options.name)}/history")
    lines = []
    for one in reversed(told):
        after = f" → {one['after']}" if one["after"] else ""
        lines.append(f"{one['at'][:19]}Z  {one['title']}{after}, {one['who']}")
        if one["text"]:
            lines.append(f"                      {one['text']}")
    terminal.result(told, lines)
    return 0


def log(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Print the log of a version's newest build; follow it with `--follow`."""
    address = address_of(portal, options.name)
    _, slug, version = address.rsplit("/", 2)
    found = [one for one in portal.get("/builds", datalab=slug) if path_of(one["version"]) == f"/{version}"]
    if not found:
        raise Wrong("It has no build of yours.", "`spacelab datalab push` makes one.")
    here = path_of("builds", found[0]["id"])
    since = 0
    while True:
        build = portal.get(here)
        answer = portal.text(f"{here}/log", since=since)
        terminal.raw(answer.text)
        since = int(answer.headers.get("X-Next-Since", since))
        if build["state"] in pushing.ENDED and not answer.content:
            return FAILED if build["state"] == "failed" and options.follow else 0
        if not answer.content and not options.follow:
            return 0
        if not answer.content:
            time.sleep(pushing.PAUSE)


def test(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Wait for a version's launch test, or begin another, and say what it found."""
    name = address_of(portal, options.name).removeprefix("/author")
    here = f"/launch-tests{name}"
    found = portal.send("POST", here) if options.again else portal.get(here)
    told = ""
    while found["state"] not in AT_REST:
        news = f"· {found['state'] or 'not begun yet'} {found['reason']}".strip()
        if news != told:
            terminal.say(news)
            told = news
        if not found["state"] and found["version_state"] not in {"building", "built", "testing"}:
            raise Wrong(f"The version is {found['version_state']}, so nothing is tested.", "Build it first.")
        time.sleep(pushing.PAUSE)
        found = portal.get(here)
    lines = [f"Launch test: {found['state']}. {found['reason']}".strip()]
    lines += [f"  {'✓' if one['passed'] else '✗'} {one['summary']}" for one in found["evidence"][:1]]
    terminal.result(found, lines)
    return 0 if found["state"] == "passed" else FAILED


def step(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Make a step of a version's life, as it stands now: one that somebody else moves meanwhile stays as it is."""
    here = address_of(portal, options.name, exactly=options.verb in EXACTLY)
    seen = portal.get(here)
    body = {"step": options.verb, "revision": seen["revision"], "reason": getattr(options, "reason", "")}
    moved = portal.send("POST", f"{here}/steps", body)
    terminal.result(moved, detail_lines(moved))
    return 0


def metadata(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Print a version's metadata, change single terms, or take them from a file."""
    here = f"{address_of(portal, options.name)}/metadata"
    if options.take:
        file = Path(options.take)
        if not file.is_file():
            raise Wrong(f"There is no file {file}.")
        taken = portal.upload(f"{here}/file", "file", file, file.name, lambda _: None)
        lines = [f"not taken: {one['key']}: {one['message']}" for one in taken["not_understood"]]
        terminal.result(taken, ["The metadata are saved.", *lines, *_missing(taken)])
        return 0
    if options.set:
        changed = portal.send("PATCH", here, {"terms": _terms_of(options.set)})
        terminal.result(changed, ["The metadata are saved.", *_missing(changed)])
        return 0
    if terminal.as_json:
        terminal.result(portal.get(here), [])
    else:
        terminal.raw(portal.text(f"{here}{path_of(options.format)}").text)
    return 0


def _missing(said: dict[str, Any]) -> list[str]:
    return [f"still missing: {', '.join(said['missing'])}"] if said["missing"] else []


def _terms_of(given: list[str]) -> dict[str, Any]:
    """Read `TERM=VALUE`; a term that is there several times has several values, one without a value goes."""
    found: dict[str, list[str]] = {}
    for one in given:
        key, equals, value = one.partition("=")
        if not equals or not key.strip():
            raise Wrong(f"“{one[:60]}” sets nothing.", "Write TERM=VALUE, such as citation='Doe et al. 2026'.")
        found.setdefault(key.strip(), []).append(value)
    return {key: values if len(values) > 1 else values[0] for key, values in found.items()}


def share(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Say for whom a version is."""
    if options.people and options.team:
        raise Wrong("A version is for people or for teams.", "Make a team of the people.")
    asked = {
        "private": options.private,
        "people": options.people,
        "teams": options.team,
        "everybody": options.everybody,
    }
    chosen = [name for name, given in asked.items() if given]
    if len(chosen) != 1:
        raise Wrong("Say for whom it is.", "Use one of --private, --person, --team and --everybody.")
    body = {"visibility": chosen[0], "people": options.people, "teams": options.team}
    shared = portal.send("PUT", f"{address_of(portal, options.name)}/visibility", body)
    terminal.result(shared, detail_lines(shared))
    return 0


def delete(portal: Portal, terminal: Terminal, options: Namespace) -> int:
    """Delete a version that was never published."""
    here = address_of(portal, options.name, exactly=True)
    if not options.yes:
        raise Wrong(f"{options.name} would be gone for good.", "Say --yes if you mean it.")
    portal.send("DELETE", here)
    terminal.result({"deleted": options.name}, [f"{options.name} is deleted."])
    return 0

"""`spacelab datalab …`: write, build, test, submit and publish datalabs on a platform, from a terminal."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from spacelab.site.client import access, pushing, verbs
from spacelab.site.client.naming import EXACT, NAMES
from spacelab.site.client.portal import Portal
from spacelab.site.client.terminal import Terminal
from spacelab.site.client.trouble import CANCELLED, FAILED, Trouble, Wrong

Verb = Callable[[Portal, Terminal, argparse.Namespace], int]
FORMATS = ("datalab-meta", "json-ld", "codemeta", "cff")
SCOPES = "read, author and publish"


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line; a token is never on it, where every process of the machine could read it."""
    top = argparse.ArgumentParser(
        prog="spacelab datalab",
        description="Write, build, test, submit and publish datalabs on a platform.",
        epilog=f"Exit status: 0 done, 1 refused or failed, 2 wrong use, 3 no answer, 130 cancelled. {access.ADVICE}",
    )
    top.add_argument("--access", type=Path, metavar="FILE", help="the file that holds address and token")
    below = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    enter = below.add_parser("sign-in", help="keep an address and a token, which is asked for, in a file of yours")
    enter.add_argument("url", metavar="URL", help="the platform's address")
    new = below.add_parser("new", help="begin a package; no platform is needed")
    new.add_argument("more", nargs=argparse.REMAINDER, metavar="DIR", help="as for `spacelab package new`")
    _add_push(below)
    named = _named(below)
    one = named("status", "list your versions, or show one", verbs.status, needed=False)
    one = named("log", "print the log of the newest build of a version", verbs.log, json=False)
    one.add_argument("--follow", action="store_true", help="until the build has ended")
    one = named("test", "wait for a version's launch test", verbs.test)
    one.add_argument("--again", action="store_true", help="begin another one")
    named("history", "tell what happened to a version", verbs.history)
    named("submit", "submit a version for review", verbs.step)
    named("withdraw", "take a version back from the moderators", verbs.step)
    named("publish", "publish an approved version", verbs.step)
    for name, words in (("archive", "put a version aside"), ("reinstate", "bring one back from the archive")):
        one = named(name, words, verbs.step)
        one.add_argument("--reason", default="", help="why, for those who used it")
    one = named("metadata", "print a version's metadata, or change them", verbs.metadata)
    one.add_argument("--format", choices=FORMATS, default=FORMATS[0], help="how they are printed")
    one.add_argument(
        "--set", action="append", default=[], metavar="TERM=VALUE", help="change a term; without VALUE it goes"
    )
    one.add_argument("--take", metavar="FILE", help="write what a file in one of the formats says")
    _add_share(named("share", "say for whom a version is", verbs.share))
    one = named("delete", "delete a version that was never published", verbs.delete)
    one.add_argument("--yes", action="store_true", help="you mean it")
    return top


def _add_push(below: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    one = below.add_parser("push", help="bring a package and build it; Ctrl-C cancels the build")
    one.set_defaults(work=pushing.push)
    one.add_argument("source", metavar="DIR|FILE|URL", help="a folder, a notebook, a zip, or a repository's address")
    one.add_argument("--ref", default="", help="the repository's branch, tag or commit")
    one.add_argument(
        "--answer", action="append", default=[], metavar="KEY=VALUE", help="what the package lacks, such as version=1.1"
    )
    one.add_argument("--plan", action="store_true", help="say what it would become, and keep nothing")
    one.add_argument("--log", action="store_true", help="print the build's log as well")
    one.add_argument("--no-wait", action="store_true", help="don't wait for the build's end")
    one.add_argument("--json", action="store_true", help="the outcome as JSON")


def _named(
    below: argparse._SubParsersAction[argparse.ArgumentParser],
) -> Callable[..., argparse.ArgumentParser]:
    def add(name: str, words: str, work: Verb, *, needed: bool = True, json: bool = True) -> argparse.ArgumentParser:
        one = below.add_parser(name, help=words)
        one.set_defaults(work=work)
        exactly = name in verbs.EXACTLY
        told = "" if exactly else "without a version, the one made last"
        one.add_argument("name", metavar=EXACT if exactly else NAMES, nargs=None if needed else "?", help=told)
        if json:
            one.add_argument("--json", action="store_true", help="the outcome as JSON")
        return one

    return add


def _add_share(one: argparse.ArgumentParser) -> None:
    one.add_argument("--private", action="store_true", help="for yourself")
    one.add_argument("--person", dest="people", action="append", default=[], metavar="USERNAME", help="for her as well")
    one.add_argument("--team", action="append", default=[], metavar="SHORT-NAME", help="for a team of yours")
    one.add_argument("--everybody", action="store_true", help="for all, once it is published")


def sign_in(options: argparse.Namespace, terminal: Terminal) -> int:
    """Ask for a token, try it, and keep it."""
    url = access.checked_url(options.url)
    ask = f"A token of {url}/account/tokens/ with the scopes {SCOPES}: "
    try:
        token = (getpass.getpass(ask) if sys.stdin.isatty() else sys.stdin.readline()).strip()
    except EOFError:
        token = ""
    if not token.isascii() or not token.isprintable() or not token or '"' in token or "\\" in token:
        raise Wrong("That is no token.", "It begins with slt_.")
    found = access.Access(url, token)
    with Portal(found) as portal:
        me = portal.get("/me")
    file = options.access or access.default_file(os.environ)
    access.save(found, file)
    terminal.say(f"You are {me['username']} on {url}. That is kept in {file}, which only you can read.")
    return 0


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says; return the exit status."""
    if list(arguments[:1]) == ["new"]:
        from datalab_package import cli  # noqa: PLC0415  slow to load, and needed here alone

        return cli.main(["new", *arguments[1:]], "spacelab package")
    options = parser().parse_args(arguments)
    terminal = Terminal(as_json=getattr(options, "json", False))
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell had them ignored, and where CI ends a job
        signal.signal(number, signal.default_int_handler)
    try:
        if options.verb == "sign-in":
            return sign_in(options, terminal)
        with Portal(access.find(os.environ, options.access)) as portal:
            status: int = options.work(portal, terminal, options)
    except Trouble as trouble:
        terminal.say(f"✗ {trouble.message}")
        if trouble.advice:
            terminal.say(f"  {trouble.advice}")
        return trouble.status
    except KeyboardInterrupt:
        terminal.say("Cancelled.")
        return CANCELLED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    return status

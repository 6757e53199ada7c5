"""`spacelab package …`: working on a package on one's own machine, where no platform is needed."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from datalab_package import cli
from spacelab.kit.refusals import Unavailable
from spacelab.site import engine_program
from spacelab.site.configuration import Configuration
from spacelab.workloads.runtimes.shared.engine_addresses import find_address, podman_program

WITHOUT_PLATFORM = ("check", "new")


def default_state() -> Path:
    """Where builds and the areas of trial runs are kept when nobody says otherwise."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "spacelab" / "package"


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:  # noqa: PLR2004  TCP's ports
        message = "a port is a number up to 65535"
        raise argparse.ArgumentTypeError(message)
    return port


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line."""
    top = argparse.ArgumentParser(prog="spacelab package", description=__doc__.partition(": ")[2] if __doc__ else "")
    below = top.add_subparsers(dest="what", required=True, metavar="check|new|build|run")
    for name, words in (("check", "say what it would become, and what is wrong with it"), ("new", "write a starter")):
        below.add_parser(name, help=words)
    for name, words in (("build", "build a package as the platform would"), ("run", "build it, start it, show it")):
        one = below.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        one.add_argument("folder", type=Path, metavar="DIR", help="the package's folder")
        one.add_argument("--accept", action="store_true", help="install what is imported and listed nowhere, too")
        one.add_argument("--state", type=Path, default=default_state(), help="where builds are kept (%(default)s)")
        one.add_argument(
            "--runtime",
            choices=["auto", "container", "process"],
            default=os.environ.get("SPACELAB_RUNTIME") or "auto",
            help="a container engine, or a sandbox without one; auto takes the engine if there is one",
        )
        if name == "run":
            one.add_argument(
                "--volume",
                action="append",
                default=[],
                metavar="PATH:NAME",
                help="a folder of this machine that it finds at /data/NAME; may be given several times",
            )
            one.add_argument("--port", type=_port, default=0, help="the port of 127.0.0.1; 0 takes a free one")
    return top


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit status. Checking and beginning a package need no platform."""
    if arguments[:1] and arguments[0] in WITHOUT_PLATFORM:
        return cli.main(arguments, "spacelab package")
    options = parser().parse_args(arguments)
    options.port = getattr(options, "port", 0)
    os.environ["SPACELAB_STATE"] = str(options.state.expanduser().absolute())
    os.environ["SPACELAB_RUNTIME"] = "process" if options.runtime == "auto" else options.runtime
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")
    if options.runtime == "auto" and _has_engine(Configuration()):
        os.environ["SPACELAB_RUNTIME"] = "container"
    import django  # noqa: PLC0415  it reads the settings, which are right only now

    django.setup()
    from django.conf import settings  # noqa: PLC0415  as above

    from spacelab.site.trial import program  # noqa: PLC0415  it needs Django

    try:
        with engine_program.at_work(settings.SPACELAB):
            return program.main(options)
    except Unavailable as refusal:
        sys.stderr.write(f"{refusal.message} {refusal.advice}\n")
        return 1


def _has_engine(configuration: Configuration) -> bool:
    """Say whether this machine has a container engine, or the program to run one."""
    return bool(find_address(configuration.container_engine, configuration.run_directory) or podman_program())

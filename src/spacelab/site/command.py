"""The `spacelab` command: the platform's own programs first, then the domains' management commands."""

from __future__ import annotations

import errno
import os
import sys
import tomllib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import ValidationError

HELP = """spacelab: an open science platform

  spacelab up              prepare what is missing and start edge, web and controller
  spacelab demo            do the main job without a browser and check the answer
  spacelab doctor          say what this host can do, and what would mend what it can't
  spacelab backup FILE     save all state while the platform runs
  spacelab restore FILE    bring that state back into an empty state directory
  spacelab prepare         what `up` does before it starts anything
  spacelab edge|web|controller   one program alone, as a service manager would start it
  spacelab package new|check DIR   begin a package; say what one would become and what is wrong with it
  spacelab package check|new|build|run DIR   work on a package on this machine, as the platform would build and start it
  spacelab datalab push|status|submit|publish|…   write and publish datalabs on a platform, from a terminal
  spacelab stop-sessions   stop every session, for a maintenance
  spacelab person|password-link|volumes …   people and archives; `spacelab help` lists all
"""

HOST_TROUBLE = frozenset(
    {errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
)
"""Errors of the host's, mostly of its disk, that a sentence explains better than a traceback."""


def complain(error: ValidationError) -> None:
    """Say in plain words which settings are wrong."""
    sys.stderr.write("Spacelab can't start: its settings are wrong.\n")
    for one in error.errors():
        name = ".".join(str(part) for part in one["loc"])
        if one["type"] == "extra_forbidden":
            text = f"there is no setting “{name}”; see docs/reference/settings.md"
        else:
            said = one["msg"].removeprefix("Value error, ")
            text = f"{name}: {said}" if name else said
        sys.stderr.write(f"  · {text}\n")


def light_commands() -> dict[str, Callable[[list[str]], int]]:
    """Name the commands that stay small because they don't load Django: they live as long as the platform."""
    from spacelab.site import edge_program, up, web_program  # noqa: PLC0415  loaded only for these commands

    return {"up": up.main, "edge": edge_program.main, "web": web_program.main}


def settings_are_right() -> bool:
    """Read the settings once, before anything else does; say what is wrong with them."""
    from pydantic import ValidationError  # noqa: PLC0415  slow to load, and a client has no settings

    from spacelab.site.configuration import Configuration  # noqa: PLC0415  as above

    try:
        Configuration()
    except ValidationError as error:
        complain(error)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        sys.stderr.write(f"Spacelab can't start: spacelab.toml in the state directory is not valid TOML: {error}\n")
    else:
        return True
    return False


def main() -> None:
    """Run one command of the platform."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "spacelab.site.settings")
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in {"-h", "--help"}:
        sys.stdout.write(HELP)
        return
    try:
        if arguments[:1] == ["package"] and arguments[1:2] in (["check"], ["new"]):
            from datalab_package import cli  # noqa: PLC0415  it needs no settings at all

            sys.exit(cli.main(arguments[1:], "spacelab package"))
        if arguments[0] == "package":
            from spacelab.site import package_program  # noqa: PLC0415  it chooses settings of its own

            sys.exit(package_program.main(arguments[1:]))
        if arguments[0] == "datalab":
            from spacelab.site.client import program  # noqa: PLC0415  a client needs no settings of a platform

            sys.exit(program.main(arguments[1:]))
        if not settings_are_right():
            sys.exit(2)
        if arguments[0] in {"up", "edge", "web"}:
            sys.exit(light_commands()[arguments[0]](arguments[1:]))
        from django.core.management import execute_from_command_line  # noqa: PLC0415  settings must be named first

        execute_from_command_line([sys.argv[0], arguments[0].replace("-", "_"), *arguments[1:]])
    except OSError as error:
        if error.errno not in HOST_TROUBLE:
            raise
        what = f"{error.filename}: {error.strerror}" if error.filename else f"{error.strerror}"
        sys.stderr.write(f"Spacelab can't go on: {what}\n")
        sys.stderr.write("Mend that, or choose another state directory with SPACELAB_STATE.\n")
        sys.exit(2)

"""`spacelab edge`: becomes Caddy with the platform's one Caddyfile."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from spacelab.site.configuration import Configuration


def argv(configuration: Configuration) -> list[str]:
    """Return the command line that starts the edge."""
    caddy = Path(sys.executable).parent / "caddy"
    caddyfile = Path(__file__).parent.parent / "edge" / "Caddyfile"
    del configuration  # everything that varies is in the variables
    return [str(caddy), "run", "--config", str(caddyfile), "--adapter", "caddyfile"]


def variables(configuration: Configuration) -> dict[str, str]:
    """Return the variables that the Caddyfile reads."""
    from spacelab.edge.rules import caddy_variables  # noqa: PLC0415  keeps `spacelab up` small until it is needed

    return caddy_variables(
        bind=configuration.bind,
        port=configuration.port,
        portal_url=configuration.portal_url,
        apps_domain=configuration.apps_domain,
        run_directory=configuration.run_directory,
        state=configuration.state,
        trusted_proxies=tuple(configuration.trusted_proxies),
    )


def main(arguments: list[str]) -> int:
    """Replace this process by the edge."""
    del arguments
    configuration = Configuration()
    command = argv(configuration)
    os.execve(command[0], command, {**os.environ, **variables(configuration)})  # noqa: S606  our own argv

"""The real edge for tests: Caddy, the web program and small applications on Unix sockets, each a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from spacelab.edge.rules import caddy_variables
from support.ports import free_port
from support.template import fill_database

HERE = Path(__file__).parent
CADDY = Path(sys.executable).parent / "caddy"
CADDYFILE = HERE.parent.parent / "src" / "spacelab" / "edge" / "Caddyfile"
PATIENCE = 60.0


def wait_for_socket(path: Path) -> None:
    """Wait until somebody listens on a Unix socket."""
    deadline = time.monotonic() + PATIENCE
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(transport=transport) as client:
        while True:
            with suppress(httpx.TransportError):
                client.get("http://localhost/", timeout=30)
                return
            if time.monotonic() > deadline:
                raise TimeoutError(path)
            time.sleep(0.05)


@dataclass
class Edge:
    """A running edge; `call` changes the platform's database from a process beside it."""

    state: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    keeper: subprocess.Popen[str] | None = None
    caddyfile: Path = CADDYFILE
    public: str = ""
    """The portal's public address if a proxy in front ends TLS; sessions then live below `apps.example.org`."""

    @property
    def run(self) -> Path:
        """Where its sockets are."""
        return self.state / "run"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of its programs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SPACELAB_", "DJANGO_"))}
        return {
            **kept,
            "SPACELAB_STATE": str(self.state),
            "SPACELAB_PORT": str(self.port),
            "SPACELAB_PORTAL_URL": self.portal,
            "SPACELAB_APPS_DOMAIN": self.apps_domain,
            "SPACELAB_DEMO": "false",
            "PYTHONPATH": str(HERE.parent),
        }

    def spawn(self, name: str, argv: list[str], variables: Mapping[str, str]) -> None:
        """Start a program; what it prints goes to `<name>.log`."""
        with (self.state / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                argv, env={**self.variables, **variables}, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )

    def start_web(self) -> None:
        """Start the web program."""
        self.start_server("web", "spacelab.site.asgi:application", self.run / "web.sock", {})

    def start_app(self, name: str) -> str:
        """Start an application and return its address."""
        path = self.run / f"{name}.sock"
        self.start_server(name, "support.edge_app:application", path, {"APP_NAME": name})
        return f"unix/{path}"

    def start_server(self, name: str, application: str, path: Path, variables: Mapping[str, str]) -> None:
        """Start an ASGI application on a Unix socket and wait for it."""
        argv = [sys.executable, "-m", "uvicorn", application, "--uds", str(path), "--no-access-log"]
        self.spawn(name, [*argv, "--log-level", "warning"], variables)
        wait_for_socket(path)

    def start_caddy(self) -> None:
        """Start Caddy with the platform's Caddyfile."""
        variables = caddy_variables(
            bind="127.0.0.1",
            port=self.port,
            portal_url=self.portal,
            apps_domain=self.apps_domain,
            run_directory=self.run,
            state=self.state,
            trusted_proxies=("127.0.0.0/8",) if self.public else (),
        )
        self.spawn("caddy", [str(CADDY), "run", "--config", str(self.caddyfile), "--adapter", "caddyfile"], variables)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{self.port}/", timeout=30)
                return
            time.sleep(0.05)
        raise TimeoutError((self.state / "caddy.log").read_text())

    def start_keeper(self) -> None:
        """Start the process that changes the database."""
        self.keeper = subprocess.Popen(
            [sys.executable, "-m", "support.edge_state"],
            env=self.variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def call(self, name: str, *arguments: object) -> Any:
        """Call one of the functions of `support.edge_state`."""
        if self.keeper is None or self.keeper.stdin is None or self.keeper.stdout is None:
            raise RuntimeError("the edge is not running")
        self.keeper.stdin.write(json.dumps([name, *arguments]) + "\n")
        self.keeper.stdin.flush()
        answer = json.loads(self.keeper.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]

    def kill(self, name: str) -> None:
        """End a program with SIGKILL."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End everything that was started."""
        for process in self.processes.values():
            process.terminate()
        if self.keeper is not None and self.keeper.stdin is not None:
            self.keeper.stdin.close()
            self.keeper.wait(timeout=60)
        for process in self.processes.values():
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    @property
    def portal(self) -> str:
        """The portal's address."""
        return self.public or f"http://localhost:{self.port}"

    @property
    def apps_domain(self) -> str:
        """Below which name sessions live."""
        return "apps.example.org" if self.public else "localhost"

    @property
    def base(self) -> str:
        """The edge's address for clients that don't resolve names below localhost; they send `Host`."""
        return f"http://127.0.0.1:{self.port}"

    def host(self, session_id: str) -> dict[str, str]:
        """Return the headers that name a session's origin."""
        return {"Host": f"{session_id}.{self.apps_domain}" + ("" if self.public else f":{self.port}")}

    def enter(self, username: str, session_id: str, key: str = "") -> dict[str, str]:
        """Let somebody in by a code and return the headers of her requests."""
        code = self.call("code", username, session_id, key or self.call("sign_in", username))
        url = f"{self.base}/_spacelab/enter?code={quote(code)}&next=/headers"
        answer = httpx.get(url, headers=self.host(session_id))
        if answer.status_code != 303:
            raise RuntimeError(f"{answer.status_code}: {answer.text}")
        cookie = answer.headers["set-cookie"].partition(";")[0]
        return {**self.host(session_id), "Cookie": cookie}


@contextmanager
def running_edge(public: str = "") -> Iterator[Edge]:
    """Run an edge with the people `ada` and `ben` on a fresh state for as long as the block lasts."""
    state = Path(tempfile.mkdtemp(prefix="edge-"))
    edge = Edge(state=state, port=free_port(), public=public)
    try:
        edge.run.mkdir(mode=0o700)
        fill_database(state)
        edge.start_keeper()
        for name in ("ada", "ben"):
            edge.call("person", name)
        edge.start_web()
        edge.start_caddy()
        yield edge
    finally:
        edge.stop()
        shutil.rmtree(state, ignore_errors=True)

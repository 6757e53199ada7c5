"""Launch to ready against a bare `jupyter lab` with the same packages, alternating in one run.

Usage: benchmarks/launch.py [--rounds 10] [--hub]
Run it on a machine with two cores: the session's profile has as many, and the bare JupyterLab is not limited.
Ready means that `GET /datalabs/<id>/api` answers 200: for ours at the session's own origin through the edge.
With --hub a JupyterHub with a local spawner is measured beside them: $HUB_PYTHON names the interpreter of an
environment with the same packages and `jupyterhub`, and `configurable-http-proxy` has to be on the PATH.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import uv

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from support.platform import Platform, running_platform
from support.ports import free_port

LOOK = 0.05
"""Seconds between two questions whether it answers: asking more often takes time away from what is starting."""
PATIENCE = 120.0
PROFILE = "medium"
"""Two cores, as many as the bare JupyterLab has on a machine with two."""


def wait(client: httpx.Client, url: str, headers: dict[str, str]) -> None:
    """Ask until the address answers 200."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if client.get(url, headers=headers, timeout=5).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(LOOK)
    raise TimeoutError(url)


def ours(platform: Platform, client: httpx.Client, token: str) -> tuple[float, float]:
    """Launch a session, wait until it answers, stop it; return seconds to ready, and to the portal saying so."""
    headers = {"Authorization": f"Bearer {token}"}
    api = f"http://127.0.0.1:{platform.port}/api/v1/sessions"
    portal = {**headers, "Host": f"localhost:{platform.port}"}
    started = time.monotonic()
    answer = client.post(
        api, headers=portal, json={"datalab": "jupyterlab", "profile": PROFILE, "volumes": ["hipparcos"], "teams": []}
    )
    answer.raise_for_status()
    session = answer.json()["id"]
    origin = {**headers, "Host": f"{session}.localhost:{platform.port}"}
    wait(client, f"http://127.0.0.1:{platform.port}/datalabs/{session}/api", origin)
    ready = time.monotonic() - started
    client.delete(f"{api}/{session}", headers=portal).raise_for_status()
    while client.get(f"{api}/{session}", headers=portal).json()["phase"] not in {"stopped", "failed"}:
        time.sleep(0.1)
    return ready, time.monotonic() - started


def bare(environment: Path, package: Path, client: httpx.Client, folder: Path) -> float:
    """Start `jupyter lab` of the same environment and configuration outside any sandbox; return seconds to ready."""
    port = free_port()
    home = folder / "home"
    home.mkdir(exist_ok=True)
    variables = {
        "HOME": str(home),
        "PATH": f"{environment / 'bin'}:/usr/bin:/bin",
        "IF_main_port": str(port),
        "IF_main_id": "bare",
        "DATALAB_ID": "bare",
        "SPACELAB_PACKAGE": str(package),
        "SPACELAB_WORKSPACE": str(home),
        "SPACELAB_DATA": str(folder),
    }
    started = time.monotonic()
    process = subprocess.Popen(
        [environment / "bin" / "python", "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
         "--ip=127.0.0.1", "--ServerApp.base_url=/datalabs/bare",
         "--IdentityProvider.token=", f"--notebook-dir={home}"],
        env=variables, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait(client, f"http://127.0.0.1:{port}/datalabs/bare/api", {})
        return time.monotonic() - started
    finally:
        process.terminate()
        process.wait()


class Hub:
    """A JupyterHub with a local spawner that starts the same JupyterLab for one user."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        python = Path(os.environ["HUB_PYTHON"])
        config = folder / "hub.py"
        config.write_text(
            "from jupyterhub.spawner import SimpleLocalProcessSpawner\n"
            "c.JupyterHub.spawner_class = SimpleLocalProcessSpawner\n"
            "c.JupyterHub.authenticator_class = 'dummy'\n"
            "c.Authenticator.allow_all = True\n"
            f"c.JupyterHub.bind_url = 'http://127.0.0.1:{self.port}'\n"
            f"c.JupyterHub.hub_port = {free_port()}\n"
            f"c.ConfigurableHTTPProxy.api_url = 'http://127.0.0.1:{free_port()}'\n"
            f"c.SimpleLocalProcessSpawner.home_dir_template = '{folder}/hubhome'\n"
            f"c.Spawner.cmd = ['{python}', '-m', 'jupyterhub.singleuser', '--allow-root']\n"
            "c.JupyterHub.services = [{'name': 'bench', 'api_token': 'benchmark-token-0000'}]\n"
            "c.JupyterHub.load_roles = [{'name': 'bench', 'services': ['bench'], 'scopes': ['admin:users', "
            "'admin:servers', 'access:servers']}]\n"
        )
        self.process = subprocess.Popen(
            [python, "-m", "jupyterhub", "-f", str(config)],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"},
        )  # fmt: skip
        self.headers = {"Authorization": "token benchmark-token-0000"}

    def measure(self, client: httpx.Client) -> float:
        """Start the user's server, wait until it answers, stop it; return seconds to ready."""
        hub = f"http://127.0.0.1:{self.port}/hub/api"
        client.post(f"{hub}/users/ada", headers=self.headers, timeout=60)
        started = time.monotonic()
        client.post(f"{hub}/users/ada/server", headers=self.headers, timeout=60)
        wait(client, f"http://127.0.0.1:{self.port}/user/ada/api/status", self.headers)
        seconds = time.monotonic() - started
        client.delete(f"{hub}/users/ada/server", headers=self.headers)
        while client.get(f"{hub}/users/ada", headers=self.headers).json()["servers"]:
            time.sleep(0.2)
        return seconds

    def close(self) -> None:
        """End the hub and its proxy."""
        self.process.terminate()
        self.process.wait()


def stock_environment(environment: Path, folder: Path) -> Path:
    """Copy the environment and add what its overrides leave out: what an ordinary installation of JupyterLab has."""
    stock = folder / "stock"
    shutil.copytree(environment, stock, symlinks=True)
    install = [
        uv.find_uv_bin(),
        "pip",
        "install",
        "-q",
        "--compile-bytecode",
        "--python",
        str(stock / "bin" / "python"),
    ]
    subprocess.run([*install, "rfc3987-syntax==1.1.0"], check=True)
    return stock


def summary(times: list[float]) -> dict[str, float]:
    """Median and spread in seconds."""
    return {"median": statistics.median(times), "min": min(times), "max": max(times), "n": len(times)}


def main() -> None:
    """Measure in alternation and print JSON, then one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--hub", action="store_true")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="spacelab-launch-"))
    result: dict[str, Any] = {}
    with running_platform() as platform, httpx.Client() as client:
        host = {"Host": f"localhost:{platform.port}"}
        made = client.post(
            f"http://127.0.0.1:{platform.port}/api/v1/demo-tokens", headers=host, json={"username": "demo-scientist"}
        )
        token = made.raise_for_status().json()["token"]
        environment = next((platform.state / "environments").glob("jupyterlab-*"))
        package = Path(__file__).resolve().parent.parent / "catalogue" / "datalabs" / "jupyterlab"
        hub = Hub(folder) if options.hub else None
        try:
            if hub:
                wait(client, f"http://127.0.0.1:{hub.port}/hub/api/", {})
            stock = stock_environment(environment, folder)
            times: dict[str, list[float]] = {"spacelab": [], "bare": [], "bare, our environment": [], "jupyterhub": []}
            for number in range(options.rounds + 1):
                round_times = {
                    "bare": bare(stock, package, client, folder),
                    "bare, our environment": bare(environment, package, client, folder),
                    "spacelab": ours(platform, client, token)[0],
                }
                if hub:
                    round_times["jupyterhub"] = hub.measure(client)
                if number:  # the first round warms the page cache for all of them
                    for name, seconds in round_times.items():
                        times[name].append(seconds)
                print(number, {name: round(seconds, 2) for name, seconds in round_times.items()}, file=sys.stderr)
        finally:
            if hub:
                hub.close()
            shutil.rmtree(folder, ignore_errors=True)
    result = {name: summary(values) for name, values in times.items() if values}
    print(json.dumps(result, indent=1))
    median = {name: values["median"] for name, values in result.items()}
    same = median["spacelab"] / median["bare, our environment"]
    print(f"launch to ready ÷ bare jupyter lab: {median['spacelab'] / median['bare']:.2f} (bar: ≤ 1.15)")
    print(f"the same ÷ bare jupyter lab of our leaner environment: {same:.2f}")


if __name__ == "__main__":
    main()

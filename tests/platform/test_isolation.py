"""What code in a session can reach: its own things, and nothing of the platform or of others."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from support.client import Client, Kernel
from support.platform import Platform

pytestmark = [pytest.mark.runtime, pytest.mark.slow]


@pytest.fixture(scope="module")
def kernel(platform: Platform) -> Iterator[Kernel]:
    client = Client(platform)
    session = client.launch()
    yield Kernel(client, session)
    client.stop(session)


def test_somebody_elses_session_is_closed(platform: Platform, kernel: Kernel) -> None:
    other = Client(platform, "demo-operator")
    assert other.inside(kernel.session, "GET", f"/datalabs/{kernel.session}/api").status_code in {401, 403}
    assert Client(platform, "demo-developer").api("GET", f"/sessions/{kernel.session}").status_code == 404


def test_the_api_is_reached_with_the_sessions_own_token(kernel: Kernel) -> None:
    code = (
        "import os, urllib.request, json\n"
        "request = urllib.request.Request(os.environ['SPACELAB_URL'] + '/api/v1/me', "
        "headers={'Authorization': 'Bearer ' + os.environ['SPACELAB_TOKEN']})\n"
        "print(json.load(urllib.request.urlopen(request))['username'])"
    )
    assert kernel.run(code) == "demo-scientist\n"


def test_code_in_a_session_cannot_sign_in_as_a_demo_person(kernel: Kernel) -> None:
    code = (
        "import os, urllib.request, json\n"
        "request = urllib.request.Request(os.environ['SPACELAB_URL'] + '/api/v1/demo-tokens', method='POST', "
        "data=json.dumps({'username': 'demo-operator'}).encode(), headers={'Content-Type': 'application/json'})\n"
        "try:\n    urllib.request.urlopen(request); print('signed in')\n"
        "except urllib.error.HTTPError as error:\n    print(error.code)"
    )
    assert kernel.run(code).strip() in {"403", "404"}


def test_the_portal_and_its_state_are_out_of_reach(platform: Platform, kernel: Kernel) -> None:
    code = (
        "import os, socket\n"
        f"print(os.path.exists({str(platform.state)!r}))\n"
        "try:\n"
        f"    socket.create_connection(('127.0.0.1', {platform.port}), 2); print('reached')\n"
        "except OSError as error:\n    print(type(error).__name__)"
    )
    assert kernel.run(code) == "False\nConnectionRefusedError\n"


def test_packages_are_kept_for_the_next_session(platform: Platform, kernel: Kernel) -> None:
    install = (
        "import subprocess, sys\n"
        "pip = [sys.executable, '-m', 'pip', 'install', '-q', 'tabulate']\n"
        "done = subprocess.run(pip, capture_output=True, text=True)\n"
        "print(done.returncode, done.stderr)"
    )
    assert kernel.run(install, timeout=120).startswith("0 ")
    client = kernel.client
    following = client.launch()
    try:
        where = Kernel(client, following).run("import tabulate; print(tabulate.__file__)")
        assert "/.spacelab/environments/" in where
    finally:
        client.stop(following)


def test_limits_are_visible_inside(kernel: Kernel) -> None:
    printed = kernel.run("import os\nprint(len(os.sched_getaffinity(0)), os.environ['MEM_LIMIT'], os.getuid() != 0)")
    assert printed == f"1 {2048 * 2**20} True\n"


def test_a_request_that_says_it_came_through_a_tunnel_gets_no_demo_person(platform: Platform) -> None:
    for mark in ({"X-Forwarded-For": "203.0.113.9"}, {"X-Real-IP": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}):
        answer = httpx.post(
            f"http://127.0.0.1:{platform.port}/api/v1/demo-tokens",
            json={"username": "demo-operator"},
            headers={"Host": f"localhost:{platform.port}", **mark},
        )
        assert answer.status_code == 404, mark


def test_the_hosts_other_users_reach_neither_state_nor_sockets(platform: Platform) -> None:
    nobody = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    if not nobody:
        pytest.skip("only root can become another user")
    for path in ("spacelab.sqlite3", "secret-key", "run/web.sock", "run/egress/egress.sock", "log/web.log"):
        found = subprocess.run(["test", "-e", str(platform.state / path)], check=False, **nobody)  # type: ignore[call-overload]
        assert found.returncode == 1, path

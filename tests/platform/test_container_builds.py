"""A build on a container engine: a notebook becomes an image that its session imports from, and again in no time."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest

from support.client import Client, Kernel
from support.packages import META, notebook
from support.platform import Platform

pytestmark = [pytest.mark.container, pytest.mark.slow, pytest.mark.long]

PATIENCE = 300.0


def build(client: Client, *cells: str) -> dict[str, Any]:
    """Bring a notebook, start its build, and wait for its end."""
    files = [
        ("files", ("stars.ipynb", notebook(*cells).encode())),
        ("files", ("datalab-meta.yml", META.encode())),
    ]
    made: dict[str, Any] = client.api("POST", "/builds", files=files).raise_for_status().json()
    client.api("POST", f"/builds/{made['id']}/start", json={}).raise_for_status()
    deadline = time.monotonic() + PATIENCE
    while made["state"] not in {"built", "failed", "cancelled"}:
        assert time.monotonic() < deadline, made
        time.sleep(0.2)
        made = client.api("GET", f"/builds/{made['id']}").raise_for_status().json()
    assert made["state"] == "built", (made, client.api("GET", f"/builds/{made['id']}/log").text[-3000:])
    return made


def test_a_notebook_becomes_an_image_and_a_changed_one_only_its_last_step(container_platform: Platform) -> None:
    client = Client(container_platform, "demo-developer")
    first = build(client, f"import humanize  # {secrets.token_hex(4)}")  # not what an earlier run left in the engine
    assert first["image"] == "localhost/demo-developer_nearby-stars:v0.1.0-1"
    assert any("Install" in one["title"] or "uv pip install" in one["title"] for one in first["steps"]), first["steps"]
    session = client.launch("nearby-stars", volumes=[])
    try:
        said = Kernel(client, session).run("import humanize\nprint(humanize.intword(1_000_000))")
        assert said == "1.0 million\n"
    finally:
        client.stop(session)
    second = build(client, "import humanize\nhumanize.intword(2)")
    assert second["image"].endswith(":v0.1.0-2")
    slow = [one for one in second["steps"] if "uv pip install" in one["title"]]
    assert all(one["took"] < 2 for one in slow), second["steps"]

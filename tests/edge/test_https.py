"""The edge behind a proxy that ends TLS: cookies, addresses and forwarded headers."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from support.edge import Edge, running_edge

PORTAL = "https://portal.example.org"
COOKIE = "__Host-spacelab_visit"


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    """Run an edge whose portal is reached by https."""
    with running_edge(public=PORTAL) as edge:
        edge.start_app("one")
        yield edge


def test_the_visits_cookie_is_for_https_and_this_host_alone(edge: Edge) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    code = edge.call("code", "ada", name, edge.call("sign_in", "ada"))
    answer = httpx.get(f"{edge.base}/_spacelab/enter", params={"code": code}, headers=edge.host(name))
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_the_application_learns_the_public_scheme_and_the_visitors_address(edge: Edge) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    proxied = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    answer = httpx.get(f"{edge.base}/headers", headers={**edge.enter("ada", name), **proxied})
    headers = dict(answer.json()["headers"])
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-for"].startswith("203.0.113.9")
    assert "cookie" not in headers


def test_the_way_in_starts_at_the_public_portal(edge: Edge) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    answer = httpx.get(f"{edge.base}/x", headers={**edge.host(name), "Accept": "text/html"})
    assert answer.headers["location"] == f"{PORTAL}/sessions/{name}/open?next=%2Fx"


def test_the_http_cookies_name_is_not_taken_for_the_visit(edge: Edge) -> None:
    name = edge.call("session", "ada", f"unix/{edge.run / 'one.sock'}")
    headers = edge.enter("ada", name)
    other = headers["Cookie"].replace(COOKIE, "spacelab_visit")
    assert httpx.get(f"{edge.base}/headers", headers={**headers, "Cookie": other}).status_code == 401

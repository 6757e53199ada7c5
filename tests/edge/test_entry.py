"""The way in: a code from the portal becomes a visit on the session's origin, once, soon, and for that session."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from edge.conftest import Lab
from spacelab.site.settings import SESSION_COOKIE_NAME
from support.edge import Edge


def enter(http: httpx.Client, edge: Edge, session_id: str, code: str, path: str = "/headers") -> httpx.Response:
    return http.get("/_spacelab/enter", params={"code": code, "next": path}, headers=edge.host(session_id))


def new_code(edge: Edge, session_id: str) -> str:
    return str(edge.call("code", "ada", session_id, edge.call("sign_in", "ada")))


def test_a_code_becomes_a_cookie_and_vanishes(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    answer = enter(http, edge, lab.id, new_code(edge, lab.id))
    assert answer.status_code == 303
    assert answer.headers["location"] == "/headers"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "domain" not in cookie


def test_a_code_works_once(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    code = new_code(edge, lab.id)
    assert enter(http, edge, lab.id, code).status_code == 303
    again = enter(http, edge, lab.id, code)
    assert again.status_code == 422
    assert "set-cookie" not in again.headers
    assert "used already" in again.text


def test_a_code_ages(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    code = new_code(edge, lab.id)
    edge.call("age_codes")
    assert enter(http, edge, lab.id, code).status_code == 422


def test_a_code_for_another_session_is_refused_and_used_up(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    other = edge.call("session", "ada", f"unix/{edge.run / 'two.sock'}")
    code = new_code(edge, lab.id)
    assert enter(http, edge, other, code).status_code == 422
    assert enter(http, edge, lab.id, code).status_code == 422


@pytest.mark.parametrize("code", ["", "x", "é" * 40, "'; drop table", "a" * 5000])
def test_made_up_codes_are_refused(http: httpx.Client, edge: Edge, lab: Lab, code: str) -> None:
    assert enter(http, edge, lab.id, code).status_code == 422


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "/\t/x"],
)
def test_the_way_in_leads_nowhere_else(http: httpx.Client, edge: Edge, lab: Lab, path: str) -> None:
    assert enter(http, edge, lab.id, new_code(edge, lab.id), path).headers["location"] == "/"


def test_a_browser_that_is_in_keeps_its_visit(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    code = new_code(edge, lab.id)
    answer = http.get("/_spacelab/enter", params={"code": code, "next": "/x"}, headers=lab.headers)
    assert answer.status_code == 303
    assert "set-cookie" not in answer.headers


@pytest.mark.slow
def test_a_code_stands_in_no_log(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    code = new_code(edge, lab.id)
    enter(http, edge, lab.id, code)
    edge.kill("web")
    lost = "code-while-web-is-away"
    answer = http.get("/_spacelab/enter", params={"code": lost}, headers=edge.host(lab.id))
    edge.start_web()
    assert answer.status_code == 502
    for log in Path(edge.state).glob("*.log"):
        text = log.read_text()
        assert code not in text, log
        assert lost not in text, log


def test_the_portal_hands_over(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    headers = {"Host": f"localhost:{edge.port}", "Cookie": f"{SESSION_COOKIE_NAME}={edge.call('sign_in', 'ada')}"}
    answer = http.get(f"/sessions/{lab.id}/open", headers=headers, params={"next": "/headers"})
    assert answer.status_code == 303
    url = urlsplit(answer.headers["location"])
    assert url.netloc == f"{lab.id}.localhost:{edge.port}"
    done = http.get(f"{url.path}?{url.query}", headers=edge.host(lab.id))
    assert done.headers["location"] == "/headers"
    assert len(parse_qs(url.query)["code"][0]) > 40

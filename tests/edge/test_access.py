"""Who gets to a session through the real Caddy, and what reaches its application."""

from __future__ import annotations

import socket
import threading
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from edge.conftest import Lab
from support.edge import Edge

TOKEN = "slt_" + "t" * 40
NAVIGATION = {"Accept": "text/html,*/*", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "none"}


def received(answer: httpx.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return dict(answer.json()["headers"])


def test_the_owner_reaches_the_application(http: httpx.Client, lab: Lab) -> None:
    answer = http.get("/headers", headers=lab.headers)
    assert answer.json()["app"] == "one"
    assert "frame-ancestors 'self'" in answer.headers["content-security-policy"]


def test_a_request_is_activity(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    assert edge.call("activity", lab.id) == "launched"
    http.get("/headers", headers=lab.headers)
    deadline = time.monotonic() + 60
    while edge.call("activity", lab.id) == "launched" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert edge.call("activity", lab.id) == "a browser is open"


def test_each_session_gets_its_own_application(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    other = edge.call("session", "ada", f"unix/{edge.run / 'two.sock'}")
    headers = edge.enter("ada", other)
    for _ in range(5):
        assert http.get("/headers", headers=lab.headers).json()["app"] == "one"
        assert http.get("/headers", headers=headers).json()["app"] == "two"


def test_a_visitor_is_refused_in_a_sentence(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    answer = http.get("/headers", headers=edge.host(lab.id))
    assert answer.status_code == 401
    assert "portal" in answer.text


def test_a_visitors_browser_is_sent_to_the_portal_and_the_path_is_kept(
    http: httpx.Client, edge: Edge, lab: Lab
) -> None:
    answer = http.get("/lab/tree?x=1", headers={**edge.host(lab.id), **NAVIGATION})
    assert answer.status_code == 302
    url = urlsplit(answer.headers["location"])
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{edge.portal}/sessions/{lab.id}/open"
    assert parse_qs(url.query) == {"next": ["/lab/tree?x=1"]}


def test_a_visit_is_for_one_session_only(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    other = edge.call("session", "ada", f"unix/{edge.run / 'two.sock'}")
    assert http.get("/headers", headers={**lab.headers, **edge.host(other)}).status_code == 401


def test_nobody_gets_a_code_for_somebody_elses_session(edge: Edge, lab: Lab) -> None:
    with pytest.raises(RuntimeError, match="no such session"):
        edge.call("code", "ben", lab.id, edge.call("sign_in", "ben"))


@pytest.mark.parametrize("name", ["X-Upstream", "X-Spacelab-Upstream", "X-Pass", "X-App-Cookie"])
def test_forged_headers_change_nothing(http: httpx.Client, edge: Edge, lab: Lab, name: str) -> None:
    forged = {name: f"unix/{edge.run / 'two.sock'}"}
    assert http.get("/headers", headers={**lab.headers, **forged}).json()["app"] == "one"
    events = {**lab.headers, **forged, "Accept": "text/event-stream"}
    assert http.get("/headers", headers=events).json()["app"] == "one"
    assert http.get("/headers", headers={**edge.host(lab.id), **forged}).status_code == 401


def test_forwarded_headers_of_strangers_are_not_believed(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    other = edge.call("session", "ada", f"unix/{edge.run / 'two.sock'}")
    forged = {
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": f"{other}.localhost",
        "X-Forwarded-Uri": "/elsewhere",
        "X-Forwarded-Method": "OPTIONS",
    }
    headers = received(http.get("/headers", headers={**lab.headers, **forged}))
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["x-forwarded-host"] == f"{lab.id}.localhost:{edge.port}"
    assert http.get("/headers", headers={**edge.host(lab.id), **forged}).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "a.b.localhost", "127.0.0.1", "localhost.evil.example"])
def test_other_hosts_are_misdirected(http: httpx.Client, lab: Lab, host: str) -> None:
    assert http.get("/headers", headers={**lab.headers, "Host": host}).status_code == 421


def test_an_unknown_session_is_refused(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    assert http.get("/", headers={**lab.headers, **edge.host("nosuchsessio")}).status_code == 401
    assert http.get("/", headers={**lab.headers, **edge.host("www")}).status_code == 404


def test_our_cookie_never_reaches_the_application(http: httpx.Client, lab: Lab) -> None:
    assert "cookie" not in received(http.get("/headers", headers=lab.headers))
    with_theirs = {**lab.headers, "Cookie": f"a=1; {lab.headers['Cookie']}; _xsrf=2|x"}
    assert received(http.get("/headers", headers=with_theirs))["cookie"] == "a=1; _xsrf=2|x"
    assert not {"x-upstream", "x-pass", "x-app-cookie"} & set(received(http.get("/headers", headers=with_theirs)))


def test_an_application_keeps_its_own_authorization(http: httpx.Client, lab: Lab) -> None:
    answer = http.get("/headers", headers={**lab.headers, "Authorization": "token abc"})
    assert received(answer)["authorization"] == "token abc"


def test_an_application_sets_cookies_for_its_own_host_only(http: httpx.Client, lab: Lab) -> None:
    cookie = http.get("/headers", headers=lab.headers).headers["set-cookie"]
    assert cookie.startswith("theirs=1")
    assert "domain" not in cookie.lower()


def test_a_token_opens_its_owners_session_and_goes_no_further(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    row = edge.call("token", "ada", TOKEN, "sessions")
    bearer = {**edge.host(lab.id), "Authorization": f"Bearer {TOKEN}"}
    assert "authorization" not in received(http.get("/headers", headers=bearer))
    deadline = time.monotonic() + 60
    while not edge.call("last_use", row) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert edge.call("last_use", row)
    edge.call("revoke_token", row)
    time.sleep(2.1)
    assert http.get("/headers", headers=bearer).status_code == 403


def test_tokens_of_others_or_without_the_scope_are_refused(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    edge.call("token", "ben", TOKEN + "b", "sessions")
    edge.call("token", "ada", TOKEN + "r", "read")
    for value in (TOKEN + "b", TOKEN + "r", TOKEN + "x"):
        answer = http.get("/headers", headers={**edge.host(lab.id), "Authorization": f"Bearer {value}"})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    "sent",
    [
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors", "Origin": "http://other.localhost"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_pages_of_other_origins_cannot_use_the_visit(http: httpx.Client, lab: Lab, sent: dict[str, str]) -> None:
    assert http.get("/headers", headers={**lab.headers, **sent}).status_code == 403


def test_the_session_has_no_portal_and_the_portal_no_edge(http: httpx.Client, edge: Edge, lab: Lab) -> None:
    assert http.get("/_spacelab/nothing", headers=lab.headers).status_code == 404
    assert "It runs" in http.get("/_spacelab/%2e%2e/sessions", headers=lab.headers).text
    assert http.get("/x/%2e%2e/_spacelab/enter", headers=lab.headers).status_code == 404
    inside = {**lab.headers, "Host": f"localhost:{edge.port}"}
    assert http.get("/edge/authorize", headers=inside).status_code == 404


def test_static_files_are_kept_for_good_under_hashed_names_only(http: httpx.Client, edge: Edge) -> None:
    folder = edge.state / "static" / "edge-test"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a.css", "a.0123456789ab.css"):
        (folder / name).write_text("body { color: teal }\n" * 100)
    portal = {"Host": f"localhost:{edge.port}"}
    hashed = http.get("/static/edge-test/a.0123456789ab.css", headers=portal)
    assert hashed.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert hashed.headers["content-encoding"] in {"gzip", "zstd"}
    assert "cache-control" not in http.get("/static/edge-test/a.css", headers=portal).headers
    assert http.get("/static/../secret-key", headers=portal).status_code == 404
    assert http.get("/static/%2e%2e/secret-key", headers=portal).status_code == 404


@pytest.mark.parametrize(("phase", "status"), [("starting", 503), ("failed", 410), ("stopped", 410)])
def test_a_session_that_does_not_run_says_so(http: httpx.Client, edge: Edge, lab: Lab, phase: str, status: int) -> None:
    edge.call("phase", lab.id, phase, "The disk is <full>.")
    time.sleep(2.1)
    answer = http.get("/headers", headers={**lab.headers, **NAVIGATION})
    assert answer.status_code == status
    assert "The disk is &lt;full&gt;." in answer.text
    assert f"{edge.portal}/sessions/{lab.id}" in answer.text
    assert "<script" not in answer.text


@pytest.mark.parametrize("how", ["revoke", "sign out", "deactivate", "new password"])
def test_access_ends_within_two_seconds(http: httpx.Client, edge: Edge, how: str) -> None:
    who = f"p{abs(hash(how)) % 10**8}"
    edge.call("person", who)
    name = edge.call("session", who, f"unix/{edge.run / 'one.sock'}")
    key = edge.call("sign_in", who)
    headers = edge.enter(who, name, key)
    assert http.get("/headers", headers=headers).status_code == 200
    ways = {
        "revoke": ("revoke_visits", who),
        "sign out": ("sign_out", key),
        "deactivate": ("deactivate", who),
        "new password": ("new_password", who),
    }
    edge.call(*ways[how])
    time.sleep(2.1)
    assert http.get("/headers", headers=headers).status_code == 401


def test_what_opens_a_door_is_not_in_the_edges_log(http: httpx.Client, edge: Edge) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(edge.run / "cut.sock"))
    listener.listen()

    def cut() -> None:
        with listener, listener.accept()[0] as connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")

    threading.Thread(target=cut, daemon=True).start()
    headers = edge.enter("ada", edge.call("session", "ada", f"unix/{edge.run / 'cut.sock'}"))
    with pytest.raises(httpx.RemoteProtocolError):
        http.get("/password-link/first-secret/?a=1&code=second-secret", headers=headers)
    logged = (edge.state / "caddy.log").read_text()
    assert "/password-link/REDACTED" in logged
    assert "first-secret" not in logged
    assert "second-secret" not in logged

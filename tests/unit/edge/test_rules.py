"""The edge's decisions: hosts, cookies, paths, origins, upstreams."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacelab.edge import rules
from spacelab.kit.ids import new_id

ID = "abcdefghjk23"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (f"{ID}.localhost:8080", ID),
        (f"{ID.upper()}.LOCALHOST", ID),
        ("localhost:8080", ""),
        (f"x.{ID}.localhost", ""),
        (f"{ID}.localhost.evil.example", ""),
        (f"{ID}.evil-localhost", ""),
        (f"{ID}x.localhost", ""),
        ("", ""),
    ],
)
def test_a_host_names_its_session(host: str, expected: str) -> None:
    assert rules.session_of_host(host, "localhost") == expected


def test_every_new_id_can_be_a_host() -> None:
    name = new_id()
    assert rules.session_of_host(f"{name}.apps.example.org", "apps.example.org") == name


@given(st.text(alphabet=st.sampled_from("/\\.:?#@%ab \t\n\r\0é;"), max_size=12))
def test_a_local_path_never_leaves_its_origin(path: str) -> None:
    there = urljoin("http://here.example/", rules.local_path(path).replace("\\", "/"))
    assert urlsplit(there).netloc == "here.example"
    assert rules.local_path(path).isascii()
    assert not any(ord(letter) <= 32 for letter in rules.local_path(path))


@given(st.lists(st.tuples(st.sampled_from(["a", "_xsrf", "spacelab_visit"]), st.text("xyz=", max_size=4))))
def test_our_cookie_is_taken_out_and_the_others_stay(pairs: list[tuple[str, str]]) -> None:
    value, rest = rules.split_cookies("; ".join(f"{name}={content}" for name, content in pairs), "spacelab_visit")
    ours = [content for name, content in pairs if name == "spacelab_visit"]
    assert value == next((one for one in ours if one), "")
    assert rest == "; ".join(f"{name}={content}" for name, content in pairs if name != "spacelab_visit")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("unix//run/a/main.sock", "unix//run/a/main.sock"),
        ("unix:/run/a/main.sock", "unix//run/a/main.sock"),
        ("unix:///run/a/main.sock", "unix//run/a/main.sock"),
        ("10.0.0.7:10000", "10.0.0.7:10000"),
        ("lab.spacelab.svc:80", "lab.spacelab.svc:80"),
        ("[::1]:80", "[::1]:80"),
        ("", ""),
        ("unix//run/{env.HOME}", ""),
        ("http://evil.example/", ""),
        ("a:80 b:80", ""),
        ("a:80\r\nX: y", ""),
    ],
)
def test_an_upstream_is_dialled_only_in_its_form(address: str, expected: str) -> None:
    assert rules.upstream_of(address) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("Bearer slt_x", "slt_x"), ("bearer  slt_x ", "slt_x"), ("Bearer abc", ""), ("token slt_x", ""), ("", "")],
)
def test_only_our_tokens_are_ours(header: str, expected: str) -> None:
    assert rules.bearer(header, "slt_") == expected


@pytest.mark.parametrize(
    ("method", "origin", "site", "mode", "expected"),
    [
        ("GET", "", "", "", True),
        ("POST", "http://s.localhost", "", "", True),
        ("POST", "http://t.localhost", "", "", False),
        ("POST", "null", "", "", False),
        ("POST", "null", "same-origin", "navigate", True),
        ("GET", "", "none", "navigate", True),
        ("GET", "", "cross-site", "navigate", True),
        ("POST", "http://t.localhost", "same-site", "navigate", False),
        ("GET", "", "same-site", "no-cors", False),
        ("GET", "http://s.localhost", "same-origin", "websocket", True),
        ("GET", "http://t.localhost", "same-site", "websocket", False),
    ],
)
def test_a_cookie_counts_from_the_sessions_own_pages(
    method: str, origin: str, site: str, mode: str, *, expected: bool
) -> None:
    assert rules.comes_from_itself(host="s.localhost", method=method, origin=origin, site=site, mode=mode) is expected


def test_a_session_lives_on_the_portals_scheme_and_port() -> None:
    assert rules.origin_of(ID, portal_url="http://localhost:8080", apps_domain="localhost") == (
        f"http://{ID}.localhost:8080"
    )
    assert rules.origin_of(ID, portal_url="https://lab.example.org", apps_domain="apps.example.org") == (
        f"https://{ID}.apps.example.org"
    )


def test_a_visits_cookie_insists_on_its_host_over_https() -> None:
    assert rules.visit_cookie(secure=True).startswith("__Host-")


def test_a_pass_is_read_back() -> None:
    one = rules.Pass("visit", 7, ID, 3)
    assert rules.Pass.read(str(one)) == one


@pytest.mark.parametrize("text", ["", "visit.7", f"guest.7.{ID}.3", f"visit.x.{ID}.3", "visit.7.../etc.3"])
def test_no_other_pass_is_read(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        rules.Pass.read(text)


def test_every_variable_of_the_caddyfile_is_given() -> None:
    caddyfile = (Path(rules.__file__).parent / "Caddyfile").read_text()
    given_ones = rules.caddy_variables(
        bind="127.0.0.1",
        port=1,
        portal_url="http://localhost:1",
        apps_domain="localhost",
        run_directory=Path("/run"),
        state=Path("/state"),
    )
    assert {part.partition("}")[0] for part in caddyfile.split("{$")[1:]} == set(given_ones)

"""What workloads may reach, and how the proxy reads what they ask."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from spacelab.workloads.runtimes.shared import egress
from spacelab.workloads.runtimes.shared.egress import EgressPolicy, Refused, parse


@pytest.fixture
def policy(monkeypatch: pytest.MonkeyPatch) -> EgressPolicy:
    monkeypatch.setattr(egress, "own_addresses", lambda: frozenset({"203.0.113.7"}))
    return EgressPolicy.of(settings.SPACELAB.egress_blocked, ["10.1.0.0/16", "Archive.Example.org"])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.5",
        "192.168.1.1",
        "169.254.169.254",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "fec0::1",
        "::127.0.0.1",
        "64:ff9b:1::7f00:1",
        "168.63.129.16",
        "192.0.0.192",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.5",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "203.0.113.7",
        "::ffff:203.0.113.7",
    ],
)
def test_private_addresses_are_refused_in_every_spelling(policy: EgressPolicy, address: str) -> None:
    assert not policy.permits("harmless.example", address)


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "10.1.2.3", "::ffff:10.1.2.3"])
def test_the_outside_world_and_allowed_networks_are_reached(policy: EgressPolicy, address: str) -> None:
    assert policy.permits("harmless.example", address)


def test_an_allowed_name_may_lie_in_a_blocked_network(policy: EgressPolicy) -> None:
    assert policy.permits("archive.example.org.", "10.9.9.9")
    assert not policy.permits("notarchive.example.org", "10.9.9.9")


def test_a_whole_address_becomes_a_request_without_the_proxys_headers() -> None:
    head = (
        b"GET http://a.example:81/x?y=1 HTTP/1.1\r\nHost: a.example:81\r\nProxy-Authorization: x\r\nAccept: */*\r\n\r\n"
    )
    method, host, port, passed_on = parse(head)
    assert (method, host, port) == ("GET", "a.example", 81)
    assert passed_on == b"GET /x?y=1 HTTP/1.1\r\nHost: a.example:81\r\nAccept: */*\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    "line",
    [
        b"GET / HTTP/1.1",
        b"GET ftp://a.example/ HTTP/1.1",
        b"CONNECT a.example HTTP/1.1",
        b"CONNECT a.example:x HTTP/1.1",
        b"CONNECT :443 HTTP/1.1",
        b"nonsense",
        b"GET http://\xff/ HTTP/1.1",
        b"GET http://[::1/ HTTP/1.1",
    ],
)
def test_what_is_no_proxy_request_is_refused(line: bytes) -> None:
    with pytest.raises(Refused, match="This is a proxy"):
        parse(line + b"\r\n\r\n")


def test_a_tunnel_may_name_an_ipv6_address() -> None:
    assert parse(b"CONNECT [2606:2800::1]:443 HTTP/1.1\r\n\r\n")[:3] == ("CONNECT", "2606:2800::1", 443)


PORTAL = egress.Portal(Path("/nowhere/web.sock"), "http://localhost:8080")


def test_the_api_is_reached_as_a_stranger_to_this_machine() -> None:
    head = (
        b"GET http://portal.spacelab.internal/api/v1/me HTTP/1.1\r\nHost: portal.spacelab.internal\r\n"
        b"X-Real-IP: 127.0.0.1\r\nX-Forwarded-For: 127.0.0.1\r\nForwarded: for=127.0.0.1\r\n"
        b"Authorization: Bearer t\r\n\r\n"
    )
    _, host, _, passed_on = parse(head)
    assert host == egress.PORTAL_NAME
    assert PORTAL.rewrite(passed_on).split(b"\r\n") == [
        b"GET /api/v1/me HTTP/1.1",
        b"Host: localhost:8080",
        b"X-Forwarded-Proto: http",
        b"X-Real-IP: session",
        b"X-Forwarded-For: session",
        b"Authorization: Bearer t",
        b"Connection: close",
        b"",
        b"",
    ]


@pytest.mark.parametrize("path", ["/", "/sign-in", "/edge/authorize", "/apis", "/x/api/v1/me", "/healthz"])
def test_nothing_but_the_api_is_reached(path: str) -> None:
    with pytest.raises(Refused, match="only the API"):
        PORTAL.rewrite(f"GET {path} HTTP/1.1\r\n\r\n".encode())

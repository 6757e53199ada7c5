"""Whether a host, or everybody a request came through, is this very machine."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from django.http import HttpRequest  # the programs that stay small import this module without Django


def is_loopback(host: str) -> bool:
    """Say whether `host`, a name or an address, can only be reached from this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def host_name(host: str) -> str:
    """Take the port off a Host header; empty when it is not of the right form."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def hops(request: HttpRequest) -> list[str]:
    """List the addresses that the request came through, the client first; empty when nothing tells."""
    meta = request.META
    named = [one.strip() for one in meta.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    named += [meta.get("HTTP_X_REAL_IP", ""), meta.get("REMOTE_ADDR", "")]
    return [one for one in named if one]


def client_address(request: HttpRequest) -> str:
    """Return whose address the edge saw: it sets X-Real-IP itself, believing only the proxies it is told to trust."""
    return (request.META.get("HTTP_X_REAL_IP") or request.META.get("REMOTE_ADDR") or "unknown")[:64]


def is_local_request(request: HttpRequest) -> bool:
    """Say whether a request was made on this machine and to it: each host named and each hop is loopback.

    Without a single known address the answer is no; so it is when a proxy that is not ours left its mark: a tunnel to
    this machine's loopback often rewrites the host as well. What the edge does not believe of it stands in the edge's
    own header `X-Spacelab-Claimed`.
    """
    if "HTTP_FORWARDED" in request.META:
        return False
    claimed = request.META.get("HTTP_X_SPACELAB_CLAIMED", "").replace(",", " ").split()
    if not all(map(is_loopback, claimed)):
        return False
    hosts = [request.get_host()]
    if "HTTP_X_FORWARDED_HOST" in request.META:
        hosts += [one.strip() for one in request.META["HTTP_X_FORWARDED_HOST"].split(",")]
    if "HTTP_ORIGIN" in request.META:
        hosts.append(request.META["HTTP_ORIGIN"].partition("://")[2])
    addresses = hops(request)
    return bool(addresses) and all(is_loopback(host_name(one)) for one in hosts) and all(map(is_loopback, addresses))

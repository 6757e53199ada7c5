"""The way out for workloads: an HTTP proxy on a Unix socket that reaches the outside world and no private network.

It resolves names itself and connects to the very address that it checked, so that a name that changes its address
in between gains nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from django.conf import settings

from spacelab.workloads.runtimes.shared.egress_shares import Share, Shares, TooManyConnections, sandbox_of
from spacelab.workloads.runtimes.shared.places import egress_socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

HEAD_LIMIT = 64 * 1024
"""Bytes of a request's head; what is longer is refused."""

HEAD_SECONDS = 30.0
CONNECT_SECONDS = 15.0
HALF_CLOSED_SECONDS = 600.0
"""How long an answer may go on after the workload closed its side; most often nobody listens any more."""

CHUNK = 64 * 1024
HOP_HEADERS = (b"proxy-", b"connection:", b"keep-alive:")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
LOOKUPS = ThreadPoolExecutor(max_workers=32, thread_name_prefix="lookup")
"""Names are looked up apart from everything else that waits in threads: whose server never answers holds up no more."""

PORTAL_NAME = "portal.spacelab.internal"
"""The name under which a workload finds the platform's API: its real address may be this machine's own."""
NOT_LOCAL = b"session"
"""What the portal is told of such a client's address: never one that is trusted for being on this machine."""


class Refused(Exception):  # noqa: N818  an answer to the workload, not an error of ours
    """The proxy does not do what was asked; `status` is HTTP's."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


def embedded(address: Address) -> list[Address]:
    """Return the address and the IPv4 addresses that hide in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    hidden: list[Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        hidden.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in hidden if one)]


def own_addresses() -> frozenset[str]:
    """Return this machine's own addresses: its services are not the outside world."""
    return frozenset(one.address.split("%")[0] for some in psutil.net_if_addrs().values() for one in some)


@dataclass(frozen=True)
class Portal:
    """The platform's own API: the web program's socket, and the portal's address as people know it."""

    socket: Path
    url: str

    def rewrite(self, head: bytes) -> bytes:
        """Return a request's head as the web program takes it; raise `Refused` for anything but the API."""
        line, *headers = head.rstrip(b"\r\n").split(b"\r\n")
        if not line.partition(b" ")[2].startswith(b"/api/"):
            raise Refused("403 Forbidden", f"At {PORTAL_NAME} there is only the API, below /api/.")
        names = (b"host:", b"forwarded:", b"x-forwarded-", b"x-real-ip:")
        kept = [header for header in headers if not header.lower().startswith(names)]
        where = urlsplit(self.url)
        ours = [b"Host: " + where.netloc.encode(), b"X-Forwarded-Proto: " + where.scheme.encode()]
        ours += [b"X-Real-IP: " + NOT_LOCAL, b"X-Forwarded-For: " + NOT_LOCAL]
        return b"\r\n".join([line, *ours, *kept, b"", b""])


@dataclass(frozen=True)
class EgressPolicy:
    """What workloads may reach: everything but the blocked networks, except what is allowed by network or name."""

    blocked: tuple[Network, ...]
    allowed_networks: tuple[Network, ...] = ()
    allowed_hosts: frozenset[str] = frozenset()
    portal: Portal | None = None

    @classmethod
    def of(cls, blocked: Sequence[str], allowed: Sequence[str]) -> EgressPolicy:
        """Read the policy from networks, and networks or host names; raise `ValueError` on a bad blocked network."""
        networks: list[Network] = []
        hosts: set[str] = set()
        for entry in allowed:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry.lower().rstrip("."))
        return cls(tuple(ipaddress.ip_network(one) for one in blocked), tuple(networks), frozenset(hosts))

    @classmethod
    def from_settings(cls) -> EgressPolicy:
        """Read the platform's settings."""
        policy = cls.of(settings.SPACELAB.egress_blocked, settings.SPACELAB.egress_allowed)
        return replace(
            policy, portal=Portal(settings.SPACELAB.run_directory / "web.sock", settings.SPACELAB.portal_url)
        )

    def permits(self, host: str, address: str) -> bool:
        """Say whether a workload may reach `address`, to which `host` resolved."""
        if host.lower().rstrip(".") in self.allowed_hosts:
            return True
        shown = embedded(ipaddress.ip_address(address.split("%", maxsplit=1)[0]))
        if any(one in network for one in shown for network in self.allowed_networks):
            return True
        own = own_addresses()
        return not any(str(one) in own or any(one in network for network in self.blocked) for one in shown)


def _look_up(host: str, port: int) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


async def _connect(
    host: str, port: int, policy: EgressPolicy, share: Share
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Resolve, check, and connect to what was checked."""
    try:
        async with share.lookups:
            found = await asyncio.get_running_loop().run_in_executor(LOOKUPS, _look_up, host, port)
    except (OSError, UnicodeError) as error:
        raise Refused("502 Bad Gateway", f"The name “{host}” is not known.") from error
    permitted = [address for address in dict.fromkeys(found) if policy.permits(host, address)]
    if not permitted:
        raise Refused(
            "403 Forbidden",
            f"“{host}” lies in a network that sessions may not reach. An operator can allow it (egress_allowed).",
        )
    for address in permitted:
        with contextlib.suppress(OSError, TimeoutError):
            return await asyncio.wait_for(asyncio.open_connection(address, port), CONNECT_SECONDS)
    raise Refused("504 Gateway Timeout", f"“{host}” does not accept connections on port {port}.")


async def _connect_portal(portal: Portal) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    try:
        return await asyncio.open_unix_connection(str(portal.socket))
    except OSError as error:
        raise Refused("503 Service Unavailable", "The portal is starting again; try in a moment.") from error


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until their end, and pass the end on."""
    with contextlib.suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def parse(head: bytes) -> tuple[str, str, int, bytes]:
    """Return method, host, port and the head to pass on, empty for a tunnel; raise `Refused` on anything odd."""
    line, _, rest = head.partition(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
        if method == "CONNECT":
            where = urlsplit(f"//{target}")
            host, port = where.hostname, where.port
        else:
            url = urlsplit(target)
            host, port = url.hostname if url.scheme == "http" else None, url.port or 80
    except ValueError:
        host, port = None, None
    if not host or not port:
        raise Refused("400 Bad Request", "This is a proxy: send CONNECT host:port, or a whole http:// address.")
    if method == "CONNECT":
        return method, host, port, b""
    kept = [header for header in rest.split(b"\r\n") if header and not header.lower().startswith(HOP_HEADERS)]
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    first = f"{method} {path} {version}".encode()
    return method, host, port, b"\r\n".join([first, *kept, b"Connection: close", b"", b""])


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, policy: EgressPolicy, share: Share
) -> None:
    try:
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
    except asyncio.LimitOverrunError as error:
        raise Refused("431 Request Header Fields Too Large", "The request's head is too long.") from error
    except (asyncio.IncompleteReadError, TimeoutError, OSError):
        return
    method, host, port, passed_on = parse(head)
    if host == PORTAL_NAME and passed_on and policy.portal:
        passed_on = policy.portal.rewrite(passed_on)
        far_reader, far_writer = await _connect_portal(policy.portal)
    else:
        far_reader, far_writer = await _connect(host, port, policy, share)
    try:
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        else:
            far_writer.write(passed_on)
        back = asyncio.ensure_future(_pump(far_reader, writer))
        await _pump(reader, far_writer)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(back, HALF_CLOSED_SECONDS)
    finally:
        far_writer.close()


async def _handle(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, policy: EgressPolicy, shares: Shares
) -> None:
    try:
        with shares.connection(sandbox_of(writer.get_extra_info("socket"))) as share:
            await _serve(reader, writer, policy, share)
    except asyncio.CancelledError:
        return  # the controller ends; asyncio would log this as an error for each open connection
    except TooManyConnections:
        with contextlib.suppress(OSError):
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    except Refused as refusal:
        body = f"{refusal}\n".encode()
        head = f"HTTP/1.1 {refusal.status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n"
        with contextlib.suppress(OSError):
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            await writer.drain()
    finally:
        writer.close()


@contextlib.asynccontextmanager
async def egress_server(path: Path, policy: EgressPolicy) -> AsyncIterator[asyncio.Server]:
    """Serve the way out on a Unix socket as long as the context lasts; a socket left by an earlier run is replaced."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    shares = Shares()
    server = await asyncio.start_unix_server(
        lambda reader, writer: _handle(reader, writer, policy, shares), path=str(fresh), limit=HEAD_LIMIT
    )
    fresh.chmod(0o666)  # workloads run as another user; only they see the folder
    fresh.replace(path)
    async with server:
        yield server


async def serve_egress(path: Path | None = None, policy: EgressPolicy | None = None) -> None:
    """Serve the way out until cancelled: by default where workloads look for it, by the settings' policy."""
    where = path or egress_socket(settings.SPACELAB.run_directory)
    async with egress_server(where, policy or EgressPolicy.from_settings()) as server:
        await server.serve_forever()

"""Decisions of the edge: whose request it is, what reaches the application, where a browser may be sent."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

CODE_LIFETIME = timedelta(seconds=30)
"""How long a browser may take from the portal to the session's origin."""

ANSWER_SECONDS = 2.0
"""How long a positive answer may be repeated without a look at the database: revocation acts within it."""

REFRESH_SECONDS = 1.0
"""Age of an answer from which a request asks for a new one in the background, so that nobody waits for it."""

SWEEP_SECONDS = 1.5
"""Time between two looks at the visits behind open streams: the longest life of a stream after a revocation."""

ACTIVITY_SECONDS = 20.0
"""A session's activity is written down at most this often."""

ACTIVITY_REASON = "a browser is open"

ENTRY_PREFIX = "/_spacelab/"
"""The one path of a session's origin that is the platform's and never the application's."""

SESSION_ID = re.compile(r"[a-z][a-z0-9]{11}")
UPSTREAM = re.compile(r"unix/(/[A-Za-z0-9._/-]+)|(?:[A-Za-z0-9.-]+|\[[0-9a-f:]+\]):[0-9]{1,5}")
SAFE_METHODS = frozenset({"GET", "HEAD"})


def digest_of(secret: str) -> str:
    """Return the form in which a code's or a cookie's secret is kept: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def may_enter(*, person_id: int, active: bool, owner_id: int) -> bool:
    """Say whether a person may use a session's application: its owner may, while her account is active."""
    return active and person_id == owner_id


def visit_cookie(*, secure: bool) -> str:
    """Name the cookie of a visit; over https the prefix makes browsers refuse one that another host set."""
    return "__Host-spacelab_visit" if secure else "spacelab_visit"


def session_of_host(host: str, apps_domain: str) -> str:
    """Return the id of the session whose origin `host` (with or without a port) is, or an empty text."""
    label, _, rest = host.partition(":")[0].lower().partition(".")
    return label if rest == apps_domain.lower() and SESSION_ID.fullmatch(label) else ""


def origin_of(session_id: str, *, portal_url: str, apps_domain: str) -> str:
    """Return a session's origin, on the portal's scheme and port."""
    url = urlsplit(portal_url)
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{session_id}.{apps_domain}{port}"


def upstream_of(address: str) -> str:
    """Return a workload's address as Caddy dials it (`unix//path` or `host:port`), or an empty text if it isn't one."""
    if address.startswith("unix:"):
        address = f"unix/{address.removeprefix('unix:').removeprefix('//')}"
    return address if UPSTREAM.fullmatch(address) else ""


def local_path(path: str, default: str = "/") -> str:
    """Return `path` if it stays on the origin where it is used, else `default`.

    Browsers read a backslash as a slash and drop tabs and line ends, so all of these count as an attempt to leave.
    """
    if not path.startswith("/") or path.startswith("//") or "\\" in path or len(path) > 4000:  # noqa: PLR2004  a URL's practical length
        return default
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in path):  # noqa: PLR2004  control characters and space
        return default
    return quote(path, safe="/%?#[]@!$&'()*+,;=:~-._")


def open_url(session_id: str, *, portal_url: str, path: str = "") -> str:
    """Return the portal's address that sends a browser into the session, at `path` if one is given."""
    query = f"?{urlencode({'next': path})}" if path else ""
    return f"{portal_url}/sessions/{session_id}/open{query}"


def split_cookies(header: str, ours: str) -> tuple[str, str]:
    """Take our cookie out of a `Cookie` header: return its value (the first one) and the header without it."""
    value, rest = "", []
    for part in header.split(";"):
        name, equals, content = part.strip().partition("=")
        if name == ours and equals:
            value = value or content
        elif part.strip():
            rest.append(part.strip())
    return value, "; ".join(rest)


def bearer(authorization: str, prefix: str) -> str:
    """Return the platform's token in an `Authorization` header, or an empty text if it is the application's."""
    scheme, _, token = authorization.strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and token.startswith(prefix) else ""


def is_navigation(*, method: str, mode: str, accept: str) -> bool:
    """Say whether a person's browser asks for a page, so that a redirect helps; programs get a plain refusal."""
    if method not in SAFE_METHODS:
        return False
    return mode == "navigate" if mode else "text/html" in accept


def comes_from_itself(*, host: str, method: str, origin: str, site: str, mode: str) -> bool:
    """Say whether a request that a cookie carries was made by the session's own pages, or by a person's navigation.

    Sessions are neighbours below one domain, so `SameSite` alone does not keep one session's page from calling another
    with the visitor's cookie. `site` and `mode` are Fetch Metadata, which browsers send to https and localhost only.
    """
    if site in {"same-origin", "none"}:
        return True
    if site:
        return mode == "navigate" and method in SAFE_METHODS
    return not origin or origin.partition("://")[2] == host


@dataclass(frozen=True)
class Pass:
    """What lets a request through: a visit or a token, by its row's id."""

    kind: str
    row: int
    session_id: str
    person_id: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.row}.{self.session_id}.{self.person_id}"

    @classmethod
    def read(cls, text: str) -> Pass:
        """Read what `str` wrote; raise `ValueError` on anything else."""
        kind, row, session_id, person_id = text.split(".")
        if kind not in {"visit", "token"} or not SESSION_ID.fullmatch(session_id):
            raise ValueError(text)
        return cls(kind, int(row), session_id, int(person_id))


def caddy_variables(
    *,
    bind: str,
    port: int,
    portal_url: str,
    apps_domain: str,
    run_directory: Path,
    state: Path,
    trusted_proxies: tuple[str, ...] = (),
) -> dict[str, str]:
    """Return the variables that the Caddyfile reads.

    The edge itself speaks http; where the portal's address is https, a proxy in front of it ends TLS. Networks in
    `trusted_proxies` may say for whom they ask (`X-Forwarded-For`); nobody else is believed.
    """
    url = urlsplit(portal_url)
    return {
        "SPACELAB_BIND": bind,
        "SPACELAB_PORT": str(port),
        "SPACELAB_SCHEME": url.scheme,
        "SPACELAB_PORTAL_URL": portal_url,
        "SPACELAB_PORTAL_HOST": url.hostname or "localhost",
        "SPACELAB_APPS_DOMAIN": apps_domain,
        "SPACELAB_WEB_SOCKET": str(run_directory / "web.sock"),
        "SPACELAB_STREAMS_SOCKET": str(streams_socket(run_directory)),
        "SPACELAB_STATIC_ROOT": str(state / "static"),
        "SPACELAB_TRUSTED_PROXIES": " ".join(trusted_proxies),
    }


def streams_socket(run_directory: Path) -> Path:
    """Say where the edge hands over WebSockets and event streams."""
    return run_directory / "streams.sock"

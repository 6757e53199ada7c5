"""`/edge/authorize` answers the edge's question about each request to a session: may it pass, and where to."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from spacelab.accounts.rules import TOKEN_PREFIX
from spacelab.edge import queries, rules
from spacelab.edge.actions import note_use
from spacelab.edge.answers import Header, Receive, Scope, Send, redirect, say, show
from spacelab.edge.asking import ask
from spacelab.workloads.rules import FINAL

logger = logging.getLogger(__name__)

MOST_ANSWERS = 20_000
"""Answers kept at one time, a few hundred bytes each; beyond it the oldest go first."""

WANTED = {
    b"host": "host",
    b"cookie": "cookie",
    b"authorization": "authorization",
    b"x-forwarded-method": "method",
    b"x-forwarded-uri": "uri",
    b"origin": "origin",
    b"sec-fetch-site": "site",
    b"sec-fetch-mode": "mode",
    b"accept": "accept",
}


class Asked:
    """One request to a session, as the edge describes it; all text is Latin-1, as it came."""

    __slots__ = ("accept", "authorization", "cookie", "host", "method", "mode", "origin", "site", "uri")

    def __init__(self, headers: list[Header]) -> None:
        self.host = self.cookie = self.authorization = self.uri = self.method = ""
        self.origin = self.site = self.mode = self.accept = ""
        for name, value in headers:
            if name in WANTED:
                field, text = WANTED[name], value.decode("latin-1")
                if name == b"cookie" and self.cookie:
                    text = f"{self.cookie}; {text}"
                setattr(self, field, text)


@dataclass(frozen=True, slots=True)
class Kept:
    """A positive answer: good until 2 s after the database was asked."""

    asked_at: float
    found: queries.Found
    by_cookie: bool
    start: dict[str, object]


BODY = {"type": "http.response.body", "body": b""}


class Authorizer:
    """Answers from memory while it may, else from the database."""

    def __init__(self, *, portal_url: str, apps_domain: str, secure: bool) -> None:
        self._portal_url = portal_url
        self._apps_domain = apps_domain
        self._cookie = rules.visit_cookie(secure=secure)
        self._kept: dict[bytes, Kept] = {}
        self._asking: dict[bytes, asyncio.Task[queries.Found | None]] = {}
        self._noted: dict[rules.Pass, float] = {}
        self._noting: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        asked = Asked(scope["headers"])
        key = blake2b(f"{asked.host}\0{asked.cookie}\0{asked.authorization}".encode("latin-1"), digest_size=16).digest()
        kept, now = self._kept.get(key), time.monotonic()
        if kept is None or now - kept.asked_at > rules.ANSWER_SECONDS:
            kept = await self._look(key, asked, send)
            if kept is None:
                return
        elif now - kept.asked_at > rules.REFRESH_SECONDS:
            self._ask(key, asked)
        if kept.by_cookie and not rules.comes_from_itself(
            host=asked.host, method=asked.method, origin=asked.origin, site=asked.site, mode=asked.mode
        ):
            await say(send, 403, "This session answers only to its own pages.")
            return
        self.note(kept.found.by, now)
        await send(kept.start)
        await send(BODY)

    async def _look(self, key: bytes, asked: Asked, send: Send) -> Kept | None:
        session_id = rules.session_of_host(asked.host, self._apps_domain)
        if not session_id:
            await say(send, 404, "There is no such session.")
            return None
        found = await asyncio.shield(self._ask(key, asked))
        kept = self._kept.get(key)
        if found is not None and kept is not None and kept.found is found:
            return kept
        if found is None:
            await self._refuse(session_id, asked, send)
        else:
            await self._stand(found, asked, send)
        return None

    def _ask(self, key: bytes, asked: Asked) -> asyncio.Task[queries.Found | None]:
        """Ask the database, once for all who wait for the same answer."""
        task = self._asking.get(key)
        if task is None:
            task = self._asking[key] = asyncio.create_task(self._find(key, asked))
            task.add_done_callback(lambda done: self._asked(key, done))
        return task

    def _asked(self, key: bytes, done: asyncio.Task[queries.Found | None]) -> None:
        self._asking.pop(key, None)
        if not done.cancelled() and done.exception() is not None:
            logger.error("A request could not be authorised", exc_info=done.exception())

    async def _find(self, key: bytes, asked: Asked) -> queries.Found | None:
        session_id = rules.session_of_host(asked.host, self._apps_domain)
        visit, cookie = rules.split_cookies(asked.cookie, self._cookie)
        token = rules.bearer(asked.authorization, TOKEN_PREFIX)
        asked_at = time.monotonic()
        question: Callable[[], queries.Found | None]
        if token:
            question = lambda: queries.find_token(session_id, token)  # noqa: E731  one of two questions
        elif visit:
            question = lambda: queries.find_visit(session_id, visit)  # noqa: E731  the other
        else:
            return None
        found = await ask(question)
        self._kept.pop(key, None)
        if found is None or not found.upstream:
            return found
        headers: list[Header] = [
            (b"content-length", b"0"),
            (b"x-upstream", found.upstream.encode()),
            (b"x-pass", str(found.by).encode()),
        ]
        if cookie:
            headers.append((b"x-app-cookie", cookie.encode("latin-1")))
        if asked.authorization and not token:
            headers.append((b"x-app-authorization", asked.authorization.encode("latin-1")))
        while len(self._kept) >= MOST_ANSWERS:
            del self._kept[next(iter(self._kept))]
        start: dict[str, object] = {"type": "http.response.start", "status": 200, "headers": headers}
        self._kept[key] = Kept(asked_at, found, not token, start)
        return found

    async def _refuse(self, session_id: str, asked: Asked, send: Send) -> None:
        if rules.bearer(asked.authorization, TOKEN_PREFIX):
            await say(send, 403, "This token does not open this session.")
        elif rules.is_navigation(method=asked.method, mode=asked.mode, accept=asked.accept):
            path = rules.local_path(asked.uri)
            await redirect(send, 302, rules.open_url(session_id, portal_url=self._portal_url, path=path))
        else:
            await say(send, 401, "Open this session from the portal first, or sign in there again.")

    async def _stand(self, found: queries.Found, asked: Asked, send: Send) -> None:
        over = found.phase in FINAL
        status = 410 if over else 503
        if not rules.is_navigation(method=asked.method, mode=asked.mode, accept=asked.accept):
            await say(send, status, "This session has ended." if over else "This session does not run yet.")
            return
        await show(
            send,
            status,
            title="This session has ended" if over else "This session is not running yet",
            message=found.reason or ("What you saved is in your workspace." if over else "It is being started."),
            link=f"{self._portal_url}/sessions/{found.by.session_id}",
            link_text="The session's page",
            refresh=0 if over else 2,
        )

    def note(self, by: rules.Pass, now: float) -> None:
        """Write down that a pass is used, and the session with it, at most once in a while."""
        if now - self._noted.get(by, -rules.ACTIVITY_SECONDS) < rules.ACTIVITY_SECONDS:
            return
        while len(self._noted) >= MOST_ANSWERS:
            del self._noted[next(iter(self._noted))]
        self._noted[by] = now
        task = asyncio.create_task(self._note(by))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def _note(self, by: rules.Pass) -> None:
        try:
            await ask(lambda: note_use(by=by))
        except Exception:  # the visitor's request goes on
            logger.exception("The use of session %s could not be written down", by.session_id)

"""What stands before Django in the web program: the edge's questions, the entry to sessions, and the relay's life."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from spacelab.edge import rules
from spacelab.edge.answers import Application, Receive, Scope, Send, say
from spacelab.edge.authorize import Authorizer
from spacelab.edge.entry import Entry
from spacelab.edge.streams import Streams


def _header(scope: Scope, wanted: bytes) -> str:
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


class Front:
    """Answers what concerns sessions' origins itself, without any middleware; everything else is Django's.

    On a session's origin there is nothing of the portal, whatever the path: its pages and cookies stay apart.
    """

    def __init__(self, inner: Application, *, portal_url: str, apps_domain: str, run_directory: Path) -> None:
        secure = urlsplit(portal_url).scheme == "https"
        self._inner = inner
        self._apps_domain = apps_domain
        self._portal_host = urlsplit(portal_url).hostname or ""
        self.authorize = Authorizer(portal_url=portal_url, apps_domain=apps_domain, secure=secure)
        self.entry = Entry(portal_url=portal_url, secure=secure)
        self.streams = Streams(rules.streams_socket(run_directory), note=self.authorize.note)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["path"] == "/edge/authorize":
            await self.authorize(scope, receive, send)
            return
        host = _header(scope, b"host")
        scope["client"] = (_header(scope, b"x-real-ip"), 0)  # a Unix socket has no address; the edge says whose it is
        name = host.partition(":")[0].lower()
        if name == self._portal_host or not name.endswith(f".{self._apps_domain}"):
            await self._inner(scope, receive, send)
            return
        session_id = rules.session_of_host(host, self._apps_domain)
        if session_id and scope["path"].startswith(rules.ENTRY_PREFIX):
            await self.entry(scope, receive, send, session_id=session_id)
        else:
            await say(send, 404, "There is nothing here.")

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.streams.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.streams.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return

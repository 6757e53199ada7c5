"""`/_spacelab/…` on a session's origin: where a code from the portal becomes a visit."""

from __future__ import annotations

from urllib.parse import parse_qs

from spacelab.edge import actions, queries, rules
from spacelab.edge.answers import Receive, Scope, Send, redirect, say, show
from spacelab.edge.asking import ask
from spacelab.kit.refusals import Refusal


class Entry:
    """Trades codes for visits; everything else below the prefix is refused."""

    def __init__(self, *, portal_url: str, secure: bool) -> None:
        self._portal_url = portal_url
        self._secure = secure
        self._cookie = rules.visit_cookie(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, *, session_id: str) -> None:  # noqa: ARG002  ASGI's signature
        if scope["path"] != f"{rules.ENTRY_PREFIX}enter":
            await say(send, 404, "There is nothing here.")
            return
        if scope["method"] != "GET":
            await say(send, 405, "Only GET is understood here.")
            return
        query = parse_qs(scope["query_string"].decode("latin-1"))
        code, path = query.get("code", [""])[0], rules.local_path(query.get("next", ["/"])[0])
        present = self._present(scope)
        found = await ask(lambda: queries.find_visit(session_id, present)) if present else None
        guest = found.by.person_id if found else None
        try:
            cookie = await ask(lambda: actions.redeem_code(code=code, session_id=session_id, guest=guest))
        except Refusal as refusal:
            await show(
                send,
                refusal.status,
                title=refusal.message,
                message=refusal.advice,
                link=f"{self._portal_url}/sessions/{session_id}",
                link_text="The session's page",
            )
            return
        if not cookie:
            await redirect(send, 303, path)
            return
        flags = "; Secure" if self._secure else ""
        header = f"{self._cookie}={cookie}; Path=/; HttpOnly; SameSite=Lax{flags}"
        await redirect(send, 303, path, [(b"set-cookie", header.encode())])

    def _present(self, scope: Scope) -> str:
        """Return the visit that the browser carries already: its open tabs and streams go on with it."""
        header = "; ".join(value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie")
        return rules.split_cookies(header, self._cookie)[0]

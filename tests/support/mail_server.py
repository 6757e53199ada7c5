"""A real mail server on this machine, with TLS and sign-in where a test wants them."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from support.ports import free_port

USER, PASSWORD = "spacelab", "a long password"


@dataclass
class Received:
    """What came in: the mails, for whom, and whether the way was protected and signed in."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    protected: list[bool] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    """Recipients that are refused, each with the answer."""
    content_answer: str = ""
    """The answer to every mail's content, where a test wants a refusal."""

    async def handle_RCPT(  # noqa: N802  the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take a recipient, or refuse."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  as above
        """Keep a mail."""
        if self.content_answer:
            return self.content_answer
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.recipients.append(list(envelope.rcpt_tos))
        transport = server.transport
        self.protected.append(transport is not None and transport.get_extra_info("sslcontext") is not None)
        self.signed_in.append(bool(session.authenticated))
        return "250 OK"


def certificate(folder: Path) -> tuple[Path, Path]:
    """Make a self-signed certificate for this machine: the paths of the certificate and of its key."""
    made, key = folder / "mail.pem", folder / "mail.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", str(key), "-out", str(made)),
        ],
        check=True,
        capture_output=True,
    )
    return made, key


def _check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=right, handled=right)


@contextmanager
def mail_server(*, security: str = "none", folder: Path | None = None) -> Iterator[tuple[Received, int, Path | None]]:
    """Run a mail server: yields what it receives, its port, and its certificate where it has one.

    With `security` other than "none" it wants a sign-in as well.
    """
    received, made, options = Received(), None, dict[str, Any]()
    if security != "none":
        assert folder is not None
        made, key = certificate(folder)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(made, key)
        options = {"authenticator": _check, "auth_required": True}
        if security == "tls":
            options |= {"ssl_context": context, "auth_require_tls": False}  # it knows STARTTLS alone for that
        else:
            options |= {"tls_context": context, "require_starttls": True}
    port = free_port()
    server = Controller(received, hostname="127.0.0.1", port=port, **options)
    server.start()
    try:
        yield received, port, made
    finally:
        server.stop()

"""Mail by SMTP, as the settings say: the password comes from its file, certificates are checked."""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

SECONDS = 20
"""How long the server may take to answer."""


class SmtpBackend(EmailBackend):
    """Django's, with what the platform's own settings say; the password is read when a connection is opened."""

    def __init__(self, *, fail_silently: bool = False, **_others: Any) -> None:
        platform = settings.SPACELAB
        super().__init__(
            host=platform.mail_host,
            port=platform.mail_port or platform.usual_mail_port,
            username=platform.mail_user,
            password="",
            use_tls=platform.mail_security == "starttls",
            use_ssl=platform.mail_security == "tls",
            fail_silently=fail_silently,
            timeout=SECONDS,
        )
        self._authorities = platform.mail_ca

    def open(self) -> bool | None:
        """Connect and sign in; raises `OSError` when the password can't be read or the server is away."""
        file = settings.SPACELAB.mail_password_file
        if file is not None and not self.connection:
            self.password = file.read_text(errors="replace").strip()
        return super().open()

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        """Trust the system's authorities, and those of the setting `mail_ca`."""
        context = ssl.create_default_context()
        if self._authorities is not None:
            context.load_verify_locations(self._authorities)
        return context

"""One mail from a person's news: plain text and simple HTML, with a way to end such mail by one click."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse

from spacelab.accounts.models import Person
from spacelab.notifications import queries, rules
from spacelab.notifications.models import Notification


def address_of(path: str) -> str:
    """Return the public address of a path of the portal."""
    return f"{settings.SPACELAB.portal_url}{path}"


def compose(person: Person, news: Sequence[Notification]) -> EmailMultiAlternatives:
    """Write the mail that tells a person these news, at least one.

    The headers `List-Unsubscribe` and `List-Unsubscribe-Post` follow RFC 8058, `Auto-Submitted` RFC 3834. The mail's id
    depends on the news alone, so that a mail sent twice after a crash is one for the reader's program.
    """
    shown = news[: rules.MOST_IN_A_MAIL]
    kinds = {one.kind for one in news}
    leave = address_of(reverse("notifications:unsubscribe", args=[queries.unsubscribe_token(person, kinds)]))
    context = {
        "person": person,
        "news": [(one, address_of(reverse("notifications:open", args=[one.pk]))) for one in shown],
        "more": len(news) - len(shown),
        "all_news": address_of(reverse("notifications:list")),
        "choices": address_of(reverse("notifications:choices")),
        "leave": leave,
    }
    host = urlsplit(settings.SPACELAB.portal_url).hostname or "localhost"
    mark = sha256(",".join(f"{one.pk}.{one.times}" for one in news).encode()).hexdigest()[:32]
    mail = EmailMultiAlternatives(
        subject=news[0].title if len(news) == 1 else f"{len(news)} news from Spacelab",
        body=render_to_string("notifications/mail.txt", context),
        to=[person.email],
        headers={
            "Message-ID": f"<{mark}@{host}>",
            "List-Id": f"Spacelab notifications <notifications.{host}>",
            "List-Unsubscribe": f"<{leave}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    return mail

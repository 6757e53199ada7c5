"""Pages of news: the bell, the list, the choices, the feed, and the end of mail by one click."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import conditional_page, require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import signed_in
from spacelab.kit.refusals import NotFound
from spacelab.notifications import actions, queries
from spacelab.notifications.feeds import NewsFeed
from spacelab.notifications.forms import ChoicesForm
from spacelab.notifications.mails import address_of
from spacelab.notifications.rules import KINDS

PER_PAGE = 30
STOP_POLLING = 286
"""The status with which htmx asks no more."""


@never_cache
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """List a person's news, all or the unread ones."""
    person = signed_in(request.user)
    unread = request.GET.get("show") == "unread"
    page = Paginator(queries.news_of(person, unread=unread), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "notifications/list.html", {"page": page, "unread": unread})


@never_cache
@require_safe
def bell(request: HttpRequest) -> HttpResponse:
    """Answer the bell with its new state; nothing while it still shows what is so, an end for a visitor."""
    if not isinstance(request.user, Person):
        return HttpResponse(status=STOP_POLLING, headers={"HX-Reswap": "none"})
    if request.GET.get("shown") == str(queries.unread_count(request.user)):
        return HttpResponse(status=204)
    return render(request, "notifications/_bell.html")


@never_cache
@require_safe
def open_news(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Lead to what the news are about, which are read then."""
    found = actions.mark_read(by=signed_in(request.user), notification_id=notification_id)
    return redirect(found.url or reverse("notifications:list"))


@require_POST
def read(request: HttpRequest, notification_id: int) -> HttpResponse:
    """Note one piece of news as read."""
    actions.mark_read(by=signed_in(request.user), notification_id=notification_id)
    return _back(request)


@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Note all news as read."""
    actions.mark_all_read(by=signed_in(request.user))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    show = "?show=unread" if request.POST.get("show") == "unread" else ""
    return redirect(f"{reverse('notifications:list')}{show}")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Show and change where a person hears news."""
    person = signed_in(request.user)
    form = ChoicesForm(queries.choices_of(person), request.POST or None)
    if request.method == "POST" and form.is_valid():
        actions.choose(by=person, choices=form.chosen())
        messages.success(request, "Your choices are saved.")
        return redirect("notifications:choices")
    return _choices_page(request, person, form)


def _choices_page(request: HttpRequest, person: Person, form: ChoicesForm, feed: str = "") -> HttpResponse:
    context = {
        "form": form,
        "person": person,
        "mail_is_set_up": queries.mail_is_set_up(),
        "feed_since": queries.feed_since(person),
        "feed_address": feed,
    }
    return render(request, "notifications/choices.html", context)


@never_cache
@require_POST
def renew_feed(request: HttpRequest) -> HttpResponse:
    """Make a feed's address and show it this one time."""
    person = signed_in(request.user)
    address = address_of(reverse("notifications:feed", args=[actions.renew_feed(by=person)]))
    return _choices_page(request, person, ChoicesForm(queries.choices_of(person)), address)


@require_POST
def end_feed(request: HttpRequest) -> HttpResponse:
    """End a person's feed."""
    actions.end_feed(by=signed_in(request.user))
    messages.success(request, "Your feed is gone; its address leads nowhere any more.")
    return redirect("notifications:choices")


@conditional_page
@require_safe
def feed(request: HttpRequest, secret: str) -> HttpResponseBase:
    """Send the titles and links of a person's news as an Atom feed, to whoever has its secret address."""
    answer = NewsFeed()(request, secret=secret)
    answer["Cache-Control"] = "private, max-age=60"
    answer["Referrer-Policy"] = "no-referrer"
    return answer


@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """End the mail that a signed link names, without a sign-in: a mail program posts (RFC 8058), a person presses."""
    target = queries.unsubscribe_target(token)
    if target is None:
        raise NotFound("This link is not whole.", advice="Copy all of it from the mail, or sign in and choose there.")
    if request.method == "POST":
        actions.unsubscribe(token=token)
    titles = [KINDS[kind].title for kind in target[1]]
    context = {"titles": titles, "done": request.method == "POST"}
    answer = render(request, "notifications/unsubscribe.html", context)
    answer["Referrer-Policy"] = "no-referrer"
    return answer

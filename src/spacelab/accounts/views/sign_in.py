"""Signing in and out, setting a password by a link, asking for an account."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from spacelab.accounts import actions, queries
from spacelab.accounts.forms import RequestAccessForm, SetPasswordForm, SignInForm
from spacelab.accounts.models import Person
from spacelab.kit.loopback import client_address, is_local_request
from spacelab.kit.refusals import NotFound

LINK_KEY = "password_link"
"""Where a browser's session keeps a link's secret between the address that holds it and the form."""


def _onward(request: HttpRequest) -> str:
    """Return the local address that the visitor wanted, or the catalogue."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    local = url_has_allowed_host_and_scheme(wanted, allowed_hosts=None, require_https=False)
    return wanted if local and wanted.startswith("/") else resolve_url(settings.LOGIN_REDIRECT_URL)


def _demo_people(request: HttpRequest) -> list[Person]:
    return list(queries.demo_people()) if is_local_request(request) else []


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """Show the form, or check name and password and go on."""
    if request.method == "GET" and isinstance(request.user, Person):
        return redirect(_onward(request))
    form = SignInForm(request.POST or None)
    status = 200
    if request.method == "POST":
        address = client_address(request)
        person = form.attempt(lambda data: actions.verify_password(**data, address=address))
        if person:
            login(request, person)
            return redirect(_onward(request))
        status = 422
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    context = {"form": form, "next": wanted, "people": _demo_people(request)}
    return render(request, "accounts/sign_in.html", context, status=status)


@require_POST
def sign_in_as_demo(request: HttpRequest) -> HttpResponse:
    """Sign in as a demo person, on this machine only."""
    username = request.POST.get("username", "")
    person = actions.sign_in_as_demo(username=username, is_local=is_local_request(request))
    login(request, person)
    return redirect(_onward(request))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End this browser's sign-in."""
    logout(request)
    return redirect("/")


@never_cache
@require_http_methods(["GET"])
def password_link(request: HttpRequest, secret: str) -> HttpResponse:
    """Take the secret out of the address at once: it goes on in the browser's session."""
    request.session[LINK_KEY] = secret
    return redirect("accounts:set-password")


@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def set_password(request: HttpRequest) -> HttpResponse:
    """Set a password with the link that was opened before, and sign in."""
    secret = request.session.get(LINK_KEY, "")
    link = queries.open_password_link(secret)
    if link is None:
        raise NotFound(
            "This link was used, has expired, or never was one.", advice="Ask an operator for a new password link."
        )
    form = SetPasswordForm(request.POST or None)
    person = form.attempt(lambda data: actions.set_password_by_link(secret=secret, **data))
    if person:
        request.session.flush()
        login(request, person)
        messages.success(request, "Your password is set. Sign-ins elsewhere have ended.")
        return redirect(_onward(request))
    return render(request, "accounts/set_password.html", {"form": form, "person": link.person})


@require_http_methods(["GET", "POST"])
def request_access(request: HttpRequest) -> HttpResponse:
    """Ask for an account."""
    form = RequestAccessForm(request.POST or None)
    address = client_address(request)

    def ask(data: dict[str, str]) -> bool:
        actions.request_access(**data, address=address)
        return True

    if request.method == "POST" and form.attempt(ask):
        return redirect("accounts:access-requested")
    return render(request, "accounts/request_access.html", {"form": form})


def access_requested(request: HttpRequest) -> HttpResponse:
    """Say what happens next."""
    return render(request, "accounts/access_requested.html")

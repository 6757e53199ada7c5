"""The operators' pages about archive volumes: all of them, declaring, changing, retiring, bringing back."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from spacelab.accounts.models import Person
from spacelab.accounts.queries import require, signed_in
from spacelab.kit.refusals import Conflict, Invalid
from spacelab.volumes import actions, queries
from spacelab.volumes.forms import DeclarationForm
from spacelab.volumes.models import Volume
from spacelab.volumes.permissions import VolumePermission


def _operator(request: HttpRequest) -> Person:
    """Return who asks, if her roles let her manage volumes."""
    person = signed_in(request.user)
    require(person, VolumePermission.MANAGE)
    return person


@require_safe
def every(request: HttpRequest) -> HttpResponse:
    """List every archive volume, retired ones too, and who may mount each."""
    _operator(request)
    return render(request, "volumes/manage.html", {"volumes": queries.archives().prefetch_related("people", "teams")})


@require_http_methods(["GET", "HEAD", "POST"])
def declare(request: HttpRequest) -> HttpResponse:
    """Declare a new archive volume."""
    by = _operator(request)
    form = DeclarationForm(request.POST or None)
    if _declared(form, by=by, new=True):
        messages.success(request, f"“{form.cleaned_data['title']}” is declared.")
        return redirect("manage-volumes:list")
    return render(request, "volumes/declare.html", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Change what is declared of one archive volume."""
    by = _operator(request)
    volume = queries.get_archive(name)
    form = DeclarationForm(request.POST or None, volume=volume)
    if _declared(form, by=by, new=False):
        messages.success(request, f"“{form.cleaned_data['title']}” is saved.")
        return redirect("manage-volumes:list")
    return render(request, "volumes/declare.html", {"form": form, "volume": volume})


def _declared(form: DeclarationForm, *, by: Person, new: bool) -> bool:
    if not form.is_bound or not form.is_valid():
        return False
    try:
        actions.declare_archive(by=by, declaration=form.declaration(), new=new)
    except (Invalid, Conflict) as refusal:
        form.refuse(refusal)
        return False
    return True


@require_POST
def retire(request: HttpRequest, name: str) -> HttpResponse:
    """Take an archive volume out of use."""
    by = _operator(request)
    return _said(request, lambda: actions.retire_archive(by=by, name=name), f"“{name}” is retired; its files stay.")


@require_POST
def bring_back(request: HttpRequest, name: str) -> HttpResponse:
    """Take a retired archive volume into use again."""
    by = _operator(request)
    return _said(request, lambda: actions.bring_back_archive(by=by, name=name), f"“{name}” is in use again.")


def _said(request: HttpRequest, action: Callable[[], Volume], done: str) -> HttpResponse:
    """Do it, and say on the list what came of it."""
    try:
        action()
    except (Invalid, Conflict) as refusal:
        messages.error(request, f"{refusal.message} {refusal.advice}".strip())
    else:
        messages.success(request, done)
    return redirect("manage-volumes:list")

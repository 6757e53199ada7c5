"""The site with one page more: the form for metadata, saved nowhere, and what a reader sees of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import URLPattern, URLResolver, path

from spacelab.publishing.forms import TermsForm
from spacelab.publishing.rules import terms
from spacelab.site.urls import handler400, handler403, handler404, handler500
from spacelab.site.urls import urlpatterns as of_the_site
from support.terms import full

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

PAGE = """{% extends "ui/base.html" %}{% block title %}Metadata{% endblock %}{% block main %}
<header class="page-head"><div><h1>Metadata</h1></div></header>
<form class="form" method="post">{% csrf_token %}{% include "publishing/_terms_form.html" %}
<div class="action-bar"><button class="button primary">Save</button></div></form>
<section class="stack"><h2>What others see</h2>{% include "publishing/_terms.html" %}</section>{% endblock %}"""


def edit(request: HttpRequest) -> HttpResponse:
    """Show the form, and below it what an outsider sees of what was sent last."""
    stored = full()
    form = TermsForm(request.POST or None, kind="datalab", initial=stored)
    if form.is_bound and form.is_valid():
        stored = terms.merged(stored, form.changes, writer="author", kind="datalab")
    shown = terms.shown(stored, insider=False, kind="datalab")
    return HttpResponse(engines["django"].from_string(PAGE).render({"form": form, "terms": shown}, request))


urlpatterns: list[URLPattern | URLResolver] = [path("try/terms", edit), *of_the_site]

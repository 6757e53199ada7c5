"""The parts of pages that the keyword picker asks for while somebody types."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from spacelab.accounts.models import Person
from spacelab.kit.refusals import Invalid, NotSignedIn
from spacelab.publishing import queries
from spacelab.publishing.forms import KEYWORDS, KeywordPicker

LONGEST_TEXT = 8000
"""Characters of all keywords in the field: 50 of 100, and the commas."""


def _typed(request: HttpRequest) -> str:
    """Return what stands in the field, for somebody who is signed in."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to write metadata.")
    text = request.GET.get(KEYWORDS, "")
    if len(text) > LONGEST_TEXT:
        raise Invalid("These are too many keywords.", advice="Keep those that matter most.", field=KEYWORDS)
    return text


@require_safe
def suggestions(request: HttpRequest) -> HttpResponse:
    """List the concepts of the thesaurus that fit the keyword being typed."""
    found = queries.suggest_keywords(_typed(request))
    return render(request, "publishing/_suggestions.html", {"suggestions": found, "title": queries.thesaurus().title})


@require_safe
def pick(request: HttpRequest) -> HttpResponse:
    """Put a concept in place of the keyword being typed, and show the field again."""
    before = [word for one in _typed(request).replace(";", ",").split(",")[:-1] if (word := one.strip())]
    picked = queries.thesaurus().concept_of(request.GET.get("pick", "")[:LONGEST_TEXT])
    if picked is None:
        raise Invalid("The thesaurus has no such concept.", advice="Type the keyword instead.", field=KEYWORDS)
    words = [*(word for word in before if word.casefold() != picked.label.casefold()), picked.label]
    field = KeywordPicker(
        {"autofocus": True, "data-caret": "end", "autocomplete": "off", "aria-describedby": f"id_{KEYWORDS}_helptext"}
    )
    return HttpResponse(field.render(KEYWORDS, ", ".join(words) + ", ", {"id": f"id_{KEYWORDS}"}))

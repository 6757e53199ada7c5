"""The portal's door to a session."""

from __future__ import annotations

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from spacelab.accounts.models import Person
from spacelab.edge import actions, queries, rules
from spacelab.kit.refusals import NotFound, NotSignedIn
from spacelab.sessions.models import Session


@never_cache
@require_safe
def open_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """Send the person's browser to the session's own origin, with a code that works once and for half a minute."""
    if not isinstance(request.user, Person):
        raise NotSignedIn("This needs an account.", advice="Sign in to open your session.")
    session = Session.objects.select_related("workload").filter(pk=session_id).first()
    if session is None:
        raise NotFound("There is no such session.", advice="Look at the list of your sessions.")
    code = actions.issue_code(by=request.user, session=session, portal_key=request.session.session_key or "")
    path = rules.local_path(request.GET.get("next", ""), default=queries.start_path(session))
    origin = rules.origin_of(
        session_id, portal_url=settings.SPACELAB.portal_url, apps_domain=settings.SPACELAB.apps_domain
    )
    answer = HttpResponseRedirect(f"{origin}{rules.ENTRY_PREFIX}enter?{urlencode({'code': code, 'next': path})}")
    answer.status_code = 303
    answer["Referrer-Policy"] = "no-referrer"
    return answer

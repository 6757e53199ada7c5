"""What the controller does for sessions at regular times: the rule for idle sessions, restarts, ended tokens."""

from __future__ import annotations

import logging

from django.utils import timezone

from spacelab.accounts.actions import end_workload_tokens
from spacelab.accounts.models import ApiToken
from spacelab.audit.actions import System
from spacelab.kit.refusals import Refusal
from spacelab.sessions import actions, counting, queries, rules
from spacelab.workloads.models import Workload
from spacelab.workloads.rules import FINAL, Phase

logger = logging.getLogger(__name__)
SYSTEM = System("sessions")
COUNTED_AT_ONCE = 500
"""Launches counted in one look: after an upgrade there may be many."""


def apply_idle_policy() -> None:
    """Warn the owners of sessions that will soon have been idle for long enough, and stop those that have been."""
    now, policy = timezone.now(), queries.idle_policy()
    for session in queries.running().filter(workload__phase=Phase.RUNNING, thread=""):
        active_at, _ = queries.activity_of(session)
        decided = rules.verdict(
            now,
            active_at=active_at,
            keep_until=session.keep_until,
            warned_at=session.warned_at,
            policy=policy,
        )
        if decided is rules.Verdict.WARN:
            actions.warn(by=SYSTEM, session_id=session.id)
        elif decided is rules.Verdict.STOP:
            actions.stop_idle(by=SYSTEM, session_id=session.id)


def finish_restarts() -> None:
    """Launch again what people wanted restarted and has ended; a refusal ends the wait."""
    for session in queries.to_restart():
        try:
            actions.finish_restart(by=session.owner, session_id=session.id)
        except Refusal as refusal:
            logger.warning("session %s is not restarted: %s", session.id, refusal.message)
            actions.give_up_restart(by=SYSTEM, session_id=session.id, why=f"{refusal.message} {refusal.advice}"[:300])


def keep_logs() -> None:
    """Keep what ended sessions printed last, so that their pages can show it after the runtime has forgotten them."""
    for session in queries.with_log_to_keep():
        actions.keep_log(by=SYSTEM, session_id=session.id)


def count_launches() -> None:
    """Count the launches that have turned out since the last look."""
    for session_id in list(counting.to_count().values_list("pk", flat=True)[:COUNTED_AT_ONCE]):
        counting.count_launch(session_id=session_id)


def end_tokens() -> None:
    """End the tokens of sessions that are over."""
    living = ApiToken.objects.exclude(workload="").filter(revoked_at=None, expires_at__gt=timezone.now())
    ended = Workload.objects.filter(pk__in=living.values("workload"), phase__in=FINAL).values_list("pk", flat=True)
    for workload_id in list(ended):
        end_workload_tokens(workload=workload_id)

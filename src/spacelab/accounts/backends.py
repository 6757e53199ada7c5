"""Who a browser's sign-in belongs to, looked up at each request."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from spacelab.accounts import queries
from spacelab.accounts.models import Person


class LocalBackend(BaseBackend):
    """Finds the person of a sign-in as long as she may act; passwords are checked by `actions.verify_password`."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Prove nothing here, so that no other way around the throttle exists."""

    def get_user(self, user_id: int) -> Person | None:
        return queries.acting_people().filter(pk=user_id).first()

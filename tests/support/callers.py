"""Programs that speak to the API for tests."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client

from spacelab.accounts import actions as accounts
from spacelab.accounts.models import Person


class Caller:
    """A program with somebody's token."""

    def __init__(self, person: Person, *scopes: str) -> None:
        _, secret = accounts.create_token(by=person, name="test", lifetime_days=1, scopes=scopes or ("review",))
        self.client = Client(headers={"Authorization": f"Bearer {secret}"})

    def get(self, address: str) -> Any:
        """Read something."""
        return self.client.get(address)

    def send(self, method: str, address: str, body: dict[str, Any]) -> Any:
        """Send JSON."""
        return self.client.generic(method, address, data=json.dumps(body), content_type="application/json")

"""Fixtures that every kind of test may use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.people import make_person

if TYPE_CHECKING:
    from spacelab.accounts.models import Person


@pytest.fixture
def scientist(db: None) -> Person:
    """Somebody who may launch."""
    return make_person("ada")


@pytest.fixture
def operator(db: None) -> Person:
    """Somebody who runs the platform."""
    return make_person("olga", "operator")

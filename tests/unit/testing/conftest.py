"""What tests of launch tests share."""

from __future__ import annotations

import pytest

from spacelab.accounts.models import Person
from support.launch_tests import place  # noqa: F401  fixtures are found by name here
from support.people import make_person
from support.sessions import quiet_runtime  # noqa: F401  as above


@pytest.fixture
def author(db: None) -> Person:
    """Somebody who writes a datalab."""
    return make_person("dora", "developer")

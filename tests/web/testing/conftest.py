"""What tests of the testing pages share."""

from __future__ import annotations

from support.launch_tests import place  # noqa: F401  fixtures are found by name here
from support.sessions import quiet_runtime  # noqa: F401  as above

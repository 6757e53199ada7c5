"""What tests of pipelines' pages need."""

from support.sessions import quiet_runtime  # noqa: F401  fixtures are found by name here

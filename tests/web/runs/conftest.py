"""What tests of runs need."""

from support.sessions import archive, quiet_runtime  # noqa: F401  fixtures are found by name here

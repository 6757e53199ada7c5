"""What tests of sessions need."""

from support.sessions import archive, jupyterlab, quiet_runtime  # noqa: F401  fixtures are found by name here

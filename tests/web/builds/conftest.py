"""What tests of builds need."""

from support.builds import workshop  # noqa: F401  fixtures are found by name here
from support.sessions import quiet_runtime  # noqa: F401  as above

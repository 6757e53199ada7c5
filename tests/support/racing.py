"""The tests' settings for a program of its own, whose threads race each other on a real database."""

from support.settings import *  # noqa: F403  all of them

WORKLOAD_RUNTIME = "support.sessions.QuietRuntime"

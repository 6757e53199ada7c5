"""Jobs as plain processes of this user: for machines without sandboxes, and for one person's own use."""

from __future__ import annotations

from cwl_runner.backends.slots import Slots


class Local(Slots):
    """Each job is a session of processes; what it leaves running is ended with it."""

    name = "local"
    isolated = False

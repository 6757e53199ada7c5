"""Sessions, and what a person chose at her last launch of a datalab."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person
from spacelab.datalabs.models import Datalab, DatalabVersion
from spacelab.workloads.models import Workload


class Session(models.Model):
    """One running copy of a datalab version, owned by one person; its id is its workload's and its host name."""

    workload = models.OneToOneField(Workload, primary_key=True, on_delete=models.PROTECT, related_name="session")
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="lab_sessions")
    version = models.ForeignKey(
        DatalabVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="lab_sessions"
    )
    """Empty once it was deleted, which only a draft can be: what it was is told by the next three."""
    datalab_slug = models.CharField(max_length=60, blank=True, default="")
    datalab_title = models.CharField(max_length=120, blank=True, default="")
    version_number = models.CharField(max_length=40, blank=True, default="")
    title = models.CharField(max_length=120)
    profile = models.CharField(max_length=40)
    volumes = models.JSONField(default=list)
    teams = models.JSONField(default=list)
    opens = models.JSONField(default=list)
    """The files that the application was asked to open, as paths inside."""
    thread = models.CharField(max_length=60, blank=True, default="")
    """The predefined processing thread that it runs, by name; empty where it runs the application."""
    inputs = models.JSONField(default=dict)
    """The thread's inputs: name → value as text."""
    job = models.JSONField(default=dict)
    """The job of a run that it has at hand: run, job, folder, environment; empty without one."""
    results = models.CharField(max_length=200, blank=True, default="")
    """The folder of the thread's results, relative to its owner's workspace."""
    is_test = models.BooleanField(default=False)
    """Whether its version was not published when it was launched: whoever tries it knows that."""
    counted = models.BooleanField(default=False)
    """Whether its launch counts already in the statistics and among the people who use its datalab."""
    active_at = models.DateTimeField()
    """The last sign of activity: a request from a browser, a busy kernel, or work on the CPU."""
    active_because = models.CharField(max_length=40, default="launched")
    keep_until = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)
    restart_wanted = models.BooleanField(default=False)
    """Whether the same choices are to be launched again once this session has ended."""
    restarted_as = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["owner"], name="sessions_of_owner"),
            models.Index(fields=["counted"], name="sessions_to_count", condition=models.Q(counted=False)),
            models.Index(
                fields=["restart_wanted"], name="sessions_to_restart", condition=models.Q(restart_wanted=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.workload_id})"

    @property
    def id(self) -> str:
        """The session's id, which is its workload's."""
        return self.workload_id

    @property
    def version_name(self) -> str:
        """The datalab's title and the version that it runs, also once that was deleted."""
        return f"{self.datalab_title} {self.version_number}"


class KeptLog(models.Model):
    """The end of what an ended session printed; the runtime keeps nothing of it."""

    session = models.OneToOneField(Session, primary_key=True, on_delete=models.CASCADE, related_name="kept_log")
    start = models.BigIntegerField(default=0)
    """How many bytes had been printed before these."""
    text = models.BinaryField()

    def __str__(self) -> str:
        return f"log of {self.session_id}"


class LaunchChoice(models.Model):
    """What a person chose when she last launched a datalab, offered again next time."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    datalab = models.ForeignKey(Datalab, on_delete=models.CASCADE, related_name="+")
    profile = models.CharField(max_length=40)
    volumes = models.JSONField(default=list)
    teams = models.JSONField(default=list)
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "datalab"], name="one_choice_per_datalab"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} at {self.datalab_id}"


class Use(models.Model):
    """That a person has used a datalab: one row, however often she did."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    datalab = models.ForeignKey(Datalab, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()
    """When her first session of it was ready."""

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["datalab", "person"], name="one_use_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} used {self.datalab_id}"


class LaunchCount(models.Model):
    """How the launches of a published version went."""

    version = models.OneToOneField(DatalabVersion, primary_key=True, on_delete=models.CASCADE, related_name="+")
    ready = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    """Those that ended by themselves before they were ready; whom somebody stopped before counts nowhere."""
    seconds = models.JSONField(default=list)
    """From the wish to launch until it was ready, of the last ones; null for one that failed."""

    def __str__(self) -> str:
        return f"launches of {self.version_id}"

"""Runs of pipelines, their jobs as the coordinator told of them, and launches that people keep for the next time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from spacelab.accounts.models import Person, Team
from spacelab.runs.rules import LONGEST_JOB, LONGEST_STEP, JobState, State
from spacelab.workloads.models import Workload


class KeptBundle(models.Model):
    """The documents that runs executed, as they were: one row for all runs of the same files."""

    digest = models.CharField(primary_key=True, max_length=64)
    """The SHA-256 of the files' names and texts."""
    files = models.JSONField()
    """Path in the bundle → text."""

    def __str__(self) -> str:
        return self.digest[:12]


class Run(models.Model):
    """One execution of a pipeline. The web writes what is wanted of it; only the controller writes how it goes."""

    id = models.CharField(primary_key=True, max_length=12)
    owner = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="runs")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs")
    """Whose members may look at it."""
    pipeline_slug = models.CharField(max_length=60)
    pipeline_title = models.CharField(max_length=120)
    version_number = models.CharField(max_length=40, blank=True)
    title = models.CharField(max_length=120)
    bundle = models.ForeignKey(KeptBundle, on_delete=models.PROTECT, related_name="runs")
    main = models.CharField(max_length=200)
    """The bundle's main document, `main.cwl` or `main.cwl#id`."""
    job = models.JSONField(default=dict)
    """The job order: input → value."""
    only_step = models.CharField(max_length=LONGEST_STEP, blank=True)
    """The step that is run alone; empty for the whole pipeline."""
    environments = models.JSONField(default=dict)
    """Software as the documents name it → the platform's environment."""
    is_test = models.BooleanField(default=False)
    """Whether its version was not published when it was launched."""
    profile = models.CharField(max_length=40)
    resources = models.JSONField(default=dict)
    """cpu (cores), memory_mb, scratch_mb (MiB), network: the profile as it was."""
    volumes = models.JSONField(default=list)
    teams = models.JSONField(default=list)
    results = models.CharField(max_length=500, blank=True)
    """The folder of its outputs, relative to its owner's workspace."""
    previous = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="later")
    """The run that was changed or repeated for this one."""
    state = models.CharField(max_length=12, choices=[(one.value, one.value) for one in State], default=State.QUEUED)
    reason = models.CharField(max_length=2000, blank=True)
    advice = models.CharField(max_length=1000, blank=True)
    trouble = models.CharField(max_length=20, blank=True)
    attempt = models.PositiveIntegerField(default=1)
    """Counts the starts on its folder: the first, and each resume or retry."""
    begun = models.PositiveIntegerField(default=0)
    """The attempt for which a workload was submitted; less than `attempt` while the run waits for its turn."""
    workload = models.ForeignKey(Workload, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    """What carries the attempt that began last."""
    pause_wanted = models.BooleanField(default=False)
    stop_wanted = models.CharField(max_length=100, blank=True)
    """Who asked for its end, in words; empty unless somebody did."""
    stop_trouble = models.CharField(max_length=20, blank=True)
    """For what the platform itself asked for its end, such as `disk-full`: then it has failed."""
    restarts = models.PositiveIntegerField(default=0)
    """How often it went on by itself after it was lost, without a job being finished in between."""
    steps = models.JSONField(default=list)
    """In order of the document: {id, label, run, scatter, parent, state, count}."""
    totals = models.JSONField(default=dict)
    """State of jobs → how many."""
    outputs = models.JSONField(default=dict)
    problems = models.JSONField(default=list)
    """What the coordinator complained of: {severity, message, advice, file, line, node}."""
    read_bytes = models.BigIntegerField(default=0)
    """How much of the events has been taken over."""
    bad_lines = models.PositiveIntegerField(default=0)
    """Lines of the events that made no sense."""
    followed = models.BooleanField(default=True)
    """Whether the controller still has something to take over or to tidy up."""
    log = models.BinaryField(default=bytes)
    """The end of what the last ended attempt printed."""
    disk_bytes = models.BigIntegerField(default=0)
    """What its folder holds."""
    cleaned_at = models.DateTimeField(null=True, blank=True)
    """When its folder was removed; its page stays."""
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["followed"], name="runs_to_follow", condition=models.Q(followed=True)),
            models.Index(fields=["owner", "-created_at"], name="runs_of_owner"),
            models.Index(fields=["team", "-created_at"], name="runs_of_team"),
            models.Index(fields=["pipeline_slug", "-created_at"], name="runs_of_pipeline"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.state})"

    @property
    def is_final(self) -> bool:
        """Whether the run has ended; a later retry or resume may open it again."""
        return State(self.state).is_final

    @property
    def version_name(self) -> str:
        """The pipeline's title and the version that it runs."""
        return f"{self.pipeline_title} {self.version_number}".strip()


class RunJob(models.Model):
    """One execution of a step inside a run; a scattered step has many."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="jobs")
    step = models.CharField(max_length=LONGEST_STEP)
    job = models.CharField(max_length=LONGEST_JOB)
    """The step's id, with its indices where it is scattered: `count.3`."""
    index = models.JSONField(null=True, blank=True)
    """The places in the scattered arrays, or nothing."""
    number = models.PositiveIntegerField(default=0)
    """In which order the run's jobs began."""
    state = models.CharField(max_length=12, choices=[(one.value, one.value) for one in JobState])
    tries = models.PositiveIntegerField(default=1)
    attempt = models.PositiveIntegerField(default=1)
    """The run's attempt in which this last happened."""
    command = models.JSONField(default=list)
    inputs = models.JSONField(default=dict)
    outputs = models.JSONField(default=dict)
    image = models.CharField(max_length=300, blank=True)
    environment = models.CharField(max_length=300, blank=True)
    exit_code = models.IntegerField(null=True, blank=True)
    cpu_seconds = models.FloatField(null=True, blank=True)
    memory_bytes = models.BigIntegerField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=2000, blank=True)
    advice = models.CharField(max_length=1000, blank=True)
    trouble = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["run", "job"], name="job_once_in_a_run"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["run", "step", "number"], name="jobs_of_step"),
            models.Index(fields=["run", "state"], name="jobs_by_state"),
        ]

    def __str__(self) -> str:
        return f"{self.job} of {self.run_id} ({self.state})"

    @property
    def seconds(self) -> float | None:
        """How long it took, in seconds; None while that is not known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max((self.ended_at - self.started_at).total_seconds(), 0.0)


class SavedLaunch(models.Model):
    """What a person wants to launch again: a pipeline's inputs and choices, under a name."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="saved_launches")
    pipeline_slug = models.CharField(max_length=60)
    name = models.CharField(max_length=80)
    version_number = models.CharField(max_length=40, blank=True)
    job = models.JSONField(default=dict)
    choices = models.JSONField(default=dict)
    """profile, volumes, teams, results, title: as the launcher takes them."""
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["person", "pipeline_slug", "name"], name="launch_saved_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.pipeline_slug}"


from spacelab.runs.schedules.models import Firing, Schedule, WatchedFile  # noqa: E402, F401  Django finds tables here
from spacelab.runs.wes.models import WesRequest  # noqa: E402, F401  as above

"""The timeline of a run as a drawing: a lane for each step, bars for jobs, a band for a scatter, and the time waited.

Places along the time are per cent of the drawing's width, so that it fits any screen without scripts; heights are in
CSS pixels. A lane's height depends on nothing but its place, so that nothing moves while a run goes on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from spacelab.runs.rules import JobState
from spacelab.runs.viewing.figures import Span
from spacelab.runs.viewing.states import StepView, duration, most_telling

LANE = 44
"""Height of a lane: a line of words, and below it the bar."""
BAR_TOP, BAR = 20, 16
TOP = 22
"""Height of the scale."""
MOST_LANES = 60
MOST_BARS = 24
"""Jobs of a step that get a bar of their own; more become a band."""
BINS = 150
NARROWEST = 0.25
SHORTEST_WAIT, SMALLEST_WAIT = 0.1, 0.01
"""Seconds, and share of the whole time, from which on waiting is worth a line."""
NICE = (
    0.1,
    0.2,
    0.5,
    1,
    2,
    5,
    10,
    15,
    30,
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14400,
    28800,
    86400,
    172800,
    604800,
)
MOST_TICKS = 6


@dataclass(frozen=True)
class Bar:
    """A job, or a piece of a band in which equally many jobs ran; x and width in per cent."""

    x: float
    width: float
    y: float
    height: float
    state: str
    words: str = ""
    job: str = ""


@dataclass(frozen=True)
class Lane:
    """A step: its words, its bars, the time for which it waited, and the same in words for a table."""

    step: StepView
    y: int
    bars: Sequence[Bar]
    wait_x: float
    wait_width: float
    waited: float
    began: float | None
    most_at_once: int
    folded: bool
    failures: Sequence[float] = ()

    @property
    def label_y(self) -> int:
        """Where its words stand."""
        return self.y + 13

    @property
    def began_x(self) -> float:
        """Where its waiting ends."""
        return round(self.wait_x + self.wait_width, 3)

    @property
    def bar_middle(self) -> float:
        """Where the line of its waiting is."""
        return self.y + BAR_TOP + BAR / 2

    @property
    def fail_y(self) -> int:
        """Where marks of failures begin."""
        return self.y + BAR_TOP - 4

    @property
    def words(self) -> str:
        """What stands above the bar."""
        parts = [self.step.words]
        if self.step.took:
            parts.append(self.step.took)
        if self.waited:
            parts.append(f"waited {duration(self.waited)}")
        if self.folded:
            parts.append(f"at most {self.most_at_once} at once")
        if self.step.tries > 1:
            parts.append(f"try {self.step.tries}")
        return " · ".join(parts)

    @property
    def began_words(self) -> str:
        """When it began, counted from the launch."""
        return duration(self.began) if self.began is not None else "–"  # noqa: RUF001  a dash for nothing

    @property
    def waited_words(self) -> str:
        """For how long it waited, for the table."""
        return duration(self.waited) if self.waited else "–"  # noqa: RUF001  as above


@dataclass(frozen=True)
class Tick:
    """A mark of the scale."""

    x: float
    words: str
    anchor: str


@dataclass(frozen=True)
class Timeline:
    """The whole drawing; `lanes_left_out` says how many steps it has not."""

    lanes: Sequence[Lane]
    ticks: Sequence[Tick]
    height: int
    seconds: float
    queue_width: float
    queued: float
    lanes_left_out: int = 0

    @property
    def queued_words(self) -> str:
        """For how long the run waited for its turn."""
        return duration(self.queued)


def draw(
    steps: Sequence[StepView],
    spans: Iterable[Span],
    *,
    launched: datetime,
    started: datetime | None,
    end: datetime,
    needs: Mapping[str, Iterable[str]],
) -> Timeline:
    """Draw the time from the launch to `end`; `needs` says which steps each one waits for."""
    by_step: dict[str, list[Span]] = defaultdict(list)
    for span in spans:
        by_step[span.step].append(span)
    last = max([end, *(one.ended_at or one.started_at for found in by_step.values() for one in found)])
    scale = _Scale(launched, max((last - launched).total_seconds(), 0.5))
    shown = most_telling(steps, MOST_LANES)
    lanes = []
    for place, step in enumerate(shown):
        before = [one for name in needs.get(step.id, ()) for one in by_step.get(name, ())]
        ready = max([one.ended_at for one in before if one.ended_at], default=started)
        own = by_step.get(step.id, [])
        lanes.append(_lane(step, own, y=TOP + LANE * place, ready=ready, end=end, scale=scale))
    queued = max((started - launched).total_seconds(), 0.0) if started else scale.seconds
    return Timeline(
        lanes,
        _ticks(scale.seconds),
        TOP + LANE * len(shown) + 4,
        scale.seconds,
        scale.width(queued) if queued >= SHORTEST_WAIT else 0.0,
        queued,
        len(steps) - len(shown),
    )


@dataclass(frozen=True)
class _Scale:
    zero: datetime
    seconds: float

    def since(self, moment: datetime) -> float:
        return min(max((moment - self.zero).total_seconds(), 0.0), self.seconds)

    def x(self, seconds: float) -> float:
        return round(100 * seconds / self.seconds, 3)

    def width(self, seconds: float) -> float:
        return round(max(100 * seconds / self.seconds, NARROWEST), 3)


def _lane(
    step: StepView, spans: Sequence[Span], *, y: int, ready: datetime | None, end: datetime, scale: _Scale
) -> Lane:
    times = [(scale.since(one.started_at), scale.since(one.ended_at or end), one) for one in spans]
    began = min((begin for begin, _, _ in times), default=None)
    waited = began - scale.since(ready) if began is not None and ready is not None else 0.0
    waited = waited if waited >= max(SHORTEST_WAIT, SMALLEST_WAIT * scale.seconds) else 0.0
    folded = len(times) > MOST_BARS
    bars, most = _band(times, y, scale) if folded else (_bars(times, y, scale), _most_at_once(times))
    failures = sorted({scale.x(over) for _, over, one in times if one.state == JobState.FAILED}) if folded else []
    return Lane(
        step=step,
        y=y,
        bars=bars,
        wait_x=scale.x(began - waited) if began is not None else 0.0,
        wait_width=scale.width(waited) if waited else 0.0,
        waited=waited,
        began=began,
        most_at_once=most,
        folded=folded,
        failures=failures[:BINS],
    )


Times = Sequence[tuple[float, float, Span]]


def _bars(times: Times, y: int, scale: _Scale) -> list[Bar]:
    """Draw each job as a bar of its own: jobs that overlap share the lane's height."""
    rows: list[float] = []
    placed: list[tuple[int, float, float, Span]] = []
    for begin, over, one in sorted(times, key=lambda item: item[:2]):
        row = next((n for n, free in enumerate(rows) if free <= begin), len(rows))
        rows[row : row + 1] = [over]
        placed.append((row, begin, over, one))
    height = BAR / max(len(rows), 1)
    return [
        Bar(
            x=min(scale.x(begin), 100 - NARROWEST),
            width=scale.width(over - begin),
            y=round(y + BAR_TOP + row * height, 2),
            height=round(max(height - (0.5 if len(rows) > 1 else 0), 0.5), 2),
            state=one.state,
            words=f"{one.job}: {one.state}, {duration(over - begin)}" + (f", try {one.tries}" if one.tries > 1 else ""),
            job=one.job,
        )
        for row, begin, over, one in placed
    ]


def _most_at_once(times: Times) -> int:
    marks = sorted([(begin, 1) for begin, _, _ in times] + [(over, -1) for _, over, _ in times])
    now = most = 0
    for _, change in marks:
        now += change
        most = max(most, now)
    return most


def _band(times: Times, y: int, scale: _Scale) -> tuple[list[Bar], int]:
    """Draw how many jobs ran at each time, as a band whose height is that number."""
    width = scale.seconds / BINS
    changes = [0.0] * (BINS + 1)
    for begin, over, _ in times:
        first, last = min(int(begin / width), BINS - 1), min(int(over / width), BINS - 1)
        changes[first] += 1
        changes[last + 1] -= 1
    counts, now = [], 0.0
    for change in changes[:BINS]:
        now += change
        counts.append(round(now))
    most = max(counts) or 1
    state = str(JobState.RUNNING) if any(one.state == JobState.RUNNING for _, _, one in times) else "band"
    bars: list[Bar] = []
    at = 0
    while at < BINS:
        over = at
        while over < BINS and counts[over] == counts[at]:
            over += 1
        if counts[at]:
            height = round(max(BAR * counts[at] / most, 1), 2)
            x, share = round(100 * at / BINS, 3), round(100 * (over - at) / BINS, 3)
            words = f"{counts[at]} job{'s' if counts[at] > 1 else ''} within {duration(width)}"
            bars.append(Bar(x, share, round(y + BAR_TOP + BAR - height, 2), height, state, words))
        at = over
    return bars, _most_at_once(times)


def _ticks(seconds: float) -> list[Tick]:
    step = next((one for one in NICE if seconds / one <= MOST_TICKS), NICE[-1])
    found: list[Tick] = []
    at = 0.0
    while at <= seconds and len(found) <= MOST_TICKS + 1:
        x = round(100 * at / seconds, 2)
        anchor = "start" if not found else "end" if x > 94 else "middle"  # noqa: PLR2004  per cent, near the edge
        found.append(Tick(x, duration(at) if at else "launch", anchor))
        at = round(at + step, 3)
    return found

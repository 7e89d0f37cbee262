"""Figure: how long the 167,693 presentations of 1989 take, then and now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from bench.report.figures import canvas, marks
from bench.report.figures.palette import ACCENT, FAINT, INK, MUTED, of_device
from bench.report.rows.measures import Training, fit
from bench.report.wording import DAY, HOUR, MINUTE, TIMES, cut, duration, joined, times
from zipnet import paper

ROOM: Final = 22  # measured rows; beyond them the best of each machine are shown
NOTES: Final = (
    "Filled: the whole run was made. Hollow: projected, the median time of a queued step times "
    f"{paper.PRESENTATIONS:,}. Whiskers: 95% interval of the median, given rounds enough.",
    f"{TIMES}: against the three days, a remark of one significant figure (LeCun et al., Neural "
    "Computation 1(4), 1989). Others include their evaluations; sources: index.html.",
)
ROOM_AT_RIGHT: Final = 0.58  # of the axis: beyond, a value is written left of its mark
TICKS: Final = (
    (1e-3, "1 ms"),
    (1e-2, "10 ms"),
    (0.1, "0.1 s"),
    (1.0, "1 s"),
    (10.0, "10 s"),
    (MINUTE, "1 min"),
    (10 * MINUTE, "10 min"),
    (HOUR, "1 hour"),
    (10 * HOUR, "10 h"),
    (3 * DAY, "3 days"),
)


@dataclass(frozen=True)
class _Line:
    """One row of the figure."""

    name: canvas.Name
    seconds: float
    color: str
    shape: str
    hollow: bool
    disturbed: bool
    interval: tuple[float | None, float | None]
    learned: str | None


def draw(trainings: Sequence[Training]) -> Figure:
    """Draw 1989, the published runs and ours, slowest first."""
    shown = fit(trainings, ROOM, lambda training: training.source.machine)
    several = len({training.source.machine for training in shown}) > 1
    ours = [_ours(training, several) for training in shown]
    lines = sorted(ours + [_published(run) for run in paper.PUBLISHED], key=lambda x: -x.seconds)
    fastest = min((training.seconds.median for training in shown), default=None)
    title = "Training the zip-code network of 1989"
    sheet = canvas.sheet(
        f"{title}: three days then, {duration(fastest)} here" if fastest else title,
        f"{paper.PRESENTATIONS:,} digits shown one by one, a weight update after each. "
        "Time on a log axis, less is better.",
        [line.name for line in lines],
        [
            *NOTES,
            *marks.disturbed_note(training.source for training in shown),
            *canvas.left_out(len(trainings) - len(shown)),
        ],
        key=_key(shown),
    )
    panel = sheet.panels[0]
    low = min(line.seconds for line in lines) / 2
    high = paper.SUN_TRAINING_SECONDS * 1.25
    canvas.log_axis(panel, low, high, TICKS)
    for y, line in enumerate(lines):
        left = line.seconds > low ** (1 - ROOM_AT_RIGHT) * high**ROOM_AT_RIGHT
        panel.plot([low, line.seconds], [y, y], color=line.color, linewidth=1, alpha=0.3, zorder=1)
        marks.whisker(panel, y, *line.interval, line.color)
        shape, looks = line.shape, {"hollow": line.hollow, "disturbed": line.disturbed}
        marks.mark(panel, y, line.seconds, line.color, shape, **looks)
        marks.beside(panel, y, line.seconds, _value(line), left=left)
    return sheet.figure


def _value(line: _Line) -> str:
    ratio = paper.SUN_TRAINING_SECONDS / line.seconds
    return joined((duration(line.seconds), times(ratio) if ratio != 1 else None, line.learned))


def _learned(training: Training) -> str | None:
    """Test misses beside a measured time; of other digits than those of 1989 with their name."""
    if training.test is None:
        return None
    dataset = training.source.file.dataset
    of = "" if dataset == "usps" else f" on {cut(dataset, 12)}"
    return f"{training.test.misses} test misses{of}"


def _ours(training: Training, several: bool) -> _Line:
    source = training.source
    return _Line(
        canvas.Name(source.who, source.machine if several else None),
        training.seconds.median,
        of_device(source.row.device),
        "o",
        not training.measured,
        source.disturbed,
        (training.seconds.low, training.seconds.high),
        _learned(training),
    )


def _published(run: paper.Published) -> _Line:
    then = run.seconds == paper.SUN_TRAINING_SECONDS
    name = canvas.Name(f"{run.label}, {run.year}", color=INK if then else MUTED)
    color = ACCENT if then else FAINT
    learned = f"{paper.TEST_MISSES} test misses" if then else None
    return _Line(
        name, run.seconds, color, "s" if then else "D", False, False, (None, None), learned
    )


def _key(shown: Sequence[Training]) -> list[Line2D]:
    entries = [
        marks.key_entry("SUN-4/260, 1989", ACCENT, "s"),
        marks.key_entry("published by others", FAINT, "D"),
    ]
    for device in sorted({training.source.row.device for training in shown}):
        kinds = {t.measured for t in shown if t.source.row.device == device}
        if True in kinds:
            entries.append(marks.key_entry(f"{device}, measured", of_device(device)))
        if False in kinds:
            text = f"{device}, projected"
            entries.append(marks.key_entry(text, of_device(device), hollow=True))
    return entries

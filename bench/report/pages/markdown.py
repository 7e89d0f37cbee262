"""reports/README.md: the pictures and the main table, for a reader on GitHub."""

from __future__ import annotations

import html
import math
import string
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.report.figures import Drawn
from bench.report.pages.runs import Run, headline
from bench.report.verdicts.null import Null
from bench.report.wording import cut, duration, percent, times
from zipnet import paper

# Everything else becomes a character reference, which Markdown shows and never obeys.
PLAIN: Final = frozenset(
    string.ascii_letters + string.digits + " .,;()/-+%\N{MIDDLE DOT}\N{MULTIPLICATION SIGN}"
)
LONGEST: Final = 80
MACHINES: Final = 50
LINES: Final = 200  # of a list


def to_markdown(
    runs: Sequence[Run], figures: Iterable[Drawn], bad: Sequence[str], tested: Mapping[str, Null]
) -> str:
    """Write the whole page; of a fleet, its fastest machines."""
    newest = sorted((run for run in runs if run.newest), key=_time)
    first = newest[:MACHINES]
    parts = [
        "# What the machines said",
        f"**{text(headline(runs), 600)}**",
        "Made from `results/` by `python -m bench report`. The same with every row, interval and "
        "source: [index.html](index.html); for a spreadsheet: [summary.csv](summary.csv).",
        *(f"![{text(drawn.alt, 400)}]({drawn.name}.png)" for drawn in figures),
        "## Training the network of 1989",
        table(
            ("machine", "engine", "time", "times the SUN", "test misses", "training misses",
             "source"),
            _training_rows(first),
        ),
        f"1989: three days, {paper.TEST_MISSES} test and {paper.TRAIN_MISSES} training misses. "
        "*Projected* is the median time of a queued step times "
        f"{paper.PRESENTATIONS:,}: nothing was learned.",
        *_rest(len(newest) - len(first)),
        *_null([tested[name] for run in first if (name := run.file.machine.name) in tested]),
        *_cautions(first),
        *_bad(bad),
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def text(value: object, limit: int = LONGEST) -> str:
    """Untrusted text as Markdown that stays text, on one line."""
    shown = " ".join(cut(str(value), limit).split()).replace("www.", "www .")
    return "".join(c if c in PLAIN else f"&#{ord(c)};" for c in shown)


def _training_rows(runs: Sequence[Run]) -> Iterable[tuple[str, ...]]:
    for run in runs:
        for training in run.trainings:
            kind = "" if training.measured else " (projected)"
            yield (
                text(run.file.machine.name),
                text(training.source.who),
                f"{duration(training.seconds.median)}{kind}",
                times(training.times_sun),
                str(training.test.misses) if training.test else "",
                str(training.train.misses) if training.train else "",
                _source(run),
            )


def _source(run: Run) -> str:
    name = text(run.file.source, 120)
    return f"[{name}]({html.escape(run.link)})" if run.link else name


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown; its cells are taken as they are."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _null(tested: Sequence[Null]) -> list[str]:
    """How far apart equal things were found, by machine."""
    lines = [
        (
            text(null.machine),
            null.how,
            f"{null.pairs:,}",
            f"{null.different:,}",
            percent(null.threshold("network")),
            percent(null.threshold("machine")),
        )
        for null in tested
    ]
    head = ("machine", "compared", "rows", "called different", "threshold, networks",
            "threshold, floors")  # fmt: skip
    return ["## Equal things compared", table(head, lines)] if lines else []


def _cautions(runs: Sequence[Run]) -> list[str]:
    lines = [
        f"- {text(run.file.source, 120)}: {text(caution, 300)}"
        for run in runs
        for caution in run.cautions
    ]
    return ["## Cautions", _listed(lines)] if lines else []


def _bad(bad: Sequence[str]) -> list[str]:
    return ["## Not reported", _listed([f"- {text(line, 300)}" for line in bad])] if bad else []


def _listed(lines: Sequence[str]) -> str:
    rest = [f"- and {len(lines) - LINES:,} more"] if len(lines) > LINES else []
    return "\n".join([*lines[:LINES], *rest])


def _rest(left_out: int) -> list[str]:
    return [f"{left_out:,} slower machines are in summary.csv."] if left_out else []


def _time(run: Run) -> float:
    return run.fastest.seconds.median if run.fastest else math.inf

"""The trials as a page: reports/verdicts.md, written by `python -m bench trials`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from bench.report.compare.tables import WORDS
from bench.report.wording import percent
from zipnet.results.noise import FLOOR, MARGIN, UNSEEN
from zipnet.results.trials import LAPS, MACHINES, POWER, RATIOS, ROUNDS, RUNS, SEED, STATED, Tally

MANY: Final = RUNS[-1]
ABOUT: Final = f"""\
# How often a verdict is wrong

`python -m bench compare` calls a machine faster, slower, the same, or says that it is unclear. A
verdict is wrong where it names the wrong direction, names any direction where there is no
difference, or says *same* of machines that differ by more than its margin, {percent(MARGIN)}.
*Unclear* is never wrong, only of no use. The stated error rate is {percent(STATED)} of rows.

Each trial measures two machines, one so many times as fast as the other, a few times each: runs of
{len(RATIOS)} rows, of {LAPS} laps of {ROUNDS} rounds. `compare` is asked about their last runs. The
threshold comes from a null test of the earlier ones, on which nothing was changed, and is
{percent(FLOOR)} at the least; a machine with less than two earlier runs that are equal is taken to
differ from itself by up to {percent(UNSEEN.noise())}. The rule, with its sources, stands in
`zipnet/results/noise.py`."""
WRONG: Final = f"""\
## Wrong, by the runs of each machine

Of the true ratios from {RATIOS[0]:g} to {RATIOS[-1]:g} the one that is judged wrong most often. The
run that is compared is one of the runs."""
FOUND: Final = f"""\
## The difference that is found, by the runs of each machine

How much faster one machine must be to be called so in {percent(POWER)} of the trials. *None*: no
difference is found. Where one of two earlier runs takes five times as long as the other, nobody can
say which of them is the odd one, and such a machine is too unsteady to tell."""
VERDICTS: Final = f"""\
## Verdicts after {MANY} runs of each machine

The threshold is the median of the trials."""
LIMIT: Final = """\
The rule cannot know what no run shows: a machine that steps between two speeds further apart than
the threshold, and did not do so among its earlier runs, is called different from itself."""


def to_page(cells: Sequence[Tally], seed: int = SEED) -> str:
    """Write the whole page."""
    trials = cells[0].words.total()
    worst = max(cell.wrong / trials for cell in cells)
    head = ("machine", *(f"{runs} run{'s' if runs > 1 else ''}" for runs in RUNS))
    many = [cell for cell in cells if cell.runs == MANY]
    parts = (
        ABOUT,
        "\n".join(f"- *{name}*: {machine.about}" for name, machine in MACHINES.items()),
        WRONG,
        _table(head, _by_runs(cells, lambda of: percent(max(one.wrong for one in of) / trials))),
        f"The worst cell is wrong in {percent(worst)} of {trials:,} trials.",
        FOUND,
        _table(head, _by_runs(cells, lambda of: _found(of[0].found))),
        VERDICTS,
        _table(("machine", "true ratio", "threshold", *WORDS, "wrong"), map(_line, many)),
        LIMIT,
        f"Written by `python -m bench trials --trials {trials} --seed {seed}`.",
    )
    return "\n\n".join(parts) + "\n"


def _by_runs(
    cells: Sequence[Tally], told: Callable[[Sequence[Tally]], str]
) -> Iterable[Sequence[str]]:
    """A line a machine: what is told of its cells after each number of runs."""
    for name in MACHINES:
        own = [cell for cell in cells if cell.machine == name]
        yield name, *(told([cell for cell in own if cell.runs == runs]) for runs in RUNS)


def _found(ratio: float) -> str:
    return "none" if math.isinf(ratio) else percent(ratio - 1)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _line(cell: Tally) -> list[str]:
    words = [f"{cell.words[word]:,}" for word in WORDS]
    wrong = percent(cell.wrong / cell.words.total())
    return [cell.machine, f"{cell.true:.2f}", percent(cell.threshold), *words, wrong]

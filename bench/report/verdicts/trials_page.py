"""The trials as a page: reports/verdicts.md, written by `python -m bench trials`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bench.report.pages.markdown import table
from bench.report.verdicts.trials import LAPS, NOISES, ROUNDS, ROWS, RUNS, SEED, STATED, Cell
from bench.report.verdicts.verdict import WORDS
from bench.report.wording import percent

HEAD: Final = ("noise", "true ratio", "threshold", *WORDS, "wrong")
ABOUT: Final = f"""\
# How often a verdict is wrong

`python -m bench compare` calls a machine faster, slower, the same, or says that it is unclear. A
verdict is wrong where it names the wrong direction, names any direction where there is no
difference, or says *same* of machines that differ by more than its margin: 1%, or about twice the
threshold where that is larger. *Unclear* is never wrong, only of no use. It states an error rate of
{percent(STATED)}.

Each trial makes a row of {LAPS} laps of {ROUNDS} rounds on one machine, the same row on another
that is so many times as fast, and judges the two as `compare` does. The threshold comes from a null
test of {RUNS} runs of {ROWS} rows on which nothing was changed, drawn anew in each trial, and is 1%
at the least; the table shows its median."""
FEW_RUNS: Final = f"""\
## Fewer runs

A machine that wanders from run to run has to be seen to do so. One run alone is compared with
itself, its first laps with its last, which cannot see how the next run would begin: there the
stated {percent(STATED)} does not hold. Here are equal machines that drift as above, by the runs
that each null test had."""


def to_page(cells: Sequence[Cell], few: Sequence[Cell], seed: int = SEED) -> str:
    """Write the whole page."""
    lines = [f"- *{name}*: {first_line(noise.__doc__)}" for name, noise in NOISES.items()]
    trials = cells[0].trials
    rows = [_line(cell) for cell in cells]
    worst = max(cell.wrong / cell.trials for cell in cells)
    parts = (
        ABOUT,
        "\n".join(lines),
        table(HEAD, rows),
        f"The worst cell is wrong in {percent(worst)} of {trials:,} trials.",
        FEW_RUNS,
        table(("runs", *HEAD[2:]), [[f"{cell.runs}", *_line(cell)[2:]] for cell in few]),
        f"Written by `python -m bench trials --trials {trials} --seed {seed}`.",
    )
    return "\n\n".join(parts) + "\n"


def first_line(text: str | None) -> str:
    """What a docstring says first."""
    return (text or "").partition("\n")[0]


def _line(cell: Cell) -> list[str]:
    return [
        cell.noise,
        f"{cell.true:.2f}",
        percent(cell.threshold),
        *(f"{cell.words[word]:,}" for word in WORDS),
        percent(cell.wrong / cell.trials),
    ]

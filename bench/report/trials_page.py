"""The trials as a page: reports/verdicts.md, written by `python -m bench trials`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bench.report.compare.tables import WORDS
from bench.report.wording import percent
from zipnet.results.trials import LAPS, NOISES, ROUNDS, ROWS, RUNS, SEED, STATED, Tally

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


def to_page(cells: Sequence[Tally], few: Sequence[Tally], seed: int = SEED) -> str:
    """Write the whole page."""
    trials = cells[0].words.total()
    worst = max(cell.wrong / trials for cell in cells)
    noises = (f"- *{name}*: {(noise.__doc__ or '').strip()}" for name, noise in NOISES.items())
    parts = (
        ABOUT,
        "\n".join(noises),
        _table(HEAD, map(_line, cells)),
        f"The worst cell is wrong in {percent(worst)} of {trials:,} trials.",
        FEW_RUNS,
        _table(("runs", *HEAD[2:]), ([f"{cell.runs}", *_line(cell)[2:]] for cell in few)),
        f"Written by `python -m bench trials --trials {trials} --seed {seed}`.",
    )
    return "\n\n".join(parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _line(cell: Tally) -> list[str]:
    words = [f"{cell.words[word]:,}" for word in WORDS]
    wrong = percent(cell.wrong / cell.words.total())
    return [cell.noise, f"{cell.true:.2f}", percent(cell.threshold), *words, wrong]

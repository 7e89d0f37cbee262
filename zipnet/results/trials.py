"""Trials of the verdict: synthetic machines of known ratio and noise, judged as compare judges.

Each trial makes a row on one machine and the same row on another that is so many times as fast,
in laps as the harness takes them, and asks for the verdict. Each machine's noise is known as
compare knows it: from a null test of its own runs, here of synthetic runs of the same noise whose
truth is that nothing changed. That is the harder choice: the fixed 1% would be too fine for a
machine that wanders by 3% from run to run, and would call most of its pairs different.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from zipnet.results.noise import Answer, Pairs, alike, apart, said, threshold
from zipnet.results.statistics import Floats, Interval, Rounds, ratios, summary, widen
from zipnet.results.verdict import word

LAPS: Final = 5
ROUNDS: Final = 20  # of each lap
RATIOS: Final = (1.0, 1.02, 1.1, 2.0)
TRIALS: Final = 1000  # in each cell of the table
RUNS: Final = 6  # of each machine, for its null test
FEW: Final = (1, 2, 3)  # runs, of a machine that nobody measured often
ROWS: Final = 5  # of each of those runs
SEED: Final = 1989
STATED: Final = 0.05  # how often a verdict may be wrong
AT_ONCE: Final = 500  # trials, so that a million fit in memory

# One run of a machine: the seconds of so many rows (rows, laps x rounds), taken side by side.
Noise = Callable[[Generator, int], Floats]


class Tally(NamedTuple):
    """What was made of one noise and one true ratio."""

    noise: str
    true: float
    runs: int  # of each machine, that the null test had
    threshold: float
    words: Counter[str]
    wrong: int


def calm(rng: Generator, rows: int) -> Floats:
    """Rounds that differ by 1%."""
    return rng.lognormal(0.0, 0.01, (rows, LAPS * ROUNDS))


def loud(rng: Generator, rows: int) -> Floats:
    """Rounds that differ by 5%."""
    return rng.lognormal(0.0, 0.05, (rows, LAPS * ROUNDS))


def bimodal(rng: Generator, rows: int) -> Floats:
    """Rounds of two modes, 15% apart: three in ten are of the slower one."""
    slower = rng.random((rows, LAPS * ROUNDS)) < 0.3
    return calm(rng, rows) * np.where(slower, 1.15, 1.0)


def drifting(rng: Generator, rows: int) -> Floats:
    """Rounds of 1% on a machine that wanders: by 2% from run to run, by 1% from lap to lap."""
    wandered = rng.normal(0.0, 0.02) + np.cumsum(rng.normal(0.0, 0.01, LAPS))
    return calm(rng, rows) * np.exp(np.repeat(wandered, ROUNDS))


NOISES: Final[dict[str, Noise]] = {
    "1%": calm, "5%": loud, "two modes": bimodal, "drifting": drifting,
}  # fmt: skip


def trial_table(trials: int = TRIALS, seed: int = SEED) -> list[Tally]:
    """Every noise against every ratio; the same seed gives the same table."""
    return [_tally(name, true, RUNS, trials, np.random.default_rng([seed, at, round(1000 * true)]))
            for at, name in enumerate(NOISES) for true in RATIOS]  # fmt: skip


def few_runs(trials: int = TRIALS, seed: int = SEED) -> list[Tally]:
    """Equal machines that wander, known from fewer runs: where the stated rate is hardest kept."""
    return [_tally("drifting", 1.0, runs, trials, np.random.default_rng([seed, runs]))
            for runs in FEW]  # fmt: skip


def _tally(name: str, true: float, runs: int, trials: int, rng: Generator) -> Tally:
    parts = [_judged(NOISES[name], true, runs, min(AT_ONCE, trials - at), rng)
             for at in range(0, trials, AT_ONCE)]  # fmt: skip
    beyond, what = (np.concatenate(part) for part in zip(*parts, strict=True))
    wrong = (what == Answer.WORSE) | ((what == Answer.BETTER) & (true == 1))
    wrong |= (what == Answer.SAME) & (true > 1 + alike(beyond))
    words = Counter(map(word, what.tolist()))
    return Tally(name, true, runs, float(np.median(beyond)), words, int(wrong.sum()))


def _judged(
    noise: Noise, true: float, runs: int, trials: int, rng: Generator
) -> tuple[Floats, NDArray[np.int64]]:
    """The threshold of each of some trials, and what its speed lets one say."""
    drawn = [([noise(rng, ROWS) for _ in range(runs)], noise(rng, 1)[0], noise(rng, 1)[0])
             for _ in range(trials)]  # fmt: skip
    measured, ones, others = (np.array(part) for part in zip(*drawn, strict=True))
    share = apart(*_equal_rows(measured))
    value, low, high = (end * (1 / true) for end in _rows(others))
    beyond = threshold(share)
    return beyond, said(widen(ratios(_rows(ones), (value, low, high)), share), beyond)


def _rows(values: Floats) -> Interval:
    found = summary(Rounds(list(values), [(ROUNDS,) * LAPS] * len(values)))
    return found["value"], found["low"], found["high"]


def _equal_rows(measured: Floats) -> tuple[Floats, Pairs]:
    """Equal rows of a few runs compared, as apart() takes them; of one its first laps and last."""
    trials, runs = measured.shape[:2]
    if runs == 1:
        laps = np.median(measured.reshape(trials, 1, ROWS, LAPS, ROUNDS), axis=4)
        return np.log(np.median(laps[..., :2], axis=3) / np.median(laps[..., -2:], axis=3)), ((0,),)
    pairs, medians = tuple(combinations(range(runs), 2)), np.median(measured, axis=3)
    return np.log(np.stack([medians[:, one] / medians[:, other] for one, other in pairs], 1)), pairs

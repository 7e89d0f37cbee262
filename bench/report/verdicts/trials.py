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
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.report.statistics.stats import Estimate, estimate, ratio, widened
from bench.report.statistics.timings import Timings
from bench.report.verdicts.noise import Part, noise_of
from bench.report.verdicts.verdict import Word, alike, judge, threshold

LAPS: Final = 5
ROUNDS: Final = 20  # of each lap
RATIOS: Final = (1.0, 1.02, 1.1, 2.0)
TRIALS: Final = 1000  # in each cell of the table
RUNS: Final = 6  # of each machine, for its null test
FEW: Final = (1, 2, 3)  # runs, of a machine that nobody measured often
ROWS: Final = 5  # of each of those runs
SEED: Final = 1989
STATED: Final = 0.05  # how often a verdict may be wrong

Floats = NDArray[np.float64]
# One run of a machine: the seconds of so many rows (rows, laps x rounds), taken side by side.
Noise = Callable[[np.random.Generator, int], Floats]


@dataclass(frozen=True)
class Cell:
    """What was made of one noise and one true ratio."""

    noise: str
    true: float
    runs: int  # of each machine, that the null test had
    threshold: float
    words: Counter[Word]
    wrong: int

    @property
    def trials(self) -> int:
        """How many verdicts there were."""
        return self.words.total()


def calm(rng: np.random.Generator, rows: int) -> Floats:
    """Rounds that differ by 1%."""
    return rng.lognormal(0.0, 0.01, (rows, LAPS * ROUNDS))


def loud(rng: np.random.Generator, rows: int) -> Floats:
    """Rounds that differ by 5%."""
    return rng.lognormal(0.0, 0.05, (rows, LAPS * ROUNDS))


def bimodal(rng: np.random.Generator, rows: int) -> Floats:
    """Rounds of two modes, 15% apart: three in ten are of the slower one."""
    slower = rng.random((rows, LAPS * ROUNDS)) < 0.3
    return calm(rng, rows) * np.where(slower, 1.15, 1.0)


def drifting(rng: np.random.Generator, rows: int) -> Floats:
    """Rounds of 1% on a machine that wanders: by 2% from run to run, by 1% from lap to lap."""
    wandered = rng.normal(0.0, 0.02) + np.cumsum(rng.normal(0.0, 0.01, LAPS))
    return calm(rng, rows) * np.exp(np.repeat(wandered, ROUNDS))


NOISES: Final[dict[str, Noise]] = {
    "1%": calm,
    "5%": loud,
    "two modes": bimodal,
    "drifting": drifting,
}


def trial_table(trials: int = TRIALS, seed: int = SEED) -> list[Cell]:
    """Every noise against every ratio; the same seed gives the same table."""
    return [
        _cell(name, true, RUNS, trials, np.random.default_rng([seed, at, round(1000 * true)]))
        for at, name in enumerate(NOISES)
        for true in RATIOS
    ]


def few_runs(trials: int = TRIALS, seed: int = SEED) -> list[Cell]:
    """Equal machines that wander, known from fewer runs: where the stated rate is hardest kept."""
    return [
        _cell("drifting", 1.0, runs, trials, np.random.default_rng([seed, runs])) for runs in FEW
    ]


def _cell(name: str, true: float, runs: int, trials: int, rng: np.random.Generator) -> Cell:
    noise = NOISES[name]
    words: Counter[Word] = Counter()
    wrong, thresholds = 0, []
    for _ in range(trials):
        apart = _null_test(noise, runs, rng)
        speed = ratio(_row(noise, rng), _row(noise, rng).scaled(1 / true))
        assert speed is not None
        word = judge(widened(speed, apart), threshold(apart)).word
        words[word] += 1
        wrong += _is_wrong(word, true, threshold(apart))
        thresholds.append(threshold(apart))
    return Cell(name, true, runs, float(np.median(thresholds)), words, wrong)


def _row(noise: Noise, rng: np.random.Generator) -> Estimate:
    return estimate(Timings(noise(rng, 1)[0].tolist(), [ROUNDS] * LAPS))


def _null_test(noise: Noise, runs: int, rng: np.random.Generator) -> float:
    """How far apart equal rows are found, from a few runs of a machine that nothing changed."""
    measured = [noise(rng, ROWS) for _ in range(runs)]
    if runs == 1:  # its first two laps against its last two
        laps = np.median(measured[0].reshape(ROWS, LAPS, ROUNDS), axis=2)
        halves = np.median(laps[:, :2], axis=1) / np.median(laps[:, -2:], axis=1)
        return noise_of([_part((0,), halves)])["network"]
    medians = enumerate(np.median(of_run, axis=1) for of_run in measured)
    pairs = combinations(medians, 2)
    parts = [_part((first, then), one / other) for (first, one), (then, other) in pairs]
    return noise_of(parts)["network"]


def _part(runs: tuple[int, ...], speeds: Floats) -> Part:
    return Part(runs, {"network": np.log(speeds).tolist()})


def _is_wrong(word: Word, true: float, beyond: float) -> bool:
    """The wrong direction; any direction where both are equal; same beyond its margin."""
    if word == "same":
        return true > 1 + alike(beyond)
    return word == "slower" or (word == "faster" and true == 1)

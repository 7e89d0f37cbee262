"""Trials of the verdict: synthetic machines of known ratio and noise, put through compare itself.

Each trial measures two machines, one so many times as fast as the other, in laps as the harness
takes them, as often as a cell of the table says; makes the null tests of their runs, and compares
the newest run of one with the newest of the other. They differ from real machines only in that the
truth is known: nothing was changed from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import msgspec
import numpy as np
from numpy.random import Generator

from zipnet.results.noise import MARGIN, UNSTEADY, nulls
from zipnet.results.places import Place
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import SCHEMA, ResultFile
from zipnet.results.statistics import Columns, Floats, Rounds, summary
from zipnet.results.verdict import Comparison, compared

LAPS: Final = 5
ROUNDS: Final = 20  # of each lap
RATIOS: Final = (1.0, 1.02, 1.1, 1.5, 2.0)  # of the rows of a run, each its own
RUNS: Final = (1, 2, 3, 4, 5, 6, 7)  # of each machine, the one that is compared among them
TRIALS: Final = 1000  # in each cell of the table
SEED: Final = 1989
STATED: Final = 0.05  # how often a verdict may be wrong
POWER: Final = 0.95  # of the trials, in which a difference is to be found
AT_ONCE: Final = 250  # trials, so that a million fit in memory

# One run of a machine: the seconds of so many rows (rows, laps x rounds), taken side by side.
Noise = Callable[[Generator, int], Floats]


class Tally(NamedTuple):
    """What was made of one kind of machines, measured so often, at one true ratio."""

    machine: str
    runs: int
    true: float
    threshold: float  # the median, a share
    words: Counter[str]
    wrong: int
    found: float  # the ratio that is told from 1 in POWER of the trials; infinite where none is


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


def stepping(rng: Generator, rows: int) -> Floats:
    """Rounds of 1% on a machine of two speeds, 5% apart: a coin is tossed for each run."""
    return calm(rng, rows) * (1.05 if rng.random() < 0.5 else 1.0)


class Synthetic(NamedTuple):
    """What is measured. odd: how many times as long one of the earlier runs takes; dirty: so do all
    of them, each with another uncommitted change.
    """

    about: str
    noise: Noise
    odd: float = 1.0
    dirty: float = 1.0


def _says(noise: Noise) -> str:
    return (noise.__doc__ or "").strip()


MACHINES: Final[dict[str, Synthetic]] = {
    "1%": Synthetic(_says(calm), calm),
    "5%": Synthetic(_says(loud), loud),
    "two modes": Synthetic(_says(bimodal), bimodal),
    "drifting": Synthetic(_says(drifting), drifting),
    "two speeds": Synthetic(_says(stepping), stepping),
    "one odd run": Synthetic("As *drifting*, and one of the earlier runs takes 5 times as long.",
                           drifting, odd=5.0),
    "dirty runs": Synthetic("As *drifting*, and the earlier runs have uncommitted changes, each of "
                          "which makes it up to 1.4 times as fast.", drifting, dirty=1.4),
}  # fmt: skip


def trial_table(trials: int = TRIALS, seed: int = SEED) -> list[Tally]:
    """Every machine, measured as often as RUNS say, at every ratio; the same seed, the same table.

    Of a ratio that is not 1, `wrong` counts the wrong direction and a false same.
    """
    return [
        cell
        for at, name in enumerate(MACHINES)
        for runs in RUNS
        for cell in _cells(name, runs, trials, np.random.default_rng([seed, at, runs]))
    ]


def _cells(name: str, runs: int, trials: int, rng: Generator) -> Iterator[Tally]:
    verdicts, logs, thresholds = [], [], []
    for begin in range(0, trials, AT_ONCE):
        for comparison in _compared(MACHINES[name], runs, min(AT_ONCE, trials - begin), rng):
            rows = comparison.rows
            verdicts.append(rows["verdict"])
            logs.append([rows[end] for end in ("speed", "low")])
            thresholds.append(rows["threshold"])
    word, beyond = np.array(verdicts), np.array(thresholds, float)
    middle, low = np.moveaxis(np.log(np.array(logs, float) / RATIOS), 1, 0)
    # Were the true ratio another, all would shift by it: from which on is it called?
    from_ = np.where(beyond < UNSTEADY, np.exp(np.maximum(-low, np.log1p(beyond) - middle)), np.inf)
    found = float(np.quantile(from_, POWER, method="higher"))
    for at, true in enumerate(RATIOS):
        counts = Counter(word[:, at].tolist())
        wrong = counts["slower"] + (counts["faster"] if true == 1 else 0)
        wrong += counts["same"] if true > 1 + MARGIN else 0
        yield Tally(name, runs, true, float(np.median(beyond)), counts, wrong, found)


def _compared(machine: Synthetic, runs: int, trials: int, rng: Generator) -> Iterator[Comparison]:
    """Two machines a trial, each measured so often, and their last runs compared."""
    drawn: list[Floats] = []
    files: list[Run] = []
    for number in range(2 * trials):
        odd = int(rng.integers(runs - 1)) if runs > 1 else None
        for run in range(runs):
            earlier = run < runs - 1
            took = (machine.odd if run == odd else 1.0) / (np.array(RATIOS) if number % 2 else 1.0)
            if earlier and machine.dirty > 1:
                took = took / rng.uniform(1.0, machine.dirty)
            drawn.append(machine.noise(rng, len(RATIOS)) * np.reshape(took, (-1, 1)))
            dirty = earlier and machine.dirty > 1
            files.append(_run(number, run, len(RATIOS) * len(files), dirty=dirty))
    found = Runs(files, _columns(np.concatenate(drawn)))
    newest = found.runs[runs - 1 :: runs]
    tested = nulls(found, newest)
    for sides in zip(newest[::2], newest[1::2], strict=True):
        yield compared(found, sides, tested)


def _run(machine: int, run: int, begin: int, *, dirty: bool) -> Run:
    """A run as it is after reading."""
    name, moment = f"m{machine:04d}", f"2026-01-{run + 1:02d}"
    about = msgspec.convert(
        {"schema": SCHEMA, "status": "complete", "scope": "all", "profile": "standard",
         "workload": {"hash": "0"}, "dataset": {"name": "usps", "sha256": "0"}, "software": {},
         "machine_info": {"name": name, "cpu": {"model": "none"}}, "datetime": moment,
         "commit_info": {"id": "0", "dirty": dirty}, "benchmarks": []},
        ResultFile,
    )  # fmt: skip
    return Run(Place(f"{name}/{moment}", f"{name}/{moment}"), about, (), begin, begin + len(RATIOS))


def _columns(values: Floats) -> Columns:
    """The rows of all runs, (rows, rounds) seconds, as they are after reading."""
    rows, laps = len(values), (ROUNDS,) * LAPS
    engines = np.array([f"{ratio:g}" for ratio in RATIOS], object)
    texts = {"question": "sgd-queued", "kind": "network", "device": "cpu", "dtype": "float32",
             "unit": "s", "per": "presentation", "forbidden": None, "invalid": None}  # fmt: skip
    numbers = {"works": 1.0, "threads": 1.0, "batch": 1.0, "world": 0.0, "width": 0.0,
               "presentations": 1.0}  # fmt: skip
    return {
        **{name: np.full(rows, text, object) for name, text in texts.items()},
        **{name: np.full(rows, number) for name, number in numbers.items()},
        "engine": np.resize(engines, rows),
        "sound": np.full(rows, fill_value=True),
        **summary(Rounds(list(values), [laps] * rows)),
    }

"""Faster, slower, same or unclear: every row that two runs share, with its ratio and its verdict.

Two things stand between a ratio and a verdict. The interval holds what the rounds of these two
rows leave open, and is never narrower than what equal things were found apart (noise.py): a machine
that differs from itself by 5% from run to run cannot be told from another within 5%, however alike
its rounds are. The threshold is what would matter: that same noise, or 1% on the calmest machine.
A difference is called only beyond both. The interval being as wide as the noise to either side,
sameness has a margin of its own: 1% on the calmest machine, or else twice the noise, within which
the whole interval must lie. Anything else is unclear, which is an answer too; so is everything
where no null test says what the noise is.
"""

from __future__ import annotations

import difflib
import functools
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from zipnet.errors import UserError, shown
from zipnet.results.match import NOTHING, Key, Matched
from zipnet.results.noise import (
    ENDS,
    FLOOR,
    Answer,
    NullTest,
    alike,
    nulls,
    of_kind,
    said,
    threshold,
)
from zipnet.results.runs import Run, Runs
from zipnet.results.schema import Kind
from zipnet.results.statistics import Columns, Estimate, geometric_mean, percent, ratios, widen

if TYPE_CHECKING:
    import pandas as pd

UNTESTED: Final = (
    "no null test: how far apart equal things are is not known here; "
    "measure with --profile standard"
)
# What less and more of a unit are called. Less is better: a speed above 1 says how much less.
WORDS: Final = {"s": ("faster", "slower"), "B": ("smaller", "larger")}
COLUMNS: Final = (
    "question", "engine", "device", "threads", "batch", "dtype", "kind", "unit", "baseline_value",
    "other_value", "speed", "low", "high", "threshold", "verdict", "reason",
)  # fmt: skip
UNITS: Final = {"s": "seconds", "B": "bytes"}


@functools.cache
def word(what: int, unit: str = "s") -> str:
    """What a row is called: faster, slower, same, unclear; of bytes smaller, larger."""
    better, worse = WORDS.get(unit, ("less", "more"))
    words: dict[int, str] = {Answer.BETTER: better, Answer.WORSE: worse, Answer.SAME: "same"}
    return words.get(what, "unclear")


@functools.lru_cache(4096)  # a kind of row has one threshold in each comparison
def reason(what: int, threshold: float) -> str:
    """Why, for a person."""
    margin = percent(float(alike(threshold)))
    within = f"equal things differ by up to {percent(threshold)} here"
    if threshold <= FLOOR:
        within = f"differences below {percent(FLOOR)} are not called"
    reasons: dict[int, str] = {
        Answer.BETTER: f"the interval lies above 1, and {within}",
        Answer.WORSE: f"the interval lies below 1, and {within}",
        Answer.SAME: f"differs by less than {margin}",
        Answer.TOO_FEW: "too few rounds for an interval",
        Answer.WITHIN_NOISE: f"a difference, but {within}",
        Answer.TOO_WIDE: f"the interval holds 1 and ends beyond {margin}",
    }
    return reasons[what]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that can be said of two runs, row by row in the order of matched.keys."""

    baseline: Run
    other: Run
    matched: Matched
    rows: Columns  # COLUMNS; counted, per: the parts of unit; forbidden: no verdict may rest on it

    @property
    def counts(self) -> Counter[str]:
        """How many rows were given each verdict."""
        return Counter(self.rows["verdict"].tolist())

    def mean(self, kind: Kind) -> tuple[Estimate | None, int]:
        """How many times as fast the other is by the geometric mean, and over how many rows: those
        of a kind without a doubt in them that forbids. None without rows.
        """
        these = (self.rows["kind"] == kind) & ~self.rows["forbidden"]
        ends = zip(*(self.rows[name][these] for name in ("speed", "low", "high")), strict=True)
        speeds = [Estimate.of(*each) for each in ends]
        return (geometric_mean(speeds) if speeds else None), len(speeds)


def compared(
    runs: Runs, sides: tuple[Run, Run], tested: Mapping[str, NullTest],
    names: tuple[str, str] = ("A", "B"),
) -> Comparison:  # fmt: skip
    """Judge every row that two runs share; names: what to call them."""
    matched, columns = Matched(runs, sides, names), runs.columns
    values = (
        np.stack([columns[name][matched.rows] for name in ENDS]) / columns["works"][matched.rows]
    )
    kinds, units, pers = (columns[name][matched.rows[0]] for name in ("kind", "unit", "per"))
    known = _noise([tested[run.name] for run in sides if run.name in tested])
    by_kind = {kind: of_kind(known, kind) for kind in set(kinds)}
    noise = np.array([by_kind[kind] for kind in kinds], float)
    one, other = (tuple(values[:, side]) for side in (0, 1))
    speed, least = widen(ratios(one, other), np.nan_to_num(noise)), threshold(noise)
    what = said(speed, least).tolist()
    words = [word(*each) for each in zip(what, units, strict=True)]
    reasons = [reason(*each) for each in zip(what, least.tolist(), strict=True)]
    doubts, untested = columns["forbidden"][matched.rows], np.isnan(noise)
    forbidden = (doubts != NOTHING).any(axis=0)
    for at in np.flatnonzero(forbidden | untested):
        lines = [f"{name}: {text}" for name, text in zip(names, doubts[:, at], strict=True) if text]
        words[at], reasons[at] = "unclear", [*lines, UNTESTED][0]
    each = [f"{UNITS.get(unit, unit)} per {per}" for unit, per in zip(units, pers, strict=True)]
    shown: dict[str, Any] = {
        name: [key[at] for key in matched.keys] for at, name in enumerate(Key._fields)
    }
    shown |= {"kind": kinds, "unit": each, "baseline_value": one[0], "other_value": other[0],
              "speed": speed[0], "low": speed[1], "high": speed[2], "verdict": words,
              "threshold": np.where(untested, np.nan, least), "reason": reasons,
              "counted": units, "per": pers, "forbidden": forbidden}  # fmt: skip
    rows = {name: column if isinstance(column, np.ndarray) else np.array(column, object)
            for name, column in shown.items()}  # fmt: skip
    return Comparison(*sides, matched, rows)


def _noise(tested: Sequence[NullTest]) -> dict[Kind, float]:
    """How far apart equal things would be found if one were on either machine: a share.

    Each machine's noise is that of two of its runs, so each run brings half of its square. A
    machine without a null test is taken to be like the other.
    """
    logs: dict[Kind, list[float]] = defaultdict(list)
    for null in tested:
        for kind, noise in null.noise.items():
            logs[kind].append(math.log1p(noise))
    return {kind: math.expm1(math.hypot(*found) / math.sqrt(len(found)))
            for kind, found in logs.items()}  # fmt: skip


# --- for notebooks --------------------------------------------------------------------------------


def compare(runs: Runs, a: str | Run, b: str | Run) -> pd.DataFrame:
    """Compare two runs row by row: how many times as fast b is as a, and whether that is real.

    a, b: a machine's name, which stands for the newest of its runs; a file's source; or a Run.
    Returns a line a question that both were asked: question, kind, engine, device, threads ("1",
    "all", another number, or "" on an accelerator), dtype, unit ("seconds per presentation", ...),
    verdict and reason (str, NaN where it has no meaning); batch, baseline_value and other_value
    in unit, speed with low and high, its 95% interval, as a ratio, and threshold, from which share
    on a difference is called (float64, NaN where there is none). verdict: faster, slower, same,
    unclear; for bytes smaller and larger. Raises UserError where a name is not known.
    """
    import pandas as pd

    sides = _run(runs, a), _run(runs, b)
    found = compared(runs, sides, nulls(runs, sides, {run.name for run in sides}))
    return pd.DataFrame({name: found.rows[name] for name in COLUMNS}).astype({"batch": float})


def noise(runs: Runs) -> pd.DataFrame:
    """How far apart equal things are found on each machine, by comparing its runs with each other.

    Returns a line a machine: machine and how ("between runs", "within runs") (str); pairs, rows
    compared with themselves, and called_different, how many of them we would call so (int64);
    threshold_network and threshold_machine, from which share on rows of a kind are called different
    (float64); sources, the files it rests on (str, comma-separated).
    """
    import pandas as pd

    return pd.DataFrame([
        {"machine": null.machine, "how": null.how, "pairs": null.pairs,
         "called_different": null.different, "threshold_network": null.threshold("network"),
         "threshold_machine": null.threshold("machine"), "sources": ", ".join(null.sources)}
        for null in nulls(runs).values()
    ])  # fmt: skip


def _run(runs: Runs, wanted: str | Run) -> Run:
    if isinstance(wanted, Run):
        return wanted
    named = {run.source: run for run in runs.runs} | {run.name: run for run in runs.newest}
    if wanted in named:
        return named[wanted]
    near = difflib.get_close_matches(wanted, named, 3, 0.4)
    hint = f"; did you mean: {', '.join(near)}?" if near else ""
    raise UserError(f"{shown(wanted)} is no machine and no file that was read{hint}")

"""Faster, slower, same or unclear: every row that two runs share, with its ratio and its verdict.

Two things stand between a ratio and a verdict. The interval holds what the rounds of these two
rows leave open, and is never narrower than what equal things are found apart (noise.py): a machine
that differs from itself by 5% from run to run cannot be told from another within 5%, however alike
its rounds are. The threshold is what would matter: that same noise, or 1% on the calmest machine.
A difference is called only beyond both. Things are the same where the whole interval, noise
included, lies within a stated margin. Anything else is unclear, which is an answer too, with what
it would take: the row is called once its noise and its interval are no wider than the ratio is far
from 1, or than what the margin leaves beside it. An interval narrows by the root of the rounds.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from zipnet.errors import UserError, alike, shown
from zipnet.results.match import NOTHING, Key, Matched
from zipnet.results.noise import (
    ENDS,
    FLOOR,
    MARGIN,
    UNSEEN,
    Answer,
    NullTest,
    nulls,
    said,
    threshold,
    together,
)
from zipnet.results.runs import TEXT, Run, Runs, typed
from zipnet.results.schema import Kind
from zipnet.results.statistics import (
    Columns,
    Estimate,
    Floats,
    Interval,
    geometric_mean,
    ratios,
    widen,
)
from zipnet.results.units import percent

if TYPE_CHECKING:
    import pandas as pd

MORE: Final = (0, 1, 2, 3, 5, 10)  # further equal runs that one may be asked for
LONGER: Final = (2, 5, 10, 20, 50, 100)  # times as many rounds, likewise: few words, many rows
# What less and more of a unit are called. Less is better: a speed above 1 says how much less.
WORDS: Final = {"s": ("faster", "slower"), "B": ("smaller", "larger")}
NUMBERS: Final = ("batch", "baseline_value", "other_value", "speed", "low", "high", "threshold")
COLUMNS: Final = (
    "question", "engine", "device", "threads", "batch", "dtype", "kind", "unit", "baseline_value",
    "other_value", "speed", "low", "high", "threshold", "verdict", "reason",
)  # fmt: skip
NOISE: Final = {
    "machine": TEXT, "runs": "int64", "pairs": "int64", "called_different": "int64",
    "threshold_network": "float64", "threshold_machine": "float64", "sources": TEXT, "odd": TEXT,
}  # fmt: skip
UNITS: Final = {"s": "seconds", "B": "bytes", "J": "joules"}
SAID: Final = ("verdict", "reason")


@functools.cache
def word(what: int, unit: str = "s") -> str:
    """What a row is called: faster, slower, same, unclear; of bytes smaller, larger."""
    better, worse = WORDS.get(unit, ("less", "more"))
    words: dict[int, str] = {Answer.BETTER: better, Answer.WORSE: worse, Answer.SAME: "same"}
    return words.get(what, "unclear")


@functools.lru_cache(4096)  # many rows, few reasons
def reason(what: int, noise: float, margin: float, runs: int | None, longer: int) -> str:
    """Why, for a person. runs, longer: what it would take, as needed() has them."""
    within = f"equal things may differ by up to {percent(noise)} here"
    if noise <= FLOOR:
        within = f"differences below {percent(FLOOR)} are not called"
    reasons: dict[int, str] = {
        Answer.BETTER: f"the interval lies above 1, and {within}",
        Answer.WORSE: f"the interval lies below 1, and {within}",
        Answer.SAME: f"differs by less than {percent(margin)}",
        Answer.TOO_FEW: "too few rounds for an interval",
        Answer.UNSTEADY: "too unsteady to tell: equal things may differ by more than twofold here",
    }
    if what in reasons:
        return reasons[what]
    if runs is None:
        return f"{within}, and more runs cannot tell"
    if runs:
        more = f"at least {runs} more equal run{'s' if runs > 1 else ''} of each"
        return f"{within}; {more}{', and longer ones,' if longer > 1 else ''} would tell"
    times = f"about {longer}" if longer <= LONGER[-1] else f"more than {LONGER[-1]}"
    return f"the interval is too wide; {times} times as many rounds would tell"


def needed(speed: Interval, noises: Floats, margin: float) -> tuple[list[int | None], list[int]]:
    """What it would take to call each row something: further equal runs of each machine, None where
    no number of MORE is enough; and how many times as many rounds.

    noises: (MORE, rows), shares, after so many more runs.
    """
    middle, low, high = map(np.log, speed)
    off, logs = np.abs(middle), np.log1p(noises)
    reach = np.maximum(np.where(off > math.log1p(FLOOR), off, 0.0), math.log1p(margin) - off)
    enough = logs <= reach
    runs = np.where(enough.any(axis=0), np.array(MORE)[enough.argmax(axis=0)], -1)
    wide = np.maximum(high - middle, middle - low)
    own = wide > 1.001 * logs[0]  # or it is the noise, give or take a rounding
    beyond = np.where(own & (wide > reach), wide / np.fmax(reach, 1e-9), 0.0) ** 2
    longer = np.array([*LONGER, LONGER[-1] + 1])[np.searchsorted(LONGER, beyond)]
    longer = np.where(beyond > 0, longer, 1)
    return [None if many < 0 else many for many in runs.tolist()], longer.tolist()


class Answered(NamedTuple):
    """All rows of one question together."""

    question: str
    rows: int
    speed: Estimate | None  # geometric mean of those that a verdict may rest on; None without any
    verdict: str  # what the mean lets one say
    counts: Counter[str]  # of the verdicts that the rows were given
    reason: str  # the commonest one for a row's verdict


@dataclass(frozen=True, eq=False)
class Comparison:
    """Everything that can be said of two runs, row by row in the order of matched.keys."""

    baseline: Run
    other: Run
    matched: Matched
    tested: tuple[NullTest, ...]  # of either's machine, where one is known
    margin: float  # within which things are the same, a share
    rows: Columns  # COLUMNS; counted, per: the parts of unit; forbidden: no verdict may rest on it

    @property
    def counts(self) -> Counter[str]:
        """How many rows were given each verdict."""
        return Counter(self.rows["verdict"].tolist())

    def mean(self, kind: Kind) -> tuple[Estimate | None, int]:
        """How many times as fast the other is, by the geometric mean of the rows of a kind that a
        verdict may rest on, None without any; and how many these are.
        """
        return self._mean(self.rows["kind"] == kind)

    @functools.cached_property
    def answered(self) -> list[Answered]:
        """What can be said of each question, in the order of the rows."""
        found, rows = [], self.rows
        of_each = {question: rows["question"] == question
                   for question in dict.fromkeys(rows["question"].tolist())}  # fmt: skip
        means = [self._mean(these)[0] for these in of_each.values()]
        noises = [rows["threshold"][these].max() for these in of_each.values()]  # of one kind each
        ends = np.array([mean or [None] * 3 for mean in means], float).reshape(-1, 3)
        middle, low, high = ends.T  # NaN, of which said() says too few, where there is None
        answers = said((middle, low, high), np.array(noises), self.margin).tolist()
        for (question, these), mean, what in zip(of_each.items(), means, answers, strict=True):
            verdicts, reasons = (Counter(rows[name][these].tolist()) for name in SAID)
            called = word(what, rows["counted"][these][0])
            commonest = reasons.most_common(1)[0][0]
            found.append(Answered(question, int(these.sum()), mean, called, verdicts, commonest))
        return found

    def records(self) -> Iterator[dict[str, Any]]:
        """Every row by the names of its columns, with its key; None where a number is missing."""
        columns = [column.tolist() for column in self.rows.values()]
        for key, *values in zip(self.matched.keys, *columns, strict=True):
            known = (None if value != value else value for value in values)
            yield {"key": key, **dict(zip(self.rows, known, strict=True))}

    def _mean(self, these: Any) -> tuple[Estimate | None, int]:
        these = these & ~self.rows["forbidden"]
        speed, low, high = (self.rows[name][these] for name in ("speed", "low", "high"))
        return (geometric_mean((speed, low, high)) if len(speed) else None), len(speed)


def compared(
    runs: Runs, sides: tuple[Run, Run], tested: Mapping[str, NullTest],
    names: tuple[str, str] = ("A", "B"), margin: float = MARGIN,
) -> Comparison:  # fmt: skip
    """Judge every row that two runs share.

    names: what to call them; margin: within which they are the same, a share.
    """
    matched, columns = Matched(runs, sides, names), runs.columns
    values = np.stack([columns[name][matched.rows] for name in ENDS])
    values = values / columns["works"][matched.rows]
    kinds, units, pers = (columns[name][matched.rows[0]] for name in ("kind", "unit", "per"))
    known = tuple(tested[run.name] for run in sides if run.name in tested)
    noises = _noises(known, kinds)
    one, other = (tuple(values[:, side]) for side in (0, 1))
    speed = widen(ratios(one, other), noises[0])
    what = said(speed, noises[0], margin).tolist()
    words = [word(*each) for each in zip(what, units, strict=True)]
    takes = zip(what, noises[0].tolist(), *needed(speed, noises, margin), strict=True)
    reasons = [reason(why, noise, margin, *asked) for why, noise, *asked in takes]
    doubts = columns["forbidden"][matched.rows]
    forbidden = (doubts != NOTHING).any(axis=0)
    for at in np.flatnonzero(forbidden):
        lines = [f"{name}: {text}" for name, text in zip(names, doubts[:, at], strict=True) if text]
        words[at], reasons[at] = "unclear", lines[0]
    each = [f"{UNITS.get(unit, unit)} per {per}" for unit, per in zip(units, pers, strict=True)]
    shown: dict[str, Any] = {name: [getattr(key, name) for key in matched.keys]
                             for name in Key._fields}  # fmt: skip
    shown |= {"kind": kinds, "unit": each, "baseline_value": one[0], "other_value": other[0],
              "speed": speed[0], "low": speed[1], "high": speed[2], "verdict": words,
              "threshold": threshold(noises[0]), "reason": reasons,
              "counted": units, "per": pers, "forbidden": forbidden}  # fmt: skip
    rows = {name: column if isinstance(column, np.ndarray) else np.array(column, object)
            for name, column in shown.items()}  # fmt: skip
    return Comparison(*sides, matched, known, margin, rows)


def _noises(tested: Sequence[NullTest], kinds: Any) -> Floats:
    """How far apart equal things would be found if one were on either machine, after MORE further
    runs of each: (MORE, rows) shares. A machine without a null test is one that nobody measured.
    """
    found = {}
    for kind in set(kinds):
        scales = [null.scale(kind) for null in tested] or [UNSEEN]
        found[kind] = [together(scales, more) for more in MORE]
    return np.array([found[kind] for kind in kinds], float).reshape(-1, len(MORE)).T


# --- for notebooks --------------------------------------------------------------------------------


def compare(runs: Runs, a: str | Run, b: str | Run, same_within: float = MARGIN) -> pd.DataFrame:
    """Compare two runs row by row: how many times as fast b is as a, and whether that is real.

    a, b: a machine's name, which stands for the newest of its runs; a file's source; or a Run of
    these runs.
    same_within: the margin within which a whole interval must lie for "same", a share.
    Returns a line a question that both were asked: question, kind, engine, device, threads ("1",
    "all", another number, or "" on an accelerator), dtype, unit ("seconds per presentation", ...),
    verdict and reason (str, NaN where it has no meaning); batch, baseline_value and other_value
    in unit, speed with low and high, its 95% interval, as a ratio, and threshold, from which share
    on a difference is called (float64, NaN where there is none). verdict: faster, slower, same,
    unclear; for bytes smaller and larger. Raises UserError where a name is not known, or the margin
    is no share above 0.
    """
    try:
        fits = 0 < same_within < math.inf
    except TypeError:
        fits = False
    if not fits:
        raise UserError(f"same_within is {same_within!r}; give a share above 0, such as 0.05")
    sides = _run(_read(runs), a), _run(runs, b)
    tested = nulls(runs, sides, {run.name for run in sides})
    found = compared(runs, sides, tested, margin=same_within)
    types = {name: "float64" if name in NUMBERS else TEXT for name in COLUMNS}
    return typed({name: found.rows[name] for name in COLUMNS}, **types)


def noise(runs: Runs) -> pd.DataFrame:
    """How far apart equal things are found on each machine, by comparing its runs with each other.

    Returns a line a machine: machine (str); runs, the equal ones that this rests on; pairs, rows
    compared with themselves, and called_different, how many of them we would call so (int64);
    threshold_network and threshold_machine, from which share on rows of a kind are called different
    (float64), 1 where it is too unsteady for any; sources, the files it rests on, and odd, those
    that their equals make next to impossible (str, comma-separated).
    """
    return typed([
        {"machine": null.machine, "runs": len(null.sources), "pairs": null.pairs,
         "called_different": null.different, "threshold_network": null.threshold("network"),
         "threshold_machine": null.threshold("machine"), "sources": ", ".join(null.sources),
         "odd": ", ".join(odd.source for odd in null.odd)}
        for null in nulls(_read(runs)).values()
    ], **NOISE)  # fmt: skip


def _read(runs: Runs) -> Runs:
    if not isinstance(runs, Runs):
        raise UserError(f"runs is a {type(runs).__name__}; give what results.read() returned")
    return runs


def _run(runs: Runs, wanted: str | Run) -> Run:
    if isinstance(wanted, Run):
        if wanted not in runs.runs:
            raise UserError(f"{wanted.source} is a Run of other runs; read both together")
        return wanted
    wanted = str(wanted)
    named = {run.source: run for run in runs.runs} | {run.name: run for run in runs.newest}
    if wanted in named:
        return named[wanted]
    if wanted in {run.name for run in runs.runs}:
        raise UserError(f"{wanted} has no run to stand for it: none says how fast it is and agrees "
                        "with itself; name a file's source")  # fmt: skip
    hint = alike(wanted, named)
    raise UserError(f"{shown(wanted)} is no machine and no file that was read{hint}")

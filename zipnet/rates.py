"""Rates: the best learning rate of each batch, by one stated rule, and the trials that showed it.

The rule. Rates are steps of a factor 2 from the recipe's own. The best one is the one by which most
of the search's seeds bring the test error down to TARGET; of those, in the fewest passes; of those,
with the fewest misses. Rates are tried outwards from a guess until the best has a neighbour on
either side that is no better. Every trial of a batch may take equally many passes; one that goes
nowhere is stopped (zipnet/pursuit.py). So a rate is chosen on test digits, with seeds of its own:
the time that is then measured with other seeds is that of a rate known to suit.

rates.json holds the trials, as `python -m bench search` wrote them; nothing in it is typed.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from zipnet import paper
from zipnet.errors import UserError
from zipnet.pursuit import End
from zipnet.recipe import KARPATHY_1989

BATCHES: Final = (1, 8, 32, 128, 512, paper.TRAIN_DIGITS)
TARGET: Final = 6.5  # per cent of the test digits
SEEDS: Final = (1000, 1001, 1002)  # of the search; what is measured starts from 0
PASSES: Final = 100  # that a training may take, or as many as have these steps, if more:
STEPS: Final = 100 * paper.PASSES
FARTHEST: Final = 12  # factors of 2 from the guess, where nothing learns at all
FILE: Final = Path(__file__).with_name("rates.json")

Score = TypeVar("Score")


@dataclass(frozen=True)
class Trial:
    """One training of the search, and how it ended; misses: the fewest on test digits."""

    batch: int
    power: int
    seed: int
    passes: int
    misses: int
    end: End

    @property
    def lr(self) -> float:
        """The learning rate that was tried."""
        return rate(self.power)


@dataclass(frozen=True)
class Rate:
    """The best learning rate of a batch, the passes by which its trials got to TARGET, or all that
    they were given, and in words how it was found.
    """

    lr: float
    passes: float
    found: str


def rate(power: int) -> float:
    """A learning rate of the grid."""
    return KARPATHY_1989.lr * 2.0**power


def guess(batch: int) -> int:
    """Where the grid is entered: a rate that grows with the square root of the batch, up to 16."""
    return min(round(math.log2(batch) / 2), 4)


def most_passes(batch: int, digits: int = paper.TRAIN_DIGITS) -> int:
    """The passes that a training with this batch may take, in the search and when it is timed."""
    return max(PASSES, math.ceil(STEPS / math.ceil(digits / batch)))


def score(trials: Iterable[Trial]) -> tuple[bool, int, int, int]:
    """What a rate came to, less is better: nothing learned; seeds that missed TARGET; passes of
    those that did not; misses of all.
    """
    tried = list(trials)
    passes = [trial.passes for trial in tried if trial.end == "reached"]
    nothing = all(trial.end in ("stuck", "diverged") for trial in tried)
    return nothing, len(tried) - len(passes), sum(passes), sum(trial.misses for trial in tried)


def bracket(
    start: int,
    tried: Callable[[Sequence[int]], Mapping[int, Score]],
    fails: Callable[[Score], bool],
) -> int:
    """The best power, walking outwards from the start until both its neighbours are no better.

    tried: the scores of some powers, less being better. fails: whether a score is that of nothing
    learned, from where the walk goes on both ways. Raises UserError where it goes FARTHEST so.
    """
    scores: dict[int, Score] = {}
    wanted = [start]
    while wanted:
        scores |= tried(wanted)
        best: int = min(scores, key=lambda power: (scores[power], abs(power - start)))
        if not fails(scores[best]):
            wanted = [power for power in (best - 1, best + 1) if power not in scores]
        elif start - min(scores) < FARTHEST:
            wanted = [min(scores) - 1, max(scores) + 1]
        else:
            least, most = rate(min(scores)), rate(max(scores))
            raise UserError(f"no learning rate from {least:.3g} to {most:.3g} learns anything")
    return best


def best(trials: Iterable[Trial]) -> dict[int, list[Trial]]:
    """The trials of the best rate of each batch."""
    found: dict[int, dict[int, list[Trial]]] = {}
    for trial in trials:
        found.setdefault(trial.batch, {}).setdefault(trial.power, []).append(trial)
    return {batch: min(tried.values(), key=score) for batch, tried in sorted(found.items())}


def content(about: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    """The file's text: what the search was, of each batch too, and a trial a line."""
    lines = ",\n".join(f"  {json.dumps(asdict(trial))}" for trial in trials)
    return f'{json.dumps(dict(about), indent=1)[:-2]},\n "trials": [\n{lines}\n ]\n}}\n'


def read(path: Path = FILE) -> tuple[dict[str, Any], list[Trial]]:
    """What the search was, and its trials. Raises UserError where the file is not one of ours."""
    try:
        about = json.loads(path.read_text("utf-8"))
        trials = [Trial(**trial) for trial in about.pop("trials")]
        about["batches"] = {f"{int(key)}": dict(said) for key, said in about["batches"].items()}
        if missing := {str(one.batch) for one in trials} - set(about["batches"]):
            raise ValueError(f"trials of batch {min(missing)}, of which it says nothing")
        return about, trials
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"{path.name} is no search's outcome ({error}); python -m bench search writes it"
        ) from None


@functools.cache
def known() -> dict[int, Rate]:
    """The best rate of each batch that was searched; of none where there was no search yet."""
    if not FILE.exists():
        return {}
    about, trials = read()
    by = f"best of {len(about['seeds'])} seeds on the test digits of {about['dataset']}"
    found = {}
    for batch, tried in best(trials).items():
        others = [trial.lr for trial in trials if trial.batch == batch]
        date = about["batches"][str(batch)]["date"]
        among = f"{min(others):g} to {max(others):g}"
        words = f"{by}, among {among}: zipnet/rates.json of {date}"
        passes = sum(trial.passes for trial in tried) / len(tried)
        found[batch] = Rate(tried[0].lr, passes, words)
    return found

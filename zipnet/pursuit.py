"""Pursuit: training until the test error has fallen to given levels, and what each of them took.

A speed says nothing of what was learned, and steps on many digits need more passes. What both come
to is the time to an error. It is read off test digits, as everybody reads it, so whoever chooses by
it has chosen on them.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from zipnet.engines.base import Engine
from zipnet.evaluation import evaluate
from zipnet.params import Params
from zipnet.training import Stage

LEVELS: Final = (8.0, 7.0, 6.5, 6.0)  # per cent of the test digits misread; plain SGD ends near 5.5
LOOK: Final = 10  # steps at the least between two looks at the test digits
HALF: Final = 50.0  # per cent; a training that misreads more is going nowhere
PATIENCE: Final = 50  # after so many passes, or a tenth of those that it may take, if more

End = Literal["reached", "out of passes", "stuck", "diverged"]


@dataclass(frozen=True)
class Reached:
    """What a level of error took: passes, and seconds of training alone."""

    passes: int
    seconds: float


@dataclass(frozen=True)
class Pursuit:
    """A training that went for levels of error. reached: of each level, None where it was not.

    passes and seconds: of the whole training, evaluations not counted. misses: the fewest seen on
    the test digits, all of them where no look was taken.
    """

    reached: tuple[Reached | None, ...]
    passes: int
    seconds: float
    misses: int
    end: End


def pursue(
    engine: Engine,
    on: Stage,
    seed: int,
    *,
    lr: float,
    passes: int,
    levels: Sequence[float] = LEVELS,
    before_pass: Callable[[], None] = lambda: None,
) -> Pursuit:
    """Train at a constant learning rate until the last of the levels, falling, or out of passes.

    The test digits are looked at after every pass; where a pass has fewer than LOOK steps, after
    as many passes as have them, so that looking does not outweigh learning. A training that is
    going nowhere ends, and so does one whose losses are no longer finite numbers. What before_pass
    raises ends it too, and is raised here.
    """
    engine.load(Params.init(seed, engine.recipe), seed)
    engine.lr = lr
    try:
        return _pursue(engine, on, passes, levels, before_pass)
    finally:
        engine.lr = engine.recipe.lr


def _pursue(
    engine: Engine,
    on: Stage,
    passes: int,
    levels: Sequence[float],
    before_pass: Callable[[], None],
) -> Pursuit:
    every = math.ceil(LOOK / sum(part.steps for part in on.parts))
    reached: list[Reached] = []
    seconds, misses = 0.0, len(on.test.labels)

    def ended(done: int, end: End) -> Pursuit:
        missing = [None] * (len(levels) - len(reached))
        return Pursuit((*reached, *missing), done, seconds, misses, end)

    for done in range(1, passes + 1):
        before_pass()
        engine.sync()
        began = time.perf_counter()
        losses = [engine.run(part) for part in on.parts]
        engine.sync()
        seconds += time.perf_counter() - began
        if done % every and done < passes:
            continue
        if not all(np.isfinite(engine.numpy(part)).all() for part in losses):
            return ended(done, "diverged")
        seen = evaluate(engine, on.test)
        misses = min(misses, seen.misses)
        while len(reached) < len(levels) and seen.error <= levels[len(reached)]:
            reached.append(Reached(done, seconds))
        if len(reached) == len(levels):
            return ended(done, "reached")
        if done >= max(PATIENCE, passes / 10) and seen.error > HALF:
            return ended(done, "stuck")
    return ended(passes, "out of passes")

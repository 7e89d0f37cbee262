"""Training: passes over digits with any engine."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from zipnet.data import Digits
from zipnet.engines.base import Engine, Many, Placed
from zipnet.errors import UserError
from zipnet.evaluation import Evaluation, Observer, Split, targets
from zipnet.params import Array, Params
from zipnet.recipe import Recipe


@dataclass(frozen=True)
class Training:
    """A finished training. seconds are training alone: placing and evaluating are not in it.

    An engine with a twin is evaluated on another core while it goes on; benchmarks do not do so.
    """

    presentations: int
    seconds: float
    train: Evaluation
    test: Evaluation

    def as_dict(self) -> dict[str, object]:
        """Ready for JSON."""
        return {
            "presentations": self.presentations,
            "seconds": self.seconds,
            "us_per_presentation": 1e6 * self.seconds / self.presentations,
            "train": self.train.as_dict(),
            "test": self.test.as_dict(),
        }


@dataclass(frozen=True)
class Stage:
    """Digits placed for one engine: the steps of a pass, and both splits to be evaluated.

    A last step of fewer digits, where the batch does not divide them, is a part of its own.
    estimate: the digits, one batch, that pseudo-Newton measures its sigma on.
    """

    parts: tuple[Placed, ...]
    estimate: Placed | None
    train: Split
    test: Split

    @property
    def presentations(self) -> int:
        """Digits shown in a pass."""
        return sum(part.presentations for part in self.parts)


def stage(engine: Engine | Many, digits: Digits) -> Stage:
    """Place a data set for training with the engine, and prepare the engine for it."""
    require_batch(engine.recipe, digits)
    x, y, batch = digits.x_train, targets(digits.y_train), engine.recipe.batch
    whole = len(x) // batch * batch
    parts = [engine.place(x[:whole], y[:whole], batch)]
    if whole < len(x):
        parts.append(engine.place(x[whole:], y[whole:], len(x) - whole))
    for part in parts:
        engine.prepare(part)
    count = min(engine.recipe.estimate, len(x))
    estimate = engine.place(x[:count], y[:count], count) if count else None
    if estimate and isinstance(engine, Engine):  # many in a launch take no second derivatives
        with measuring(engine):
            engine.prepare(estimate)
    shown = parts[0] if len(parts) == 1 else engine.place(x, y, len(x))
    test_y = targets(digits.y_test)
    return Stage(
        parts=tuple(parts),
        estimate=estimate,
        train=Split(shown, digits.y_train, y),
        test=Split(engine.place(digits.x_test, test_y, 1), digits.y_test, test_y),
    )


def run_pass(engine: Engine, on: Stage, index: int) -> list[object]:
    """Show every training digit once, as pass `index` of the recipe; returns the parts' losses.

    May return before the device has finished, like Engine.run.
    """
    if on.estimate and (index == 0 or not engine.recipe.gamma):
        with measuring(engine):
            engine.run(on.estimate)
    engine.lr = engine.recipe.lr_at(index)
    return [engine.run(part) for part in on.parts]


@contextmanager
def measuring(engine: Engine) -> Iterator[None]:
    """Steps taken inside measure pseudo-Newton's sigma and leave the weights as they are."""
    engine.lr, engine.gamma = 0.0, 1.0
    yield
    engine.lr, engine.gamma = engine.recipe.lr, engine.recipe.gamma


def train(
    engine: Engine,
    digits: Digits,
    start: Params,
    *,
    seed: int = 0,
    after_pass: Callable[[int, Evaluation, Evaluation], None] | None = None,
) -> Training:
    """Train as engine.recipe says, from the given parameters, and evaluate.

    seed: of shifts and dropout. after_pass: told the number of each pass, from 1, and the
    evaluations of training and test digits after it; without it only the end is evaluated.
    Raises UserError where the losses stop being finite numbers.
    """
    engine.load(start, seed)
    on = stage(engine, digits)
    passes, seconds = engine.recipe.passes, 0.0
    with Observer(engine, on.train, on.test, after_pass) as observer:
        for index in range(passes):
            engine.sync()
            began = time.perf_counter()
            losses = run_pass(engine, on, index)
            engine.sync()
            seconds += time.perf_counter() - began
            require_finite(engine, losses, index)
            if after_pass is not None or index + 1 == passes:
                observer.look(index + 1)
        on_train, on_test = observer.last()
    return Training(on.presentations * passes, seconds, on_train, on_test)


def require_batch(recipe: Recipe, digits: Digits) -> None:
    """Raise UserError where there are fewer training digits than the recipe's batch."""
    if recipe.batch > len(digits.x_train):
        raise UserError(
            f"batch is {recipe.batch}, but {digits.name} has {len(digits.x_train)} training digits"
        )


def require_finite(engine: Engine, losses: list[object], index: int) -> None:
    """Raise UserError naming the step where a loss of the pass is NaN or infinite."""
    require_all_finite(np.concatenate([engine.numpy(part) for part in losses]), engine.lr, index)


def require_all_finite(losses: Array, lr: float, index: int) -> None:
    """The same of one network's losses, (steps,), in a pass at learning rate lr."""
    broken = np.flatnonzero(~np.isfinite(losses))
    if len(broken):
        raise UserError(
            f"training diverged in pass {index + 1}, step {broken[0] + 1}: the loss is "
            f"{losses[broken[0]]}; lower the learning rate (now {lr:g})"
        )

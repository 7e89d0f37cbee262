"""Replicas: many independent trainings at once, for seeds or learning rates.

In 1989 a second opinion cost three more days. Each replica is an engine of its own, held to one
thread, or one network of many in the same launches; either way it ends bit for bit where it would
have ended alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from zipnet import engines
from zipnet.cpu import cores
from zipnet.data import Digits
from zipnet.engines.base import Many
from zipnet.evaluation import judge
from zipnet.params import Params
from zipnet.recipe import Recipe
from zipnet.training import Training, require_all_finite, stage, train


@dataclass(frozen=True)
class Replica:
    """What one training starts from: a seed, and a learning rate of its own or the recipe's."""

    seed: int
    lr: float | None = None


@dataclass(frozen=True)
class Trainings:
    """Finished replicas in the order asked for, and the wall time of all of them together."""

    trainings: list[Training]
    seconds: float

    @property
    def per_minute(self) -> float:
        """Whole trainings per minute, evaluation at their ends included."""
        return 60.0 * len(self.trainings) / self.seconds


AfterEach = Callable[[int, Training], None]


class _Asked(NamedTuple):
    """What every way to train replicas is told."""

    engine: str  # rivals have none
    recipe: Recipe
    digits: Digits
    replicas: Sequence[Replica]
    device: str
    threads: int | None


def train_replicas(
    engine: str,
    recipe: Recipe,
    digits: Digits,
    replicas: Sequence[Replica],
    *,
    device: str = "cpu",
    threads: int | None = None,
    after_each: AfterEach | None = None,
) -> Trainings:
    """Train every replica and evaluate it at its end, as many at a time as the engine can.

    An engine of launches trains as many as the device holds in each; one whose compiled code lets
    go of Python's lock trains `threads` at a time (None: one a core); any other, one by one. So are
    rivals, which have no engine: its name is then of no account.
    after_each is told how many are done and the one that just was. Raises what train() raises.
    """
    side_by_side = _rivals
    if not recipe.rival:
        in_launches = engines.require(engine, recipe, device, tried=False).many_at_once == "launch"
        side_by_side = _in_launches if in_launches else _on_threads
    began = time.perf_counter()
    finished = []
    for training in side_by_side(_Asked(engine, recipe, digits, replicas, device, threads)):
        finished.append(training)
        if after_each is not None:
            after_each(len(finished), training)
    return Trainings(finished, time.perf_counter() - began)


def _changed(recipe: Recipe, replica: Replica) -> Recipe:
    """The recipe with the replica's learning rate, where it has one of its own."""
    return recipe if replica.lr is None else recipe.at_rate(replica.lr)


def _on_threads(asked: _Asked) -> Iterator[Training]:
    """An engine of its own for each replica, held to one thread."""

    def one(replica: Replica) -> Training:
        recipe = _changed(asked.recipe, replica)
        worker = engines.make(asked.engine, recipe, asked.device, threads=1)
        first = Params.init(replica.seed, asked.recipe)
        return train(worker, asked.digits, first, seed=replica.seed)

    apart = engines.kind(asked.engine).many_at_once == "threads"
    with ThreadPoolExecutor((asked.threads or cores()) if apart else 1) as pool:
        yield from pool.map(one, asked.replicas)


def _rivals(asked: _Asked) -> Iterator[Training]:
    """One network of torch after the other, on all threads."""
    from zipnet.rivals import train_rival

    _, recipe, digits, replicas, device, threads = asked
    for replica in replicas:
        changed = _changed(recipe, replica)
        yield train_rival(changed, digits, replica.seed, device=device, threads=threads)


def _in_launches(asked: _Asked) -> Iterator[Training]:
    """As many replicas in a launch as the device holds, then the next."""
    engine, recipe, digits, replicas, device, threads = asked
    kind = engines.kind(engine)
    most = kind.at_once(recipe, device, threads)
    for first in range(0, len(replicas), most):
        crowd = replicas[first : first + most]
        yield from _train_many(kind.many(recipe, device), digits, crowd)


def _train_many(many: Many, digits: Digits, crowd: Sequence[Replica]) -> list[Training]:
    """train(), for replicas whose steps run in the same launches and share their time."""
    many.load([Params.init(replica.seed, many.recipe) for replica in crowd])
    on = stage(many, digits)
    passes, seconds = many.recipe.passes, 0.0
    for index in range(passes):
        many.rates = [_changed(many.recipe, replica).lr_at(index) for replica in crowd]
        many.sync()
        began = time.perf_counter()
        losses = [many.run(part) for part in on.parts]
        many.sync()
        seconds += time.perf_counter() - began
        for rate, row in zip(many.rates, np.hstack([many.numpy(x) for x in losses]), strict=True):
            require_all_finite(row, rate, index)
    seen = [
        [judge(out, split, many.recipe) for out in many.numpy(many.predict(split.placed))]
        for split in (on.train, on.test)
    ]
    shown = on.presentations * passes
    return [Training(shown, seconds, *evaluations) for evaluations in zip(*seen, strict=True)]

"""Replicas: many independent trainings at once, for seeds or learning rates.

In 1989 a second opinion cost three more days. Each replica is an engine of its own, held to one
thread, so it ends bit for bit where it would have ended alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from zipnet import engines
from zipnet.cpu import cores
from zipnet.data import Digits
from zipnet.params import Params
from zipnet.recipe import Recipe
from zipnet.training import Training, train


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


def train_replicas(
    engine: str,
    recipe: Recipe,
    digits: Digits,
    replicas: Sequence[Replica],
    *,
    device: str = "cpu",
    threads: int | None = None,
    after_each: Callable[[int, Training], None] | None = None,
) -> Trainings:
    """Train every replica, `threads` at a time (None: one a core), and evaluate it at its end.

    An engine whose compiled code lets go of Python's lock, as fused does, keeps every core busy.
    after_each is told how many are done and the one that just was. Raises what train() raises.
    """

    def one(replica: Replica) -> Training:
        changed = recipe
        if replica.lr is not None:
            changed = replace(recipe, lr=replica.lr, lr_end=replica.lr)
        worker = engines.make(engine, changed, device, threads=1)
        return train(worker, digits, Params.init(replica.seed), seed=replica.seed)

    began = time.perf_counter()
    finished = []
    with ThreadPoolExecutor(threads or cores()) as pool:
        for training in pool.map(one, replicas):
            finished.append(training)
            if after_each is not None:
                after_each(len(finished), training)
    return Trainings(finished, time.perf_counter() - began)

"""Evaluation: what a network makes of digits it is shown, in Karpathy's printed form."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType

import numpy as np

from zipnet import paper
from zipnet.engines.base import Engine, Placed
from zipnet.params import Array
from zipnet.recipe import Recipe
from zipnet.reference import loss_of


@dataclass(frozen=True)
class Evaluation:
    """What the network makes of a split.

    loss: the recipe's own. error: misses in per cent. mse: the mean over digits and outputs of
    (target - output)^2, and half_mse half of it, which is what the article prints (zipnet/paper.py
    says why); None where the loss is another. rejected: see reject_rate(). said: (n,) uint8, what
    each digit was taken for.
    """

    loss: float
    error: float
    misses: int
    mse: float | None = None
    half_mse: float | None = None
    rejected: float | None = None
    said: np.ndarray | None = field(default=None, repr=False, compare=False)

    def as_dict(self) -> dict[str, object]:
        """Its numbers, ready for JSON."""
        return {key: value for key, value in vars(self).items() if key != "said"}

    def line(self, split: str) -> str:
        """Karpathy's form, so that runs can be laid side by side."""
        return (
            f"eval: split {split:5s}. loss {self.loss:e}. "
            f"error {self.error:.2f}%. misses: {self.misses}"
        )


def targets(labels: np.ndarray) -> Array:
    """(n,) labels -> (n, 10) float32, +1 for the class and -1 elsewhere ("place coding")."""
    return np.where(np.arange(paper.CLASSES) == labels[:, None], 1, -1).astype(np.float32)


@dataclass(frozen=True)
class Split:
    """Digits placed to be evaluated, and what they are."""

    placed: Placed
    labels: np.ndarray  # (n,) uint8
    targets: Array  # (n, 10)


def evaluate(engine: Engine, split: Split) -> Evaluation:
    """Show digits without learning: the recipe's loss against targets, and misses."""
    return judge(engine.numpy(engine.predict(split.placed)), split, engine.recipe)


def judge(outputs: Array, split: Split, recipe: Recipe) -> Evaluation:
    """The evaluation of a network's outputs (n, 10) on a split."""
    said = outputs.argmax(axis=1).astype(np.uint8)
    misses = int((said != split.labels).sum())
    loss, _ = loss_of(outputs.astype(np.float64), split.targets.astype(np.float64), recipe)
    mse, half_mse = (loss, loss / 2) if recipe.loss == "mse" else (None, None)
    rejected = reject_rate(outputs, split.labels)
    error = 100.0 * misses / len(split.labels)
    return Evaluation(loss, error, misses, mse, half_mse, rejected, said)


def reject_rate(outputs: Array, labels: np.ndarray, allowed: float = paper.ALLOWED_ERROR) -> float:
    """Per cent of the digits to be rejected so that `allowed` per cent of the rest is wrong.

    The article's rule: a digit is accepted where its two highest outputs differ by more than a
    threshold. The threshold is the lowest that does, chosen on these very digits, as the article
    chose it on its test digits. outputs (n, 10), labels (n,); 100 where no threshold does.
    """
    two = np.partition(outputs, -2, axis=1)[:, -2:].astype(np.float64)
    margin = two[:, 1] - two[:, 0]
    order = np.argsort(-margin)
    wrong = (outputs.argmax(axis=1) != labels)[order].cumsum()
    accepted = np.arange(1, len(labels) + 1)
    equal = np.append(np.diff(margin[order]) == 0, [False])  # no threshold parts equal margins
    most = accepted[(100 * wrong <= allowed * accepted) & ~equal].max(initial=0)
    return 100.0 * (1 - int(most) / len(labels))


Tell = Callable[[int, Evaluation, Evaluation], None]


class Observer:
    """Evaluates both splits when told to look, and tells what it saw, in order.

    Where the engine has a twin, the twin is asked on a thread of its own while the engine goes on
    learning; otherwise learning waits.
    """

    def __init__(self, engine: Engine, train: Split, test: Split, tell: Tell | None) -> None:
        self._engine, self._train, self._test, self._tell = engine, train, test, tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="observer")
        self._seen: Future[tuple[Evaluation, Evaluation]] | None = None

    def __enter__(self) -> Observer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(cancel_futures=True)

    def look(self, number: int) -> None:
        """Evaluate the parameters as they are now, after pass `number`."""
        twin = self._engine.twin()
        if self._seen is not None:
            self._seen.result()  # an error of the last look must not wait for the end
        self._seen = self._pool.submit(self._evaluate, twin or self._engine, number)
        if twin is None:
            self._seen.result()

    def last(self) -> tuple[Evaluation, Evaluation]:
        """What the last look saw of training and test digits."""
        assert self._seen is not None, "nobody looked"
        return self._seen.result()

    def _evaluate(self, engine: Engine, number: int) -> tuple[Evaluation, Evaluation]:
        on_train, on_test = evaluate(engine, self._train), evaluate(engine, self._test)
        if self._tell is not None:
            self._tell(number, on_train, on_test)
        return on_train, on_test

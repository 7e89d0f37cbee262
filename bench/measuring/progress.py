"""What a person sees while it measures: what is running, what came out, how long to go."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pytest

# The files of benchmarks by their worth, the headline first, because a session may end early; and
# about how many seconds each needs beside the others: weights for the time to go, corrected by the
# clock as the session runs.
_WEIGHTS: Final = {
    "bench_sgd": 4.0,
    "bench_fullbatch": 8.0,
    "bench_training": 10.0,
    "bench_time_to_error": 8.0,
    "bench_replicas": 3.0,
    "bench_inference": 2.0,
    "bench_floor": 2.0,
    "bench_sweep": 1.5,
    "bench_width": 1.5,
    "bench_ranks": 4.0,
    "bench_joules": 40.0,
    "bench_first_step": 5.0,
}
BY_WORTH: Final = list(_WEIGHTS)
TIME_UP: Final = 75  # exit code of tests that --within cut short: EX_TEMPFAIL of sysexits.h


class Unbroken:
    """A stream whose reader may go away, or whose disk may fill up, while it is written to.

    Hours of measuring do not end with it. broken: why what was written last is lost.
    """

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.broken: str | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        """Write, or lose it."""
        self._try(lambda: self._stream.write(text))

    def flush(self) -> None:
        """Flush, or lose what was written."""
        self._try(self._stream.flush)

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except (OSError, ValueError) as error:  # ValueError: it was closed
            self.broken = getattr(error, "strerror", None) or str(error)


def weights(items: Iterable[pytest.Item]) -> list[float]:
    """How long each of these benchmarks takes beside the others."""
    return [_WEIGHTS.get(item.path.stem, 2.0) for item in items]


class Progress:
    """One line for each thing that is done; weights: how long each takes beside the others.

    write: of a terminal or, with `flush`, of pytest's reporter.
    """

    def __init__(self, write: Callable[..., object], weights: Sequence[float]) -> None:
        self._write = write
        self._weights = weights
        self._began = time.monotonic()
        self._done = 0
        self._lapping = 0.0

    def starts(self, name: str) -> None:
        """Say what is being measured."""
        total = len(self._weights)
        self._write(f"[{self._done + 1:3d}/{total}] {name:58s} ", flush=True)

    def ended(self, outcome: str) -> None:
        """Say what came of it, and how long the rest will take."""
        self._done += 1
        left = self.seconds_left()
        self._write(f"{outcome}{f'   {spoken(left)} to go' if left else ''}\n", flush=True)

    def lap(self, taken: int, laps: int, rows: int) -> None:
        """Say that the rows are gone over once more, how far that is, and how long it will take."""
        now = time.monotonic()
        if taken == 1:
            self._lapping = now
        pace = (now - self._lapping) / (taken - 1) if taken > 1 else 0.0
        left = f"   {spoken(pace * (laps - taken))} to go" if pace else ""
        self._write(
            f"[lap {taken + 1}/{laps}] {rows} rows again, in another order{left}\n", flush=True
        )

    def again(self, rows: int) -> None:
        """Say that rows take their lap again."""
        self._write(f"[again] {rows} rows: somebody else had the cores\n", flush=True)

    def say(self, news: str) -> None:
        """Say what happened meanwhile, on a line of its own."""
        self._write(f"\n{news}\n", flush=True)

    def seconds_left(self) -> float:
        """By the pace so far."""
        done, left = sum(self._weights[: self._done]), sum(self._weights[self._done :])
        return (time.monotonic() - self._began) / done * left if done else 0.0


def spoken(seconds: float) -> str:
    """Whole seconds, and minutes where there are any: '4 min 05 s'."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"

"""What a result file says, as frozen values: the contract of results/README.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from bench.report.statistics.timings import Timings

# The questions that show digits to a network; every other row measures the machine itself.
LEARNING: Final = ("sgd-synced", "sgd-queued", "fullbatch", "sweep", "training", "replicas")
RECOGNISING: Final = ("inference-one", "inference-all")
SHOWING_DIGITS: Final = frozenset(LEARNING + RECOGNISING)


@dataclass(frozen=True)
class Score:
    """What the network had learned by the end of a training run."""

    loss: float
    misses: int


@dataclass(frozen=True)
class Stated:
    """The statistics that the file itself states; the report derives its own from the timings."""

    rounds: int
    iterations: int | None
    numbers: dict[str, float]  # by pytest-benchmark's names; older versions wrote fewer
    outliers: str | None  # two counts with a semicolon between


class State(NamedTuple):
    """Readings of the machine at one moment; None where it does not tell."""

    load_1min: float | None = None
    cpu_mhz: float | None = None
    memory_available: float | None = None  # bytes
    throttled: float | None = None  # how often, since it was started
    speed_limit: float | None = None  # percent of its speed that the system grants
    gpu_mhz: float | None = None
    gpu_celsius: float | None = None
    power: str | None = None  # mains or battery
    gpu_throttle: str | None = None  # why the GPU runs slowly; none where nothing slows it


class Watch(NamedTuple):
    """What the machine was seen doing during one lap of a row; None where it does not tell.

    Core-seconds: 1 is one core kept busy for a second.
    """

    seconds: float  # of the lap, its warming included
    own: float | None  # core-seconds of the measuring process
    others: float | None  # core-seconds of every other process of the machine
    stolen: float | None  # core-seconds that a hypervisor gave to somebody else
    before: State
    after: State


class Row(NamedTuple):
    """One benchmark: who ran what, and every raw timing, in seconds for one round.

    The last three fields are what measures are made from, and empty once they are made.
    """

    fullname: str
    question: str
    engine: str | None
    device: str
    device_name: str | None
    dtype: str | None
    threads: int | None
    batch: int | None
    steps: int | None
    presentations: int | None
    macs: int | None
    bytes: int | None
    dataset: str | None
    dataset_sha256: str | None
    seed: int | None
    replicas: int | None
    replica_misses: tuple[int, ...]
    train: Score | None
    test: Score | None
    warnings: tuple[str, ...]
    timings: Timings  # schema 1 had one lap
    watches: tuple[Watch, ...]  # one a lap, or none
    stated: Stated

    @property
    def seconds(self) -> Sequence[float]:
        """Of every round."""
        return self.timings.seconds

    @property
    def laps(self) -> Sequence[int]:
        """How many rounds each lap took."""
        return self.timings.laps

    @property
    def shows_digits(self) -> bool:
        """Whether a network was at work, not only the machine."""
        return self.question in SHOWING_DIGITS


@dataclass(frozen=True)
class Absent:
    """Something that was not measured, and why."""

    engine: str | None
    device: str | None
    question: str | None
    reason: str


@dataclass(frozen=True)
class Machine:
    """What identifies a machine: what it is, never whose it is."""

    name: str
    cpu: str
    physical_cores: int | None
    logical_cores: int | None
    arch: str | None
    memory_gib: float | None
    gpus: tuple[str, ...]
    system: str | None


@dataclass(frozen=True)
class ResultFile:
    """What one run on one machine said."""

    path: Path | None  # None where it came from an object store
    address: str  # tells it from every other file: its real path, or where its store has it
    source: str
    schema: int
    written: str
    commit: str | None
    status: str
    scope: str
    profile: str
    workload: dict[str, Any]
    dataset: str
    dataset_sha256: str
    software: dict[str, str]
    before: State
    after: State
    absent: tuple[Absent, ...]
    machine: Machine
    rows: tuple[Row, ...]
    watched: bool  # whether some row says what else the machine did

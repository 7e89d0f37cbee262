"""What is the floor under every number here, and the ceiling above it?

The floor: the harness with nothing in it, waiting alone, the smallest launch, one digit copied. The
ceiling: the highest rates of multiply-accumulates and of bytes that a library reaches and, on a
CPU, that loops of vector instructions reach from registers, from each cache and from memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch

from bench.measuring.harness import warm
from bench.measuring.session import Bench
from bench.measuring.settings import DevicePlace
from zipnet import cpu, devices
from zipnet.engines.null import Null
from zipnet.evaluation import targets
from zipnet.fused import peak
from zipnet.recipe import KARPATHY_1989
from zipnet.results.schema import Row

GEMM_SIDES = {"cpu": 1024, "other": 8192}
FMA_ROUNDS = 2_000_000  # some milliseconds, against some microseconds to start threads
COPY_BYTES = {"cpu": 2**27, "other": 2**30}
READ_LEVELS = {"l1": 1, "l2": 2, "l3": 3, "memory": 4}
READ_BYTES = 2**26  # a round, by each thread: milliseconds from memory
MEMORY_BYTES = 2**27  # at the least, and four times the largest cache


def _row(question: str, place: DevicePlace) -> Row:
    device = torch.empty(0, device=place.device).device  # read back, as engines' rows are
    return Row(
        question=question,
        device=str(device),
        device_name=devices.describe(device),
        dtype="float32",
        threads=place.threads,
    )


@dataclass
class Held:
    """Arrays that are there during a lap only: the other rows need the memory."""

    place: DevicePlace
    arrays: list[Any] = field(default_factory=list)

    def let_go(self) -> None:
        """Free them, on the device as well."""
        self.arrays.clear()
        if self.place.device != "cpu":
            devices.release_memory()


def _claim(place: DevicePlace) -> torch.device:
    if place.threads is not None:
        torch.set_num_threads(place.threads)
    torch.set_float32_matmul_precision("highest")
    return torch.device(place.device)


def bench_empty_engine(bench: Bench) -> None:
    """The contract's calls with nothing behind them: what the harness itself costs."""
    engine, place = Null(KARPATHY_1989, "cpu"), DevicePlace("cpu", 1)
    digits = bench.workshop.digits
    placed = engine.place(digits.x_train[:1], targets(digits.y_train[:1]), 1)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    bench.measure(work, _row("floor-empty", place), lambda: _claim(place))


def bench_sync_alone(bench: Bench, place: DevicePlace) -> None:
    """Waiting for a device that has nothing to do."""
    device = _claim(place)
    row = _row("floor-sync", place)
    bench.measure(lambda: devices.synchronize(device), row, lambda: _claim(place))


def bench_smallest_launch(bench: Bench, place: DevicePlace) -> None:
    """One addition to one number, then wait."""
    device = _claim(place)
    number = torch.zeros((), device=device)

    def work() -> None:
        number.add_(1.0)
        devices.synchronize(device)

    bench.measure(work, _row("floor-launch", place), lambda: _claim(place))


def bench_copy_one_digit(bench: Bench, place: DevicePlace) -> None:
    """One digit from the host's memory to the device's, then wait."""
    device = _claim(place)
    digit = torch.tensor(bench.workshop.digits.x_train[:1])
    there = torch.empty_like(digit, device=device)

    def work() -> None:
        there.copy_(digit)
        devices.synchronize(device)

    row = _row("floor-copy-digit", place)
    row.bytes = digit.nbytes
    bench.measure(work, row, lambda: _claim(place))


def bench_gemm_peak(bench: Bench, place: DevicePlace) -> None:
    """A large float32 matrix product: the rate of MACs that the device's library reaches."""
    side = GEMM_SIDES.get(place.device, GEMM_SIDES["other"])
    held = Held(place)

    def enter() -> None:
        a, b = torch.rand(2, side, side, device=_claim(place)).unbind()
        held.arrays = [a, b, torch.empty_like(a)]

    def work() -> None:
        a, b, product = held.arrays
        torch.mm(a, b, out=product)
        devices.synchronize(product.device)

    row = _row("floor-gemm", place)
    row.macs = side**3
    bench.measure(work, row, enter, leave=held.let_go)


def bench_copy_bandwidth(bench: Bench, place: DevicePlace) -> None:
    """A copy too large for any cache: bytes read and bytes written."""
    size = COPY_BYTES.get(place.device, COPY_BYTES["other"])
    held = Held(place)

    def enter() -> None:
        source = torch.zeros(size // 4, device=_claim(place))
        held.arrays = [source, torch.empty_like(source)]

    def work() -> None:
        source, target = held.arrays
        target.copy_(source)
        devices.synchronize(target.device)

    row = _row("floor-bandwidth", place)
    row.bytes = 2 * size
    bench.measure(work, row, enter, leave=held.let_go)


def bench_fma_peak(bench: Bench, place: DevicePlace) -> None:
    """Multiply-adds between registers and nothing else: the CPU's own ceiling."""
    if place.threads is None:
        pytest.skip("the register loop is written for CPUs")
    threads = place.threads

    def seconds_per_mac(width: int) -> float:
        def probe() -> int:
            return peak.multiply_adds(FMA_ROUNDS, threads, width)

        return warm(probe, 0.05) / probe()

    width = min(peak.WIDTHS, key=seconds_per_mac)
    row = _row("floor-fma", place)
    row.macs = peak.multiply_adds(1, threads, width) * FMA_ROUNDS
    bench.measure(
        lambda: peak.multiply_adds(FMA_ROUNDS, threads, width), row, lambda: _claim(place)
    )


def read_bytes(level: int, threads: int) -> int:
    """Bytes that each thread reads, so that they come from this level; 0 where none has room.

    Half of its part of a cache, for the rest is never ours alone; beyond the last one, memory.
    """
    parts = {at: size // min(threads, sharing) for at, (size, sharing) in cpu.caches().items()}
    if level > max(parts):
        size, sharing = cpu.caches()[max(parts)]
        whole = size * -(-cpu.cores() // sharing)
        return max(MEMORY_BYTES, 4 * whole) // threads if level == READ_LEVELS["memory"] else 0
    half = parts.get(level, 0) // 2
    return half if half > max((parts[at] for at in parts if at < level), default=0) else 0


@pytest.mark.parametrize("level", READ_LEVELS)
def bench_read_bandwidth(bench: Bench, place: DevicePlace, level: str) -> None:
    """Floats read and summed, again and again from one level of the CPU's memory."""
    if place.threads is None:
        pytest.skip("the reading loop is written for CPUs")
    threads, held = place.threads, Held(place)
    size = read_bytes(READ_LEVELS[level], threads)
    if not size:
        pytest.skip(f"no {level} that is a thread's own and larger than the cache before it")
    times = max(1, READ_BYTES // size)

    def enter() -> None:
        _claim(place)
        held.arrays = [*peak.written(size, threads)]

    row = _row(f"floor-read-{level}", place)
    row.bytes = peak.read(peak.written(size, threads), times)
    bench.measure(lambda: peak.read(held.arrays, times), row, enter, leave=held.let_go)

"""How fast is per-example SGD? A step's latency, and steps queued behind each other."""

from __future__ import annotations

from bench.measuring.session import Bench
from bench.measuring.settings import Setting, only, without_idle_threads


@only(without_idle_threads)
def bench_synced_step(bench: Bench, setting: Setting) -> None:
    """One step, then wait: the latency that a user feels, with its distribution."""
    ready = bench.workshop.ready(setting, batch=1)
    engine, digit = ready.engine, bench.workshop.one_by_one(ready.engine)

    def work() -> None:
        engine.run(next(digit))
        engine.sync()

    row = bench.row("sgd-synced", setting, next(digit), ready.verified)
    bench.measure(work, row, ready.enter)


@only(without_idle_threads)
def bench_queued_steps(bench: Bench, setting: Setting) -> None:
    """Many steps, then wait once: the rate that training reaches."""
    ready = bench.workshop.ready(setting, batch=1)
    engine, placed = ready.engine, bench.queued(ready.engine)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    bench.measure(work, bench.row("sgd-queued", setting, placed, ready.verified), ready.enter)

"""How much of the guessed "another ~100x" is there? One step on all training digits at once."""

from __future__ import annotations

from bench.measuring.session import Bench
from bench.measuring.settings import Setting, patiently, with_few_threads


@patiently(with_few_threads, "what threads add to a large batch is fused's to show")
def bench_full_batch(bench: Bench, setting: Setting) -> None:
    """One update from all training digits: the throughput-bound end of the scale."""
    digits = len(bench.workshop.digits.x_train)
    ready = bench.workshop.ready(setting, batch=digits)
    engine, placed = ready.engine, bench.workshop.placed(ready.engine, digits, digits)

    def work() -> None:
        engine.run(placed)
        engine.sync()

    bench.measure(work, bench.row("fullbatch", setting, placed, ready.verified), ready.enter)

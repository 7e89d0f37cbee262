"""How fast are digits recognised, one at a time and all at once?"""

from __future__ import annotations

from bench.measuring.session import Bench
from bench.measuring.settings import Setting, only, with_a_prediction_path


@only(with_a_prediction_path, "its steps are its own, but it predicts as tuned does")
def bench_one_digit(bench: Bench, setting: Setting) -> None:
    """One digit in, ten outputs out, then wait: what the PC of 1989 did 30 times a second."""
    ready = bench.workshop.ready(setting, batch=1)
    engine, digit = ready.engine, bench.workshop.one_by_one(ready.engine)
    verified = bench.workshop.verify_test_outputs(engine, bench.workshop.placed_test(engine))

    def work() -> None:
        engine.predict(next(digit))
        engine.sync()

    row = bench.inference_row("inference-one", setting, next(digit), verified)
    bench.measure(work, row, ready.enter)


@only(with_a_prediction_path, "its steps are its own, but it predicts as tuned does")
def bench_all_digits(bench: Bench, setting: Setting) -> None:
    """All test digits in one call."""
    ready = bench.workshop.ready(setting, batch=1)
    engine, placed = ready.engine, bench.workshop.placed_test(ready.engine)
    verified = bench.workshop.verify_test_outputs(engine, placed)

    def work() -> None:
        engine.predict(placed)
        engine.sync()

    row = bench.inference_row("inference-all", setting, placed, verified)
    bench.measure(work, row, ready.enter)

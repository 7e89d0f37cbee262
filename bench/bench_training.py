"""How long does the training run of 1989 take, and does the network learn?"""

from __future__ import annotations

import msgspec

from bench.measuring.harness import seconds_a_step
from bench.measuring.session import Bench
from bench.measuring.settings import Setting, only, without_idle_threads
from bench.measuring.workshop import SEED
from zipnet.evaluation import evaluate
from zipnet.results.schema import Score
from zipnet.training import require_finite, run_pass, stage

PROBE_STEPS = 50


@only(without_idle_threads)
def bench_training_run(bench: Bench, setting: Setting) -> None:
    """All passes over all digits, evaluations not counted; then misses on both splits.

    An engine that would need longer than the limit is left out, and the reader projects its
    training from its queued steps.
    """
    ready = bench.workshop.ready(setting, batch=1)
    engine, recipe = ready.engine, ready.engine.recipe
    probe = bench.workshop.placed(engine, PROBE_STEPS, 1)
    steps = recipe.passes * len(bench.workshop.digits.x_train)
    projected = steps * seconds_a_step(engine, probe)
    if projected > bench.train_limit:
        reason = (
            f"the whole run would take about {projected:.0f} s, "
            f"over the limit of {bench.train_limit:g} s (--train-limit)"
        )
        bench.leave_out(setting, "training", reason)
    on = stage(engine, bench.workshop.digits)
    losses: list[object] = []

    def work() -> None:
        for index in range(recipe.passes):
            losses[:] = run_pass(engine, on, index)
        engine.sync()

    row = bench.row("training", setting, on.parts[0], ready.verified, recipe.passes)
    row.passes, row.seed = recipe.passes, SEED
    timed = bench.measure(work, row, ready.enter, fresh=ready.enter, estimate=projected)
    require_finite(engine, losses, recipe.passes - 1)
    row.train, row.test = (
        msgspec.convert(evaluate(engine, split), Score, from_attributes=True)
        for split in (on.train, on.test)
    )
    timed.save()

"""How many trainings a minute? Many networks at once, one a core."""

from __future__ import annotations

from bench.harness import seconds_of
from bench.session import Bench
from bench.settings import Setting, only
from zipnet import paper
from zipnet.replicas import Replica, train_replicas

PER_THREAD = 2  # trainings for each thread, so that the last ones to end do not weigh too much
PROBE_DIGITS = 50


@only(lambda setting: setting.engine == "fused", "only fused keeps every core busy from Python")
def bench_replicas(bench: Bench, setting: Setting) -> None:
    """Whole trainings of different seeds side by side, from making an engine to its misses."""
    threads = setting.place.threads
    assert threads is not None
    workshop = bench.workshop
    ready = workshop.ready(setting, batch=1)
    probe = workshop.placed(ready.engine, PROBE_DIGITS, 1)
    step = seconds_of(lambda: ready.engine.run(probe)) / PROBE_DIGITS
    recipe, count = ready.engine.recipe, PER_THREAD * threads
    estimate = PER_THREAD * step * recipe.passes * len(workshop.digits.x_train)
    row = bench.row("replicas", setting, probe, ready.verified)
    row.presentations = count * recipe.passes * len(workshop.digits.x_train)
    row.steps, row.macs = row.presentations, row.presentations * paper.STEP_MACS
    row.passes, row.replicas = recipe.passes, count

    def work() -> None:
        seeds = [Replica(seed) for seed in range(count)]
        done = train_replicas(setting.engine, recipe, workshop.digits, seeds, threads=threads)
        row.replica_misses = [training.test.misses for training in done.trainings]

    bench.measure(work, row, ready.enter, fresh=ready.enter, estimate=estimate)

"""How many trainings a minute? Many networks at once: one a core, or as many as a GPU holds."""

from __future__ import annotations

from bench.measuring.harness import seconds_a_step
from bench.measuring.session import Bench
from bench.measuring.settings import Setting, once_a_device, only, patiently
from zipnet import engines
from zipnet.replicas import Replica, train_replicas

TURNS = 2  # trainings for each place to train in: the last ones to end must not weigh too much
PROBE_DIGITS = 50


def trains_many_at_once(setting: Setting) -> bool:
    """For engines that gain from training side by side."""
    return engines.kind(setting.engine).many_at_once is not None


@patiently(lambda setting: not once_a_device(setting), "ranks show what a second core adds")
@only(trains_many_at_once, "trainings side by side would only wait for each other")
def bench_replicas(bench: Bench, setting: Setting) -> None:
    """Whole trainings of different seeds side by side, from making an engine to its misses."""
    device, threads = setting.place.device, setting.place.threads
    workshop = bench.workshop
    ready = workshop.ready(setting, batch=1)
    probe = workshop.placed(ready.engine, PROBE_DIGITS, 1)
    recipe = ready.engine.recipe
    count = TURNS * ready.engine.at_once(recipe, device, threads)
    each = recipe.passes * len(workshop.digits.x_train)
    estimate, shown = TURNS * seconds_a_step(ready.engine, probe) * each, count * each
    row = bench.row("replicas", setting, probe, ready.verified)
    row.presentations, row.steps, row.macs = shown, shown, shown * recipe.step_macs
    row.passes, row.replicas = recipe.passes, count

    def work() -> None:
        seeds = [Replica(seed) for seed in range(count)]
        done = train_replicas(
            setting.engine, recipe, workshop.digits, seeds, device=device, threads=threads
        )
        row.replica_misses = [training.test.misses for training in done.trainings]

    bench.measure(work, row, ready.enter, fresh=ready.enter, estimate=estimate)

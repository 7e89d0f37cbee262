"""Roofs: which of them is nearest follows from rows whose limits are known."""

import pytest

from bench.report.figures.roofline import Roofline, said
from tests import records_factory as factory
from zipnet import paper
from zipnet.results.collect import collect
from zipnet.results.roofs import roofed

MACS = 171_780  # a step on one digit
EACH = MACS / 87_144  # MACs a byte


def test_bytes_of_a_step_are_counted_by_hand():
    """9,760 parameters read and written; 256 pixels, 10 targets; 1,000 activations twice."""
    assert paper.step_bytes(1) == 4 * (2 * 9_760 + 256 + 10 + 2 * 1_000) == 87_144
    assert paper.step_bytes(7_291) - paper.step_bytes(7_290) == 4 * 2_266


def machine(fma=50e9, gemm=40e9, l1=200e9, memory=10e9, threads=1):
    """Floors of a CPU: MACs and bytes a second."""
    who = {"threads": threads}
    return [
        factory.row("floor-fma", 1e9 / fma, macs=10**9, **who),
        factory.row("floor-gemm", 1e9 / gemm, macs=10**9, **who),
        factory.row("floor-read-l1", 1e9 / l1, bytes=10**9, **who),
        factory.row("floor-read-memory", 1e9 / memory, bytes=10**9, **who),
    ]


def swept(engine, law, batches=(1, 4, 16, 64)):
    return [factory.learning("sweep", 1e6 * law(b) / b, 1, b, engine=engine) for b in batches]


def queued(engine, microseconds, **who):
    return factory.learning("sgd-queued", microseconds, 1000, 1, engine=engine, **who)


def found(tmp_path, *rows):
    read = collect([str(factory.write(tmp_path, factory.result(benchmarks=list(rows))))]).rows
    assert read["sound"].all(), list(read["invalid"])
    return {(one.source.engine, one.source.batch): one for one in roofed(read)}


def test_an_engine_that_asks_for_each_step_is_below_dispatch(tmp_path):
    rows = [*machine(), *swept("eager", lambda b: 1e-3 + 2e-5 * b), queued("eager", 1010.0)]
    one = found(tmp_path, *rows)["eager", 1]
    assert one.nearest.name == "dispatch"
    assert one.nearest.macs_per_second == pytest.approx(MACS / 1e-3, rel=0.05)
    assert one.share == pytest.approx(0.99, abs=0.05)


def test_an_engine_that_loops_by_itself_is_not(tmp_path):
    """A twentieth of what asking takes: its roof is memory's here."""
    rows = [*machine(), *swept("fused", lambda b: 2e-4 + 5e-6 * b), queued("fused", 10.0)]
    one = found(tmp_path, *rows)["fused", 1]
    assert one.nearest.name == "memory"
    assert one.nearest.macs_per_second == pytest.approx(10e9 * EACH, rel=0.02)
    assert one.share == pytest.approx(MACS / 10e-6 / (10e9 * EACH), rel=0.03)


def test_a_roof_that_is_broken_through_is_none(tmp_path):
    """What memory would have to bring, caches keep; then a library's product, then the FMAs."""
    names = [found(tmp_path, *machine(), queued("fused", us))["fused", 1].nearest.name
             for us in (10.0, 5.0, 4.0)]  # fmt: skip
    assert names == ["memory", "matrix product", "multiply-adds"]


def test_where_the_law_does_not_hold_the_smallest_batches_say_what_asking_takes(tmp_path):
    rows = [*machine(), queued("mlx", 900.0),
            *swept("mlx", lambda b: (5e-4 + 4e-4 * b) * (5 if b > 4 else 1))]  # fmt: skip
    one = found(tmp_path, *rows)["mlx", 1]
    assert one.nearest.name == "dispatch"
    assert one.nearest.macs_per_second == pytest.approx(MACS / 5e-4, rel=0.15)


def test_without_a_sweep_a_whole_step_is_what_asking_takes(tmp_path):
    rows = [*machine(), queued("compiled", 800.0),
            factory.learning("sgd-synced", 850.0, 1, 1, engine="compiled")]  # fmt: skip
    one = found(tmp_path, *rows)["compiled", 1]
    assert (one.nearest.name, one.share) == ("dispatch", 1.0)


def test_roofs_are_of_as_many_threads_and_of_the_batch(tmp_path):
    full = factory.learning("fullbatch", 8.0, 1, 7291, engine="fused", threads=2)
    rows = [*machine(), *machine(90e9, 80e9, 400e9, 12e9, threads=2), queued("fused", 10.0), full]
    both = found(tmp_path, *rows)
    assert both["fused", 1].intensity == pytest.approx(EACH)
    one = both["fused", 7291]
    assert one.intensity == pytest.approx(MACS * 7291 / paper.step_bytes(7291))
    assert [roof.name for roof in one.roofs] == ["matrix product", "multiply-adds", "memory", "L1"]
    assert one.roofs[0].macs_per_second == pytest.approx(80e9, rel=0.03)


def test_a_file_without_floors_has_no_roofs(tmp_path):
    assert found(tmp_path, queued("fused", 10.0))["fused", 1].nearest is None


def test_the_figure_draws_the_newest_file_engine_by_engine_over_its_batches(tmp_path):
    law = [*swept("eager", lambda b: 1e-3 + 2e-5 * b), *swept("fused", lambda b: 5e-6 * b)]
    rows = [*machine(), *law, queued("fused", 4.5)]
    before = {"benchmarks": [*machine(), queued("eager", 900.0)]}
    before["datetime"] = "2026-11-20T02:00:00+00:00"
    factory.write(tmp_path, factory.result(**before), "before.json")
    factory.write(tmp_path, factory.result(benchmarks=rows))
    fused, eager = Roofline.of(collect([str(tmp_path)]).rows).engines
    assert [one.source.batch for one in eager] == [1, 4, 16, 64]
    assert fused[0].source.question == "sgd-queued", "which is faster than waiting for it"
    assert said(eager) == "dispatch 98% to 44%"


@pytest.mark.parametrize("counts", [{"bytes": None}, {"bytes": 0}], ids=str)
def test_a_floor_that_counts_nothing_is_no_roof(tmp_path, counts):
    idle = factory.row("floor-read-l2", 1e-3, threads=1, **counts)
    one = found(tmp_path, *machine(), idle, queued("fused", 4.0))["fused", 1]
    assert {roof.name for roof in one.roofs} == {"multiply-adds", "matrix product", "L1", "memory"}

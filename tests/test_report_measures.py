"""Rates, peaks, projections and choices, derived from timings whose answers are known."""

import pytest

from bench.report.files import reading
from bench.report.pages.runs import headline, runs
from bench.report.rows.examined import examine
from bench.report.rows.measures import best, fit, latest, measures, training_of, trainings
from tests import records_factory as factory
from zipnet import paper


def read(tmp_path, **overrides):
    name = overrides.pop("file", "one.json")
    return reading.read(factory.write(tmp_path, factory.result(**overrides), name))


def exact(question, seconds, **about):
    row = factory.learning(question, 1.0, about.pop("steps", 10), about.pop("batch", 1), **about)
    return factory.retimed(row, [seconds] * 7)


def test_rates_follow_from_the_median_and_the_work_of_a_round(tmp_path):
    row = exact("sgd-queued", 0.5, engine="eager")
    (measure,) = measures(read(tmp_path, benchmarks=[row]))
    assert measure.us_per_presentation.median == pytest.approx(50_000)
    assert measure.presentations_per_second.median == pytest.approx(20)
    assert measure.macs_per_second.median == pytest.approx(20 * paper.STEP_MACS)


def test_a_projection_is_the_presentation_times_167693(tmp_path):
    row = exact("sgd-queued", 0.5, engine="eager")
    (training,) = trainings(measures(read(tmp_path, benchmarks=[row])))
    assert not training.measured
    assert training.seconds.median == pytest.approx(0.05 * 167_693)
    assert training.times_sun == pytest.approx(259_200 / (0.05 * 167_693))
    assert training.test is None


def test_a_measured_training_is_preferred_to_a_faster_projection(tmp_path):
    rows = [
        exact("sgd-queued", 1e-4, engine="eager"),
        factory.training("eager", "cpu", 1, 900, misses=119),
    ]
    (training,) = trainings(measures(read(tmp_path, benchmarks=rows)))
    assert training.measured
    assert training.test.misses == 119


def test_a_training_of_another_length_is_not_the_training_of_1989(tmp_path):
    row = factory.training("eager", "cpu", 1, 900)
    row["extra_info"] |= {"presentations": 100, "steps": 100}
    assert trainings(measures(read(tmp_path, benchmarks=[row]))) == []


def test_steps_of_larger_batches_are_never_projected(tmp_path):
    row = exact("sgd-queued", 1e-4, engine="eager", batch=64)
    assert trainings(measures(read(tmp_path, benchmarks=[row]))) == []


def test_the_better_thread_count_is_chosen(tmp_path):
    rows = [
        exact("sgd-queued", 0.5, engine="eager", threads=1),
        exact("sgd-queued", 0.4, engine="eager", threads=2),
        exact("sgd-queued", 0.1, engine="compiled", threads=2),
    ]
    chosen = best(measures(read(tmp_path, benchmarks=rows)), "sgd-queued")
    assert [(m.row.engine, m.row.threads) for m in chosen] == [("compiled", 2), ("eager", 2)]


def test_the_peak_is_that_of_the_same_device_and_threads(tmp_path):
    rows = [
        exact("sgd-queued", 1.0, engine="eager", threads=2),
        factory.row("floor-gemm", 1e-3, threads=1, macs=10**9),
        factory.row("floor-gemm", 1e-3, threads=2, macs=2 * 10**9),
        factory.row("floor-gemm", 1e-3, threads=None, device="cuda", macs=10**12),
    ]
    for at, row in enumerate(rows[1:]):
        factory.retimed(row, [1e-3] * (5 + at))  # no two rows may hold the same timings
    measure = measures(read(tmp_path, benchmarks=rows))[0]
    assert measure.peak == pytest.approx(2e12)
    assert measure.share_of_peak == pytest.approx(10 * paper.STEP_MACS / 2e12)


def test_a_peak_of_fmas_counts_before_one_of_a_library(tmp_path):
    rows = [
        exact("sgd-queued", 1.0, engine="eager"),
        factory.row("floor-gemm", 1e-3, macs=10**9),
        factory.row("floor-fma", 1e-3, macs=10**8),
    ]
    factory.retimed(rows[2], [1e-3] * 7)
    assert measures(read(tmp_path, benchmarks=rows))[0].peak == pytest.approx(1e11)


def test_without_a_peak_there_is_no_share(tmp_path):
    row = exact("sgd-queued", 1.0, engine="eager", threads=3)
    measure = measures(read(tmp_path, benchmarks=[row]))[0]
    assert measure.peak is None
    assert measure.share_of_peak is None


def test_floors_have_no_presentations(tmp_path):
    rows = [*factory.floor_rows("cpu", 1, 1e11), factory.row("floor-empty", 0.0)]
    for measure in measures(read(tmp_path, benchmarks=rows)):
        assert measure.presentations_per_second is None
        assert training_of(measure) is None


def test_the_newest_complete_run_speaks_for_a_machine(tmp_path):
    files = [
        read(tmp_path, file=f"{i}.json", datetime=f"2026-0{i}-01T00:00:00", status=status)
        for i, status in enumerate(("complete", "complete", "interrupted"), start=1)
    ]
    assert latest(files) == [files[1]]
    assert latest(files[2:]) == [files[2]]


def test_a_figure_shows_all_or_the_first_of_each_machine():
    rows = [("a", 1), ("a", 2), ("b", 3), ("c", 4)]
    assert fit(rows, 4, lambda row: row[0]) == rows
    assert fit(rows, 3, lambda row: row[0]) == [("a", 1), ("b", 3), ("c", 4)]
    assert fit(rows, 2, lambda row: row[0]) == [("a", 1), ("b", 3)]


def test_many_trainings_side_by_side_are_told_as_trainings_a_minute(tmp_path):
    step = exact("sgd-queued", 0.5, engine="fused")
    many = exact("replicas", 6.0, engine="fused", steps=4 * paper.PRESENTATIONS)
    (run,) = runs([examine(read(tmp_path, benchmarks=[step, many]))], tmp_path)
    assert "Side by side it makes 40.0 trainings a minute" in headline([run])
    alone = runs([examine(read(tmp_path, benchmarks=[step], file="alone.json"))], tmp_path)
    assert "Side by side" not in headline(alone)

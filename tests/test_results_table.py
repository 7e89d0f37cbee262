"""Rates, peaks, projections and choices, derived from timings whose answers are known."""

import numpy as np
import pytest

from bench.report.pages.sections import headline
from bench.report.picks import best, crowded, trainings
from tests import records_factory as factory
from zipnet import paper
from zipnet.results import schema
from zipnet.results.collect import collect
from zipnet.results.runs import newest


def read(tmp_path, **overrides):
    name = overrides.pop("file", "one.json")
    return collect([str(factory.write(tmp_path, factory.result(**overrides), name))])


def rows(tmp_path, *benchmarks):
    return read(tmp_path, benchmarks=list(benchmarks)).rows


def exact(question, seconds, **about):
    row = factory.learning(question, 1.0, about.pop("steps", 10), about.pop("batch", 1), **about)
    return factory.retimed(row, [seconds] * 7)


def test_rates_follow_from_the_median_and_the_work_of_a_round(tmp_path):
    (row,) = rows(tmp_path, exact("sgd-queued", 0.5, engine="eager")).itertuples()
    assert row.us_per_presentation == pytest.approx(50_000)
    assert row.presentations_per_second == pytest.approx(20)
    assert row.macs_per_second == pytest.approx(20 * paper.STEP_MACS)
    assert (row.per, row.works) == ("presentation", 10)


def test_a_projection_is_the_presentation_times_167693(tmp_path):
    frame = rows(tmp_path, exact("sgd-queued", 0.5, engine="eager"))
    (training,) = trainings(frame).itertuples()
    assert training.training_kind == "projected"
    assert training.training_seconds == pytest.approx(0.05 * 167_693)
    assert training.training_low == pytest.approx(0.05 * 167_693)
    assert training.times_sun == pytest.approx(259_200 / (0.05 * 167_693))
    assert np.isnan(training.test_misses)


def test_a_measured_training_is_preferred_to_a_faster_projection(tmp_path):
    frame = rows(tmp_path, exact("sgd-queued", 1e-4, engine="eager"),
                 factory.training("eager", "cpu", 1, 900, misses=119))  # fmt: skip
    (training,) = trainings(frame).itertuples()
    assert training.training_kind == "measured"
    assert training.test_misses == 119


def test_a_training_of_another_length_is_not_the_training_of_1989(tmp_path):
    row = factory.training("eager", "cpu", 1, 900)
    row["extra_info"] |= {"presentations": 100, "steps": 100, "macs": 100 * paper.STEP_MACS}
    frame = rows(tmp_path, row)
    assert frame["sound"].all()
    assert trainings(frame).empty


def test_steps_of_larger_batches_are_never_projected(tmp_path):
    frame = rows(tmp_path, exact("sgd-queued", 1e-2, engine="eager", batch=64))
    assert frame["sound"].all()
    assert trainings(frame).empty


def test_the_better_thread_count_is_chosen(tmp_path):
    frame = rows(
        tmp_path,
        exact("sgd-queued", 0.5, engine="eager", threads=1),
        exact("sgd-queued", 0.4, engine="eager", threads=2),
        exact("sgd-queued", 0.1, engine="compiled", threads=2),
    )
    chosen = best(frame, "sgd-queued")
    assert chosen[["engine", "threads"]].values.tolist() == [["compiled", 2], ["eager", 2]]


def test_the_peak_is_that_of_the_same_device_and_threads(tmp_path):
    floors = [
        factory.row("floor-gemm", 1e-3, threads=1, macs=10**9),
        factory.row("floor-gemm", 1e-3, threads=2, macs=2 * 10**9),
        factory.row("floor-gemm", 1e-3, threads=None, device="cuda", macs=10**12),
    ]
    for at, row in enumerate(floors):
        factory.retimed(row, [1e-3] * (5 + at))  # no two rows may hold the same timings
    frame = rows(tmp_path, exact("sgd-queued", 1.0, engine="eager", threads=2), *floors)
    assert frame["peak_macs_per_second"][0] == pytest.approx(2e12)
    assert frame["share_of_peak"][0] == pytest.approx(10 * paper.STEP_MACS / 2e12)


def test_a_peak_of_fmas_counts_before_one_of_a_library(tmp_path):
    frame = rows(
        tmp_path,
        exact("sgd-queued", 1.0, engine="eager"),
        factory.row("floor-gemm", 1e-3, macs=10**9),
        factory.retimed(factory.row("floor-fma", 1e-3, macs=10**8), [1e-3] * 7),
    )
    assert frame["peak_macs_per_second"][0] == pytest.approx(1e11)


def test_without_a_peak_there_is_no_share(tmp_path):
    frame = rows(tmp_path, exact("sgd-queued", 1.0, engine="eager", threads=3))
    assert frame[["peak_macs_per_second", "share_of_peak"]].isna().all(axis=None)


def test_floors_have_no_presentations(tmp_path):
    frame = rows(tmp_path, *factory.floor_rows("cpu", 1, 1e11), factory.row("floor-empty", 0.0))
    assert frame["presentations_per_second"].isna().all()
    assert frame["training_seconds"].isna().all()
    assert frame["training_kind"].isna().all()


def test_every_row_has_its_questions_kind_and_an_unknown_question_none(tmp_path):
    frame = rows(tmp_path, exact("sgd-queued", 1.0, engine="eager"),
                 factory.row("floor-sync", 1e-3),
                 factory.row("floor-of-tomorrow", 1.0))  # fmt: skip
    assert frame["kind"][:2].tolist() == ["network", "machine"]
    assert frame["kind"].isna().tolist() == [False, False, True]
    assert frame["sound"].all()


def test_a_row_in_bytes_has_no_rates(tmp_path):
    row = factory.retimed(factory.row("peak", 1.0, macs=10**6, bytes=10), [2.0**30] * 7)
    row["extra_info"]["unit"] = "B"
    (found,) = rows(tmp_path, row).itertuples()
    assert (found.unit, found.value, found.per, found.works) == ("B", 2**30, "round", 1)
    assert np.isnan(found.macs_per_second)
    assert np.isnan(found.bytes_per_second)


def test_every_field_of_the_schema_is_a_column(tmp_path):
    phases = {"import": 0.2, "compile": 5.4, "step": 0.001}
    frame = rows(tmp_path, factory.row("first-step-cold", 5.6, engine="fused", phases=phases),
                 factory.training("fused", "cpu", 1, 4.1))  # fmt: skip
    assert frame["phases_compile"][0] == pytest.approx(5.4)
    assert frame["phases_importing"][0] == pytest.approx(0.2)
    assert frame["verified_steps"][1] == 20
    assert frame["train_misses"][1] == 29
    plain = set(schema.Row.__struct_fields__) - {
        "laps", "watch", "verified", "phases", "train", "test", "trained", "learned"
    }  # fmt: skip
    assert plain | {"trained_name"} <= set(frame.columns)


def test_the_newest_complete_run_speaks_for_a_machine(tmp_path):
    for i, status in enumerate(("complete", "complete", "interrupted"), start=1):
        content = factory.result(datetime=f"2026-0{i}-01T00:00:00", status=status)
        factory.write(tmp_path, content, f"{i}.json")
    runs = collect([str(tmp_path)])
    assert [run.source[-6:] for run in runs.newest] == ["2.json"]
    assert set(runs.rows["source"][runs.rows["newest"]]) == {runs.newest[0].source}
    alone = collect([str(next(tmp_path.rglob("3.json")))])
    assert alone.newest == alone.runs


def test_the_newest_is_so_by_time_wherever_its_clock_stood(tmp_path):
    times = {
        "first": "2026-11-21T09:30:00+09:00",  # as text, the last
        "newest": "2026-11-20T21:00:00-05:00",  # as text, the first
        "naive": "2026-11-21T01:00:00",
        "zulu": " 2026-11-21T01:30:00Z",
    }
    for name, moment in times.items():
        factory.write(tmp_path, factory.result(datetime=moment), f"{name}.json")
    runs = collect([str(tmp_path)])
    order = [run.source.rpartition("/")[2][:-5] for run in runs.runs]
    assert order == ["first", "naive", "zulu", "newest"]
    assert runs.files["written"].tolist()[-1] == "2026-11-21T02:00:00+00:00"
    assert runs.newest == runs.runs[-1:]


@pytest.mark.parametrize("moment", ["yesterday", "0001-01-01T00:00:00+09:00", "2026-13-01"])
def test_what_is_no_moment_stays_as_it_is(tmp_path, moment):
    factory.write(tmp_path, factory.result(datetime=moment), "run.json")
    assert collect([str(tmp_path)]).files["written"].tolist() == [moment]


def test_a_file_of_no_moment_is_not_the_newest_and_says_so(tmp_path):
    factory.write(tmp_path, factory.result(), "run.json")
    factory.write(tmp_path, factory.result(datetime="yesterday"), "odd.json")
    runs = collect([str(tmp_path)])
    (known,) = runs.newest
    assert known.source.endswith("run.json")
    assert [run.findings for run in runs.runs if run is not known] == [
        ("datetime is 'yesterday'; expected ISO 8601: 2026-11-21T02:00:00+00:00",)
    ]


@pytest.mark.parametrize("later", ["copy", "no rows", "learned"])
def test_a_file_that_adds_nothing_hides_no_run_with_speeds(tmp_path, later):
    part = factory.result(status="interrupted")
    learned = factory.trained("1989", "usps", [(20, 120)])
    other = {
        "copy": part,
        "no rows": factory.result(benchmarks=[], datetime="2026-11-22T02:00:00+00:00"),
        "learned": factory.learned_result([learned]),
    }[later]
    factory.write(tmp_path, part, "a.json")
    factory.write(tmp_path, other, "b.json")
    runs = collect([str(tmp_path)])
    assert [run.source[-6:] for run in newest(runs.runs)] == ["a.json"]
    assert [run.source[-6:] for run in runs.newest] == ["a.json"]


def test_a_part_is_a_headline_only_where_nothing_whole_is_and_says_so(tmp_path):
    step, faster = exact("sgd-queued", 0.5, engine="eager"), exact("sgd-queued", 0.1, engine="xla")
    whole = factory.result("whole", benchmarks=[step], datetime="2026-01-01T00:00:00")
    parts = {"own": factory.result("whole", scope="part", benchmarks=[faster]),
             "other": factory.result("other", scope="part", benchmarks=[faster])}  # fmt: skip
    for name, part in parts.items():
        folder = tmp_path / name
        factory.write(folder, part, "part.json")
        alone = headline(collect([str(folder)]))
        assert alone.startswith(f"By a part of the benchmarks only: {part['machine_info']['name']}")
        factory.write(folder, whole, "whole.json")
        assert headline(collect([str(folder)])).startswith(
            "whole trains the network of 1989 in 2.3"
        )


def test_three_machines_are_a_crowd(tmp_path):
    said = []
    for at, name in enumerate(("a", "b", "c")):
        factory.write(tmp_path, factory.result(name, 1 + at), f"{at}.json")
        said.append(crowded(collect([str(tmp_path)]).rows))
    assert said == [False, False, True]


def test_many_trainings_side_by_side_are_told_as_trainings_a_minute(tmp_path):
    step = exact("sgd-queued", 0.5, engine="fused")
    many = exact("replicas", 6.0, engine="fused", steps=4 * paper.PRESENTATIONS)
    said = headline(read(tmp_path, benchmarks=[step, many]))
    assert "Side by side it makes 40.0 trainings a minute" in said
    assert "Side by side" not in headline(read(tmp_path, benchmarks=[step], file="alone.json"))

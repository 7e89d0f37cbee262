"""The null test: equal things are compared, and what they differ by becomes the threshold."""

import numpy as np
import pytest

from bench.report import reading
from bench.report.examined import examine
from bench.report.null import nulls, percentile
from tests import records_factory as factory

LAPS, EACH = 4, 10


def run(tmp_path, day, speeds, name="m", **overrides):
    """A run whose rows are each `speeds` times as fast as the time written here."""
    rng = np.random.default_rng(day)
    rows = []
    for at, speed in enumerate(speeds):
        row = factory.learning("sgd-queued", 900.0, 100, 1, engine=f"engine{at}")
        row["fullname"] += str(at)
        rows.append(factory.retimed(row, list(0.09 / speed * rng.lognormal(0, 1e-3, LAPS * EACH))))
    content = factory.result(
        name, benchmarks=rows, datetime=f"2026-11-{day:02d}T02:00:00+00:00", **overrides
    )
    return examine(reading.read(factory.write(tmp_path, content, f"{day}.json")))


def test_two_runs_of_one_machine_say_how_far_apart_equal_things_are(tmp_path):
    runs = [run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.04] * 10)]
    null = nulls(runs)["m"]
    assert (null.how, null.pairs) == ("between runs", 10)
    assert null.threshold() == pytest.approx(0.04, abs=2e-3)
    assert null.sources == ("m/1.json", "m/2.json")


def test_the_threshold_is_the_95th_percentile_and_never_below_one_per_cent(tmp_path):
    calm = [run(tmp_path, 1, [1.0] * 40), run(tmp_path, 2, [1.0] * 38 + [1.5, 2.0])]
    null = nulls(calm)["m"]
    assert null.threshold() == 0.01
    assert null.noise["network"] < 0.003
    assert null.different == 2
    assert null.rate == 0.05


@pytest.mark.parametrize(
    "other",
    [
        {"commit_info": {"id": "f" * 16}},
        {"software": {"torch": "2.0"}},
        {"profile": "full"},
        {"status": "interrupted"},
    ],
)
def test_runs_that_are_not_equal_are_not_compared(tmp_path, other):
    null = nulls([run(tmp_path, 1, [1.0] * 10), run(tmp_path, 2, [1.5] * 10, **other)])["m"]
    assert null.how == "within runs"
    assert null.pairs == 20


def test_the_very_pair_that_is_compared_sets_its_own_threshold_only_where_no_other_does(tmp_path):
    runs = [run(tmp_path, day, [speed] * 10) for day, speed in ((1, 1.0), (2, 1.0), (3, 1.5))]
    compared = [runs[0].file, runs[2].file]
    assert nulls(runs, compared)["m"].pairs == 20
    assert nulls([runs[0], runs[2]], compared)["m"].pairs == 10


def test_one_run_is_compared_with_itself_first_laps_with_last(tmp_path):
    null = nulls([run(tmp_path, 1, [1.0] * 12)])["m"]
    assert (null.how, null.pairs, null.different) == ("within runs", 12, 0)
    content = factory.result("drifting", benchmarks=[])
    for at in range(8):
        row = factory.learning("sgd-queued", 900.0, 100, 1, engine=f"engine{at}")
        row["fullname"] += str(at)
        data = np.repeat([1.0, 1.0, 1.1, 1.1], EACH) * (1 + 1e-4 * np.arange(40) + 1e-7 * at)
        content["benchmarks"].append(factory.retimed(row, list(data)))
    found = examine(reading.read(factory.write(tmp_path, content)))
    assert nulls([found])["drifting"].threshold() == pytest.approx(0.1, abs=0.01)


def test_a_machine_without_laps_has_no_null_test(tmp_path):
    rows = [factory.training("eager", "cpu", 1, 900)]
    found = examine(reading.read(factory.write(tmp_path, factory.result(benchmarks=rows))))
    assert nulls([found]) == {}


def test_machines_are_tested_apart_and_unsound_files_not_at_all(tmp_path):
    runs = [run(tmp_path, 1, [1.0] * 10, "a"), run(tmp_path, 2, [1.1] * 10, "b")]
    bad = run(tmp_path, 3, [5.0] * 10, "b", workload=factory.workload() | {"hash": "0"})
    assert {name: null.how for name, null in nulls([*runs, bad]).items()} == {
        "a": "within runs",
        "b": "within runs",
    }


def test_a_percentile_of_few_is_the_largest():
    assert percentile([1.0, 3.0, 2.0]) == 3.0
    assert percentile([float(n) for n in range(1, 101)]) == 95.0

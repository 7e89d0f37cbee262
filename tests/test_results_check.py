"""The checker: a sound file passes, and each thing that cannot be right is found and named."""

import json
import random

import msgspec
import numpy as np
import pytest

from bench.report.pages.said import cautions as cautions_of
from tests import records_factory as factory
from zipnet import paper
from zipnet.results import check
from zipnet.results.collect import collect
from zipnet.results.match import keyed
from zipnet.results.noise import nulls
from zipnet.results.quality import REMEDIES
from zipnet.results.schema import ResultFile
from zipnet.results.statistics import Rounds


def checked(*contents, name="renamed by somebody.json"):
    """What is wrong with each of some files, as a whole and row by row, checked all at once."""
    files = [
        (name, msgspec.json.decode(json.dumps(one).encode(), type=ResultFile)) for one in contents
    ]
    rows = [row for _, file in files for row in file.benchmarks]
    values = [np.array(row.stats.data, float) for row in rows]
    laps = [tuple(row.extra_info.laps or (len(row.stats.data),)) for row in rows]
    rounds = Rounds(values, laps)
    return check.findings(files, rounds, rounds.rows.medians, check.fastest(rows, rounds))


def findings(content, **about):
    """Everything that is wrong with one file."""
    (of_file,), of_rows = checked(content, **about)
    return [*of_file, *(line for lines in of_rows for line in lines)]


def read(tmp_path, content):
    return collect([str(factory.write(tmp_path, content))])


def cautions(tmp_path, content):
    runs = read(tmp_path, content)
    return cautions_of(runs, runs.runs[0])


@pytest.mark.parametrize("gpu", [False, True])
def test_a_sound_file_has_no_findings(tmp_path, gpu):
    content = factory.result(gpu=gpu)
    assert findings(content) == []
    assert cautions(tmp_path, content) == []


def rehashed(workload):
    return workload | {"hash": check.workload_hash(workload)}


def change_stat(name, value):
    def change(content):
        content["benchmarks"][0]["stats"][name] = value

    return change


def change_info(**about):
    def change(content):
        content["benchmarks"][0]["extra_info"] |= about

    return change


def change_test_misses(content):
    row = next(r for r in content["benchmarks"] if r["extra_info"]["question"] == "training")
    row["extra_info"]["test"]["misses"] = 2008


def speed_up(content):
    row = content["benchmarks"][1]
    row["stats"] = factory.stats([t / 1e6 for t in row["stats"]["data"]])


WRONG = {
    "hash": (lambda c: c["workload"].update(hash="0" * 64), "workload.hash is not the SHA-256"),
    "count": (
        lambda c: c.update(workload=rehashed(c["workload"] | {"params": 9761})),
        "workload.params is 9761; the network of 1989 has 9760",
    ),
    "count gone": (lambda c: c["workload"].pop("units"), "workload.units is None"),
    "min": (change_stat("min", 1e-9), "stats.min is 1e-09, which stats.data does not give"),
    "max": (change_stat("max", 9.0), "stats.max is 9.0"),
    "median": (change_stat("median", 1e-3), "stats.median is 0.001"),
    "rounds": (change_stat("rounds", 3), "stats.rounds is 3, but stats.data holds 200"),
    "presentations": (
        change_info(presentations=7),
        "presentations is 7, but steps x batch is 1 x 1",
    ),
    "width": (change_info(width=4), "width is 4; a sgd-synced row is of the network of 1989"),
    "macs": (change_info(macs=1), "macs is 1, but 1 presentations need 171780"),
    "dataset": (change_info(dataset="mnist"), "dataset is mnist, not the file's usps"),
    "misses": (change_test_misses, "test.misses is 2008, more than the 2007"),
    "duplicate": (lambda c: c["benchmarks"].append(c["benchmarks"][0]), "appears 2 times"),
    "beyond peak": (speed_up, "MAC/s are beyond the peak of"),
    "steps": (
        lambda c: c["benchmarks"][3]["extra_info"].update(steps=4),
        "nothing is learned where digits are recognised",
    ),
    "copied timings": (
        lambda c: c["benchmarks"][5].update(stats=c["benchmarks"][0]["stats"]),
        "holds the very timings of",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_right_is_found(tmp_path, kind):
    change, says = WRONG[kind]
    content = factory.result()
    change(content)
    found = findings(content)
    assert any(says in line for line in found), found
    assert any(line.startswith("check: ") for line in cautions(tmp_path, content))


CAUTIONS = {
    "interrupted": ({"status": "interrupted"}, "was interrupted"),
    "quick": ({"profile": "quick"}, "Quick profile"),
    "busy": (
        {"schema": 1, "state": {"before": {"load_1min": 1.9}, "after": {}}},
        "busy before the run",
    ),
    "battery": ({"schema": 1, "state": {"before": {"power": "battery"}}}, "On battery"),
    "clock": (
        {"schema": 1, "state": {"before": {"cpu_mhz": 3000}, "after": {"cpu_mhz": 1200}}},
        "fell from 3000 to 1200 MHz",
    ),
    "fonts": ({"dataset": {"name": "fonts", "sha256": "f"}}, "Trained on fonts"),
}


@pytest.mark.parametrize("kind", CAUTIONS)
def test_a_run_to_be_trusted_less_is_said_so(tmp_path, kind):
    overrides, says = CAUTIONS[kind]
    content = factory.result(**overrides)
    if content["schema"] == 1:
        factory.unwatched(content)
    assert any(says in line for line in cautions(tmp_path, content))


def test_doubts_that_could_change_no_verdict_are_no_caution(tmp_path):
    """Noise is in the interval already, and in what a run says that it can tell."""
    content = factory.result()
    rng = random.Random(1)
    for row in content["benchmarks"]:
        data = row["stats"]["data"]
        factory.retimed(row, [t * rng.lognormvariate(0, 0.3) for t in data])
    runs = read(tmp_path, content)
    assert sum("spread" in text for text in runs.columns["quality"]) > 20
    assert cautions_of(runs, runs.runs[0]) == []


def test_what_could_change_a_verdict_is_counted_by_kind_with_its_remedy(tmp_path):
    content = factory.result()
    seen = (
        {"other_cpu_seconds": 9.0},
        {"stolen_cpu_seconds": 9.0},
        {"before": {"power": "battery"}},
    )
    for row, reading in zip(content["benchmarks"], (*seen, *seen[:1]), strict=False):
        row["extra_info"]["watch"][0] |= reading
    of, (no_verdict, slower) = len(content["benchmarks"]), cautions(tmp_path, content)
    assert no_verdict.startswith(f"3 of {of} rows allow no verdict (busy 2, stolen 1); ")
    assert no_verdict.endswith(REMEDIES["busy"])
    assert slower.startswith(f"1 of {of} rows may be slower than this machine is (battery 1); ")


def test_a_load_before_the_run_says_nothing_where_rows_were_watched(tmp_path):
    busy = {"before": {"load_1min": 9.0}, "after": {}}
    assert cautions(tmp_path, factory.result(state=busy)) == []


def test_unknown_states_and_no_state_are_no_caution(tmp_path):
    state = {"before": {"load_1min": None, "power": "steam", "cpu_mhz": 0}, "after": None}
    assert cautions(tmp_path, factory.result(state=state)) == []
    assert cautions(tmp_path, factory.result(state=None)) == []


def test_a_rows_own_warnings_are_passed_on(tmp_path):
    content = factory.result()
    change_info(warnings=["the loss is not finite"])(content)
    assert any("the loss is not finite" in line for line in cautions(tmp_path, content))


# --- what a stranger may have done to a row ---------------------------------------------------


def pytest_benchmarks(data):
    """What pytest-benchmark itself writes of these timings."""
    from pytest_benchmark.stats import Stats

    stats = Stats()
    stats.data = list(data)
    return stats.as_dict() | {"data": list(data), "iterations": 1}


def with_row(data=None, question="sgd-queued", stats=None, **about):
    row = factory.learning(question, 900.0, 10, 1, engine="eager", **about)
    if data is not None:
        factory.retimed(row, data)
    row["stats"] = (stats or pytest_benchmarks)(row["stats"]["data"])
    row["extra_info"] |= about
    return factory.result(benchmarks=[row])


def noisy(rounds, seed=1, step=0.0):
    rng = random.Random(seed)
    data = [9e-3 * rng.lognormvariate(0, 0.2) for _ in range(rounds)]
    return [round(t / step) * step + 1e-12 * rng.random() for t in data] if step else data


@pytest.mark.parametrize("rounds", [1, 2, 3, 4, 5, 6, 7, 8, 9, 31, 200, 1000])
@pytest.mark.parametrize("step", [0.0, 1e-3], ids=["fine", "coarse clock"])
def test_every_statistic_that_pytest_benchmark_writes_is_understood(rounds, step):
    assert findings(with_row(noisy(rounds, step=step))) == []


def test_the_fence_of_older_versions_is_understood():
    data = [*noisy(20), 0.9]  # their hd15iqr was the first outlier, not the last timing within

    def older(data):
        return pytest_benchmarks(data) | {"hd15iqr": 0.9}

    assert findings(with_row(data, stats=older)) == []


STATISTICS = ["min", "max", "mean", "stddev", "median", "iqr", "q1", "q3", "ld15iqr", "hd15iqr",
              "ops", "total"]  # fmt: skip


@pytest.mark.parametrize("name", STATISTICS)
def test_a_statistic_changed_by_a_ten_thousandth_is_found(name):
    def edited(data):
        right = pytest_benchmarks(data)
        return right | {name: right[name] * 1.0001}

    (line,) = findings(with_row(noisy(25), stats=edited))
    assert f"stats.{name} is" in line


COUNTED = {"iqr_outliers": 17, "stddev_outliers": 0, "outliers": "0;0", "iterations": 5}


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_that_the_timings_do_not_give_is_found(name):
    file = with_row(noisy(25), stats=lambda d: pytest_benchmarks(d) | {name: COUNTED[name]})
    (line,) = findings(file)
    assert f"stats.{name} is" in line


def test_timings_that_were_typed_are_found():
    typed = [round(t, 5) for t in noisy(20)]
    (line,) = findings(with_row(typed))
    assert "these were typed or rounded" in line
    (line,) = findings(with_row([0.00912345678] * 30))
    assert "30 rounds hold only 1 different timings" in line
    unseen = factory.retimed(factory.row("floor-sync", 1.0), [*typed, *[0.0] * 5])
    (line,) = findings(factory.result(benchmarks=[unseen]))
    assert "all 20 timings have at most 6 digits" in line


@pytest.mark.parametrize(("tick", "believed"), [(1e-9, False), (1e-7, True), (1 / 64, True)])
def test_few_digits_and_few_values_are_a_coarse_clocks(tick, believed):
    """Counted in whole ticks, as a system does that has just been started."""
    ticks = max(1, round(2e-3 / tick)) if tick < 1e-3 else 40
    timings = [round((ticks + at % 2) * tick, 9) for at in range(60)]
    content = with_row([round(t, 6) for t in timings] if tick == 1e-9 else timings)
    assert (findings(content | {"clock_tick": tick}) == []) == believed


def test_no_coarse_clock_excuses_what_it_would_have_told_apart():
    (line,) = findings(with_row([0.2512, 0.2513] * 20) | {"clock_tick": 1e-7})
    assert "these were typed or rounded" in line


def test_a_lap_shorter_than_its_rounds_is_found():
    content = factory.result()
    row = content["benchmarks"][1]["extra_info"]
    row["watch"][2]["seconds"] /= 4
    assert "the rounds of lap 3 last longer than the lap" in findings(content)[0]
    row["watch"].pop()
    assert "watch has 3 entries, one for each of 4 laps" in findings(content)[0]


def test_misses_of_replicas_are_counted():
    many = {"question": "replicas", "replicas": 2, "rounds": 6}
    assert findings(with_row(replica_misses=[120, 119], **many)) == []
    (line,) = findings(with_row(replica_misses=[120, 2008], **many))
    assert "replica_misses is 2008, more than the 2007" in line
    (line,) = findings(with_row(replica_misses=[120], **many))
    assert "replica_misses holds 1, for 2 replicas" in line
    (line,) = findings(with_row(question="replicas", replicas=3, rounds=6))
    assert "which 3 replicas cannot share" in line


IMPOSSIBLE = {
    "MACs of a copy": (factory.row("floor-bandwidth", 1.0, bytes=9, macs=8), "macs is 8; a floor-"),
    "a core beyond all cores": (factory.row("floor-fma", 1e-3, macs=10**11), "more than any core"),
    "an engine beyond all cores": (
        factory.learning("sgd-queued", 1e-3, 1000, 1, engine="fused"),
        "more than any core",
    ),
    "memory beyond all memory": (factory.row("floor-bandwidth", 1e-3, bytes=10**12), "any memory"),
}


@pytest.mark.parametrize("kind", IMPOSSIBLE)
def test_floors_that_cannot_be_are_found(kind):
    row, says = IMPOSSIBLE[kind]
    (line,) = findings(factory.result(benchmarks=[row]))
    assert says in line


NAMES = {
    "20261121T020000Z_0123456.json": None,
    "20261121T020000Z_0123456-1.json": None,
    "20261120T230000Z_nocommit.json": None,
    "renamed by somebody.json": None,
    "20251121T020000Z_0123456.json": "by its name the run began at 20251121T020000Z",
    "20261121T020130Z_0123456.json": None,  # a clock that was set back
    "20261121T040000Z_0123456.json": "by its name the run began at",
    "20261121T020000Z_7654321.json": "commit is 0123456789ab, but by its name it was 7654321",
    "20269921T020000Z_0123456.json": "20269921T020000 in the file's name is no time",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_the_harness_gave_must_fit_what_the_file_says(name):
    found = findings(factory.result(), name=f"a machine/{name}")
    assert len(found) == (NAMES[name] is not None)
    assert (NAMES[name] or "") in "".join(found)


UNKNOWN = {"presentations": None, "macs": 10**15}


def test_a_question_that_nobody_knows_has_no_rule_of_its_own():
    assert findings(with_row(question="floor-dreams", **UNKNOWN)) == []
    (line,) = findings(with_row(question="floor-sync", **UNKNOWN))
    assert "macs is 1000000000000000; a floor-sync row counts none" in line


def test_a_row_in_bytes_has_no_clock():
    """Sizes are whole and equal; they are neither timings nor rates of any."""
    data = [1048576.0] * 20
    held = {"unit": "B", "question": "memory-of-a-dream", "presentations": None}
    content = with_row(data, **held)
    content["benchmarks"][0]["extra_info"]["watch"][0]["seconds"] = 0.001
    assert findings(content) == []
    content["benchmarks"][0]["extra_info"]["watch"].pop()
    assert "watch has 3 entries" in findings(content)[0]
    content = with_row(data, stats=lambda d: pytest_benchmarks(d) | {"max": 2.0}, **held)
    assert "stats.max is 2.0" in findings(content)[0]


def test_a_unit_that_is_not_the_questions_is_found():
    assert findings(with_row(unit="B")) == ["unit is B; sgd-queued is measured in s"]


# --- many files at once -------------------------------------------------------------------------


def test_each_file_is_checked_by_itself():
    contents = [factory.result() for _ in WRONG]
    for content, (change, _) in zip(contents, WRONG.values(), strict=True):
        change(content)
    of_files, of_rows = checked(*contents, factory.result(benchmarks=[]), factory.result())
    begin = 0
    for at, content in enumerate(contents):
        end = begin + len(content["benchmarks"])
        assert ([of_files[at]], of_rows[begin:end]) == checked(content)
        begin = end
    assert not any(of_rows[begin:])
    assert of_files[-2:] == [(), ()]
    assert checked() == ([], [])


def invalid(runs):
    return [[reason for _, reason in runs.excluded(run)] for run in runs.runs]


def test_timings_of_another_machine_are_found_on_both_sides(tmp_path):
    honest, thief = factory.result("honest"), factory.result("thief")
    thief["benchmarks"][0] = honest["benchmarks"][0]
    (one,), (other,) = invalid(
        collect([str(factory.write(tmp_path, content)) for content in (honest, thief)])
    )
    assert "holds the very timings of thief/2026" in one
    assert "holds the very timings of honest/2026" in other


def test_a_copy_of_a_run_counts_once(tmp_path):
    content = factory.result()
    runs = collect([str(factory.write(tmp_path, content, f"{name}.json")) for name in "ab"])
    first, second = runs.runs
    assert not runs.excluded(first)
    assert not any(runs.of(second)["fingerprint"][runs.of(second)["sound"]])
    assert len(runs.excluded(second)) > 20


def test_an_invalid_row_has_no_numbers_and_is_no_peak(tmp_path):
    content = factory.result()
    gemm = next(r for r in content["benchmarks"] if r["extra_info"]["question"] == "floor-gemm")
    gemm["stats"]["rounds"] += 1
    columns = read(tmp_path, content).columns
    assert columns["question"][~columns["sound"]].tolist() == ["floor-gemm"]
    assert np.isnan(columns["value"][~columns["sound"]]).all()
    peaks = columns["peak_macs_per_second"]
    assert np.isnan(peaks[columns["threads"] == 1]).all()
    assert not np.isnan(peaks[columns["threads"] == 2]).all()


@pytest.mark.parametrize(
    ("reached", "rate"),
    [
        ({("cpu", 1): 2e9}, 2e9),
        ({("cpu", 1): 1e9, ("cpu", 4): 5e9}, 5e9),  # more threads
        ({("cpu", 1): 1e9, ("cuda", 0): 5e12}, 1e9),  # another device
        ({}, np.inf),
    ],
)
def test_what_bounds_a_row_is_the_fastest_floor_of_enough_threads(reached, rate):
    assert check.bound(("cpu", 1), reached) == rate
    assert check.bound(("cpu", 8), reached) == np.inf


@pytest.mark.parametrize(("fma", "gemm"), [(1.0, 0.5), (0.5, 1.0)])
def test_the_faster_of_both_floors_bounds_a_row(fma, gemm):
    def beyond(rate):
        row = factory.learning("sgd-queued", 1e6 * paper.STEP_MACS / rate, 10, 1, engine="eager")
        floors = [
            factory.row("floor-fma", fma, macs=10**9),
            factory.row("floor-gemm", gemm, macs=10**9),
        ]
        return findings(factory.result(benchmarks=[row, *floors]))

    assert beyond(1.4 * 2e9) == []
    (line,) = beyond(1.7 * 2e9)
    assert "its MAC/s are beyond the peak of" in line


@pytest.mark.parametrize("question", check.PEAKS)
def test_a_disturbed_floor_condemns_no_row(question):
    """Its best round is the ceiling; laps that others disturbed are no evidence for one."""
    row = factory.learning("sgd-queued", 1e6 * paper.STEP_MACS / 30e9, 10, 1, engine="eager")

    def found(*rounds, **seen):
        floor = factory.retimed(factory.row(question, 1.0, macs=10**9), [10**9 / r for r in rounds])
        for watch in floor["extra_info"]["watch"]:
            watch |= seen
        return findings(factory.result(benchmarks=[row, floor]))

    slowed = [18.0e9 + at for at in range(19)]
    assert found(*slowed, 35.4e9) == []
    (line,) = found(*slowed)
    assert "beyond the peak of 18.0 G MAC/s" in line
    assert found(*slowed, other_cpu_seconds=9.0) == []
    assert found(*slowed, stolen_cpu_seconds=9.0) == []


def test_no_share_of_a_peak_is_taken_from_a_disturbed_round(tmp_path):
    floor = factory.row("floor-fma", 1e-3, macs=10**7, rounds=8)
    factory.retimed(floor, [2e-3 + 1e-9 * at for at in range(7)] + [1e-3])
    row = factory.learning("sgd-queued", 20.0, 10, 1, engine="eager")
    columns = read(tmp_path, factory.result(benchmarks=[row, floor])).columns
    assert columns["peak_macs_per_second"][0] == pytest.approx(1e10)


def test_a_lap_that_was_taken_again_counts_for_nothing(tmp_path):
    content, again = factory.result(), factory.result()
    aside = {"lap": 2, "data": [9.0, 8.0], "watch": factory.watch(other_cpu_seconds=0.4)}
    again["benchmarks"][0]["extra_info"]["retaken"] = [aside, aside]
    assert findings(again) == []
    columns, plain = (read(tmp_path, one).columns for one in (again, content))
    assert columns["value"].tolist() == plain["value"].tolist()
    assert columns["quality"].tolist() == plain["quality"].tolist()
    assert np.nan_to_num(columns["retaken"]).tolist() == [2, *[0] * (len(plain["value"]) - 1)]
    assert cautions(tmp_path, again) == []


# --- rows that say what was trained ---------------------------------------------------------------


def learnt(**about):
    return factory.trained("as-printed", "usps", [(12, 104), (15, 101)], gamma=0.05, **about)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda row, first: row.update(macs=row["macs"] - 1), "a step of as-printed on one digit"),
        (lambda row, first: row["trained"].update(gamma=0.0), "a step of as-printed on one digit"),
        (lambda row, first: row.update(steps=row["steps"] + 1), "are not 23 passes"),
        (lambda row, first: row["learned"].pop(), "learned holds 1 trainings, but stats.data 2"),
        (lambda row, first: row["learned"][1].update(seed=0), "a seed twice"),
        (lambda row, first: first["train"].update(misses=7292), "more than the 7291 digits"),
        (lambda row, first: first["test"].update(misses=2008), "more than the 2007 digits"),
        (lambda row, first: first["test_curve"].pop(), "test_curve of seed 0"),
        (lambda row, first: first["misread"].pop(), "misread of seed 0"),
        (lambda row, first: first["misread"][0].update(said=0), "misread of seed 0"),
    ],
)
def test_a_row_of_trainings_agrees_with_its_recipe(change, says):
    content = factory.learned_result([learnt()])
    about = content["benchmarks"][0]["extra_info"]
    assert findings(content) == []
    change(about, about["learned"][0])
    assert any(says in line for line in findings(content))


def test_trainings_are_of_digits_of_their_own_and_stand_in_every_later_file(tmp_path):
    rows = [learnt(), factory.trained("1989", "mnist-2022", [(45, 82)])]
    factory.write(tmp_path, factory.learned_result(rows), "one.json")
    factory.write(
        tmp_path, factory.learned_result(rows, datetime="2026-11-28T03:00:00+00:00"), "two.json"
    )
    runs = collect([str(tmp_path)])
    assert [runs.wrong(run) for run in runs.runs] == [None, None]
    assert len(runs.trainings) == 6


def test_what_was_learned_is_no_speed_of_a_machine(tmp_path):
    """Newer than every run, it stands for nobody, and no null test or comparison has it."""
    for hour in (2, 3):
        factory.write(
            tmp_path, factory.result(datetime=f"2026-11-21T0{hour}:00:00+00:00"), f"run{hour}.json"
        )
    before = collect([str(tmp_path)])
    learned = factory.write(tmp_path, factory.learned_result([learnt()]), "learned.json")
    runs = collect([str(tmp_path)])
    assert [run.source for run in runs.newest] == [run.source for run in before.newest]
    (old,), (new,) = nulls(before).values(), nulls(runs).values()
    assert (new.sources, new.pairs) == (old.sources, old.pairs)
    (run,) = [run for run in runs.runs if not run.measures]
    assert keyed(runs).of_run(run) == ({}, [])
    assert not collect([str(learned)]).newest

"""The harness: what is inside the clock, in which order, how often; and what is refused."""

import itertools
import json
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import bench_first_step
from bench.measuring import harness, laps
from bench.measuring.harness import ClockFault, Timed, shares
from bench.measuring.plugin import _outcome
from bench.measuring.profiles import PROFILES, Profile
from bench.measuring.session import Bench
from bench.measuring.settings import (
    DevicePlace,
    Setting,
    absences,
    chosen,
    goes_by_eager,
    only,
    patiently,
    places,
    settings,
    slow_to_compile,
    thread_counts,
    why_left_out,
)
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989
from zipnet.results import schema
from zipnet.results.schema import Row, Score, Watch

TINY = Profile("tiny", 0.0, 1.0, 1.0, 3, 5, 0.0, 2, 1.0)


class FakeRecord:
    """What pytest-benchmark keeps of a benchmark: statistics, and the facts beside them."""

    class stats:  # noqa: N801 - pytest-benchmark's name
        def __init__(self):
            self.data = []

        def update(self, seconds):
            self.data.append(seconds)

    def __init__(self):
        self.stats, self.extra_info = FakeRecord.stats(), {}


class FakeBenchmark:
    """A fixture that has its record once something was measured with it."""

    stats = None

    def pedantic(self, target):
        self.stats = FakeRecord()


def timed(work, enter=lambda: None, fresh=None, estimate=None, profile=TINY):
    one = Timed(FakeBenchmark(), Row(question="sgd-synced", device="cpu"), work, enter, fresh)
    one.plan(profile, estimate)
    return one


def test_a_lap_enters_warms_and_then_times_with_nothing_between_rounds():
    calls = []
    one = timed(lambda: calls.append("work"), lambda: calls.append("enter"))
    assert one.rounds == [1, 2]
    calls.clear()
    one.lap(0)
    one.lap(1)
    assert calls[0] == "enter"
    assert calls.count("enter") == 2
    assert set(calls[1:]) == {"work", "enter"}
    assert one.row.laps == [1, 2]
    assert len(one.values) == 3


def test_timings_and_facts_reach_pytest_benchmark_after_every_lap():
    one = timed(lambda: None)
    one.lap(0)
    first = list(one.benchmark.stats.stats.data)
    one.lap(1)
    record = one.benchmark.stats
    assert first == record.stats.data[:1] == one.values[:1]
    assert record.stats.data == one.values
    assert record.extra_info["laps"] == [1, 2]
    assert len(record.extra_info["watch"]) == 2


def test_a_lap_that_fails_adds_nothing():
    left = 4

    def work():
        nonlocal left
        left -= 1
        if left < 0:
            raise MemoryError("too large")

    one = timed(work, fresh=lambda: None, estimate=1.0, profile=replace(TINY, long_seconds=6.0))
    assert one.rounds == [2, 3]
    one.lap(0)
    with pytest.raises(MemoryError):
        one.lap(1)
    assert len(one.values) == 2
    assert one.row.laps == [2]


@pytest.mark.parametrize("wrong", [-0.05, 0.0, 1e-12, 1e10])
def test_a_lap_with_a_time_that_no_round_takes_is_taken_again(wrong):
    one = timed(lambda: None)
    given = iter([wrong, 1e-6, 2e-6, 3e-6])
    one.read = lambda work: next(given)
    one.lap(0)
    one.lap(1)
    assert one.values == [1e-6, 2e-6, 3e-6]
    assert one.row.laps == [1, 2]


@pytest.mark.parametrize(("seconds", "says"), [(-0.05, "gave -0.05 s"), (9.0, "longer than the")])
def test_a_clock_that_cannot_time_a_row_leaves_it_out_with_the_reason(seconds, says):
    one = timed(lambda: None)
    one.read = lambda work: seconds
    with pytest.raises(ClockFault, match=f"{says}.*, 3 times running"):
        one.lap(0)
    assert not one.values
    assert not one.row.watch


def test_a_clock_that_steps_back_while_warming_makes_no_thousand_rounds(monkeypatch):
    given = itertools.chain([-0.05], itertools.repeat(0.15))
    monkeypatch.setattr(harness, "seconds_of", lambda work: next(given))
    assert harness.warm(lambda: None, 0.001) == 0.0
    assert PROFILES["full"].long_rounds(-0.05) == 1


CALM = Watch(seconds=9.0, own_cpu_seconds=9.0, other_cpu_seconds=0.1)
BUSY = Watch(seconds=9.0, own_cpu_seconds=9.0, other_cpu_seconds=9.0)
STOLEN = Watch(seconds=9.0, stolen_cpu_seconds=9.0)
UNTOLD = Watch(seconds=9.0)


def watched(monkeypatch, *seen):
    """Laps during which the machine is seen doing these, one after another."""
    left = iter(seen)
    fake = SimpleNamespace(ended=lambda: next(left))
    monkeypatch.setattr(harness, "Watching", lambda: fake)


@pytest.mark.parametrize(
    ("seen", "retaken"),
    [
        ([CALM, UNTOLD], []),
        ([BUSY, CALM, CALM], [1]),
        ([CALM, STOLEN, CALM], [2]),
        ([BUSY, STOLEN, BUSY, BUSY, BUSY, CALM], [1, 1, 2, 2]),  # at most as often as is allowed
    ],
)
def test_a_lap_that_somebody_else_disturbed_is_taken_again_and_both_are_kept(
    monkeypatch, seen, retaken
):
    watched(monkeypatch, *seen)
    one, told = timed(lambda: None), []
    taken = itertools.count(1)
    one.read = lambda work: next(taken) * 1e-6
    one.lap(0)
    assert list(laps.run([one], pytest.fail, 2, told.append)) == [(1, 2)]
    assert told == [1] * len(retaken)
    record = one.benchmark.stats
    assert record.stats.data == one.values
    assert one.row.laps == [1, 2]
    assert [aside["lap"] for aside in record.extra_info["retaken"]] == retaken
    # Nothing is lost, and which of two laps counts is never said by their timings.
    every = [*one.values, *itertools.chain.from_iterable(a.data for a in one.row.retaken)]
    assert sorted(every) == pytest.approx([(at + 1) * 1e-6 for at in range(len(every))])
    assert one.values == sorted(one.values)
    assert one.row.watch[-1] == seen[-1]


def test_a_retake_that_is_interrupted_leaves_the_lap_as_it_was(monkeypatch):
    watched(monkeypatch, BUSY, CALM)
    one = timed(lambda: None)
    one.lap(0)
    before = list(one.values)
    one.read = lambda work: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        list(laps.run([one], pytest.fail, 1))
    assert (one.values, one.row.retaken, one.row.laps) == (before, [], [1])


def test_what_weighs_on_other_rows_is_let_go_after_each_lap_and_where_one_fails():
    calls = []

    def fail():
        raise MemoryError

    one = timed(lambda: None)
    one.leave = lambda: calls.append("left")
    one.lap(0)
    one.work = fail
    with pytest.raises(MemoryError):
        one.lap(1)
    assert calls == ["left", "left"]


def test_a_number_that_is_none_is_refused():
    one = timed(lambda: None)
    one.row.train = Score(misses=1, loss=float("nan"))
    with pytest.raises(ValueError, match="not JSON compliant"):
        one.lap(0)


def test_a_fact_that_no_reader_would_take_fails_its_own_row():
    one = timed(lambda: None)
    one.row.batch = -1
    with pytest.raises(msgspec.ValidationError, match=r"`\$\.batch`"):
        one.lap(0)


def test_a_question_of_another_unit_keeps_what_its_rounds_return(monkeypatch):
    question = schema.Question(words="w", round="r", kind="memory", unit="B")
    monkeypatch.setitem(schema.QUESTIONS, "held", question)
    held = itertools.count(4096)
    one = measuring().measure(lambda: next(held), Row(question="held", device="cpu"), lambda: None)
    assert one.row.unit == one.benchmark.stats.extra_info["unit"] == "B"
    one.lap(1)
    assert one.rounds == [1, 2]
    assert one.benchmark.stats.stats.data == one.values
    assert all(value > 4096 for value in one.values)  # and no seconds
    assert one.values == sorted(set(one.values))
    for nothing in (None, -1, float("inf"), float("nan")):
        one.work = lambda value=nothing: value
        with pytest.raises(TypeError, match=f"a round returned {nothing}; expected a number"):
            one.lap(0)


@pytest.mark.parametrize(
    ("unit", "presentations", "says"),
    [("B", None, "175 MiB"), ("s", None, "3.07 min"), ("s", 92, "2.00 s per digit")],
)
def test_what_came_of_a_row_is_told_in_its_unit(unit, presentations, says):
    value = 184 if unit == "s" else 1.84e8
    timed = SimpleNamespace(
        values=[value], row=Row(question="q", device="cpu", unit=unit, presentations=presentations)
    )
    assert _outcome(timed).strip() == says


def test_a_question_that_the_schema_does_not_have_is_refused_before_the_clock():
    row = Row(question="speed", device="cpu")
    work = lambda: pytest.fail("it was measured")  # noqa: E731
    with pytest.raises(UserError, match=r"question 'speed' is not one of QUESTIONS in zipnet\.res"):
        measuring().measure(work, row, work)


def measuring(profile=TINY):
    return Bench(SimpleNamespace(profile=profile), FakeBenchmark())


@pytest.mark.parametrize(
    ("profile", "cold", "warm"), [("quick", 1, 1), ("standard", 1, 6), ("full", 6, 6)]
)
def test_first_steps_have_an_interval_where_asked_and_each_cold_one_finds_nothing(
    profile, cold, warm, tmp_path, monkeypatch
):
    found = []

    def new_process(command, env, **options):
        cache = Path(env["NUMBA_CACHE_DIR"])
        found.append(cache.exists())
        time.sleep(0.05)  # six are too long for a quick session
        cache.mkdir(parents=True, exist_ok=True)
        phases = {"import": 1.0, "compile": 0.0, "step": float(len(found))}
        return SimpleNamespace(returncode=0, stdout=json.dumps({"phases": phases, "device": "cpu"}))

    monkeypatch.setattr(bench_first_step.subprocess, "run", new_process)
    for start, rounds, caches in (
        (bench_first_step.bench_cold_start, cold, False),
        (bench_first_step.bench_warm_start, warm, True),
    ):
        found.clear()
        bench = measuring(PROFILES[profile])
        start(bench, Setting("eager", DevicePlace("cpu", 1)), tmp_path)
        for lap in range(1, len(bench.timed.rounds)):
            bench.timed.lap(lap)
        assert found == [caches] * rounds
        record = bench.benchmark.stats
        assert len(record.stats.data) == sum(record.extra_info["laps"]) == rounds
        assert record.extra_info["phases"]["step"] == rounds  # of the last round


def test_a_first_call_that_compiles_does_not_pass_for_the_steady_state(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds_of", lambda work: work() or 0.15)
    assert harness.warm(lambda: calls.append("work"), 0.0) == 0.15
    assert len(calls) == 1 + 1


def test_work_from_fresh_begins_anew_each_round_and_is_not_warmed():
    calls = []
    profile = Profile("p", 0.0, 2.0, 2.0, 1, 5, 0.0, 1, 1.0)
    fresh = lambda: calls.append("load")  # noqa: E731
    one = timed(lambda: calls.append("work"), lambda: None, fresh, 1.0, profile)
    one.lap(0)
    assert calls == ["load", "work"] * 2


@given(st.integers(1, 2000), st.integers(1, 9))
def test_laps_share_the_rounds_evenly_and_none_is_empty(rounds, laps):
    found = shares(rounds, laps)
    assert sum(found) == rounds
    assert max(found) - min(found) <= 1
    assert len(found) == min(rounds, laps)


def rows(*laps):
    """Rows that only note when their turn comes; one that is told to, fails in its second lap."""
    log = []

    class Noting(Timed):
        def lap(self, number):
            if self.row.question == "fails" and number == 1:
                raise MemoryError("no room")
            log.append((number, self.row.device))

    made = []
    for index, count in enumerate(laps):
        question = "fails" if count < 0 else "sgd-synced"
        row = Noting(None, Row(question=question, device=str(index)), lambda: None, lambda: None)
        row.rounds = [1] * abs(count)
        made.append(row)
    return made, log


def test_later_laps_go_over_every_row_that_has_rounds_left_in_a_new_order():
    made, log = rows(*[4] * 20, 1, 2)
    assert list(laps.run(made, lambda row, error: pytest.fail(str(error)))) == [
        (1, 4), (2, 4), (3, 4)
    ]  # fmt: skip
    orders = [[device for number, device in log if number == lap] for lap in (1, 2, 3)]
    assert [len(order) for order in orders] == [21, 20, 20]
    assert len({tuple(order[:20]) for order in orders}) == 3
    assert "20" not in [device for _, device in log]


def test_a_row_that_fails_in_a_lap_takes_no_further_part_and_the_others_go_on():
    made, log = rows(3, -3, 3)
    lost = []
    list(laps.run(made, lambda row, error: lost.append((row.row.device, str(error)))))
    assert lost == [("1", "no room")]
    assert sorted(log) == [(1, "0"), (1, "2"), (2, "0"), (2, "2")]


@pytest.mark.parametrize("estimate", [1e-9, 1e-3, 0.5, 100.0])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_rounds_stay_within_the_profiles_bounds_and_patience(profile, estimate):
    rounds = profile.rounds(estimate)
    assert 1 <= rounds <= profile.max_rounds
    assert rounds * estimate <= max(profile.seconds, profile.patience, estimate)
    if profile.min_rounds * estimate <= profile.patience:
        assert rounds >= profile.min_rounds


def test_a_round_of_seconds_warms_itself():
    calls = []
    one = timed(lambda: calls.append("work"))
    one.each = 3.0
    calls.clear()
    one.lap(0)
    assert calls == ["work"]


def test_threads_are_one_and_all_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr("zipnet.cpu.cores", lambda: 8)
    assert thread_counts(None) == [1, 8]
    assert thread_counts("4,2") == [4, 2]
    assert [str(p) for p in places(["cpu"], [1, 8])] == ["cpu-threads=1", "cpu-threads=8"]
    for nonsense in ("0", "9", "two", "", "-1", "1e9", "2,,4", "9" * 5000):
        with pytest.raises(UserError, match=r"--threads: .* is not a whole number from 1 to 8"):
            thread_counts(nonsense)


def test_what_is_not_here_is_absent_with_its_reason(monkeypatch):
    monkeypatch.setattr(
        "zipnet.devices.why_not", lambda d: None if d == "cpu" else f"no {d} device"
    )
    monkeypatch.setattr(
        "zipnet.engines.why_not", lambda e, r, d: "no compiler" if e == "compiled" else None
    )
    found = list(absences(KARPATHY_1989, ["eager", "compiled"], ["cpu", "mps"]))
    assert [(a.engine, a.device, a.reason) for a in found] == [
        ("compiled", "cpu", "no compiler"),
        (None, "mps", "no mps device"),
    ]
    names = [
        str(s) for s in settings(KARPATHY_1989, ["eager", "compiled"], places(["cpu", "mps"], [1]))
    ]
    assert names
    assert all(name.startswith("eager-cpu") for name in names)


def test_a_list_option_is_checked_name_by_name():
    assert chosen("--engines", None, ["a", "b"]) == ["a", "b"]
    assert chosen("--engines", "b, a", ["a", "b"]) == ["b", "a"]
    with pytest.raises(UserError, match="--engines 'c' is not known"):
        chosen("--engines", "a,c", ["a", "b"])


def test_what_takes_long_is_left_to_the_full_profile_and_said_so():
    @only(lambda one: one.engine != "xla", "it cannot")
    @patiently(slow_to_compile, "it compiles")
    @patiently(goes_by_eager, "eager shows it")
    def benchmark():
        """Stands for a benchmark."""

    def why(engine, *, full=False, named=False, device="cpu"):
        where = Setting(engine, DevicePlace(device, 1))
        return why_left_out(benchmark, where, full=full, named=named)

    assert why("compiled", full=True) is None
    assert (
        why("compiled")
        == why("compiled", named=True)
        == ("it compiles; --profile full measures it")
    )
    assert why("xla", full=True) == why("xla") == "it cannot"
    assert why("tuned") == "eager shows it; --profile full measures it"
    assert why("eager") is why("tuned", full=True) is None
    assert why("mlx") == (
        "mlx is made for Apple's GPU; --profile full and --engines mlx measure it here"
    )
    assert why("mlx", full=True) is why("mlx", named=True) is why("mlx", device="mps") is None

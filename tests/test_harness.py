"""The harness: what is inside the clock, in which order, how often; and what is refused."""

from dataclasses import dataclass, field

import pytest

from bench import harness, writer
from bench.profiles import PROFILES, Profile
from bench.settings import absences, chosen, places, settings, thread_counts
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989

TINY = Profile("tiny", 0.0, 0.0, 3, 5, 0.0, 1.0)


@dataclass
class FakeBenchmark:
    """Notes what pedantic() was asked for, and calls setup and target as it would."""

    told: list = field(default_factory=list)

    def pedantic(self, target, setup, rounds, iterations, warmup_rounds):
        self.told.append((rounds, iterations, warmup_rounds))
        for _ in range(rounds):
            if setup is not None:
                setup()
            target()


def test_work_is_warmed_then_timed_with_nothing_between_rounds():
    calls, benchmark = [], FakeBenchmark()
    harness.measure(benchmark, lambda: calls.append("work"), TINY)
    assert benchmark.told == [(3, 1, 0)]
    assert len(calls) > 3
    assert set(calls) == {"work"}


def test_a_first_call_that_compiles_does_not_pass_for_the_steady_state(monkeypatch):
    calls = []
    monkeypatch.setattr(harness, "seconds_of", lambda work: work() or 0.15)
    assert harness.warm(lambda: calls.append("work")) == 0.15
    assert len(calls) == 1 + 2


def test_work_from_fresh_begins_anew_each_round_and_is_not_warmed():
    calls, benchmark = [], FakeBenchmark()
    profile = Profile("p", 0.0, 2.0, 1, 5, 0.0, 1.0)
    harness.measure_from_fresh(
        benchmark, lambda: calls.append("work"), profile, lambda: calls.append("load"), 1.0
    )
    assert calls == ["load", "work"] * 2


@pytest.mark.parametrize("estimate", [1e-9, 1e-3, 0.5, 100.0])
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_rounds_stay_within_the_profiles_bounds(profile, estimate):
    assert profile.min_rounds <= profile.rounds(estimate) <= profile.max_rounds


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


def test_results_are_never_overwritten(tmp_path):
    first = writer.save({"n": 1}, tmp_path / "m", "20260101T000000Z", "abc")
    second = writer.save({"n": 2}, tmp_path / "m", "20260101T000000Z", "abc")
    assert first != second
    assert '"n": 1' in first.read_text()
    assert '"n": 2' in second.read_text()
    assert len(list((tmp_path / "m").iterdir())) == 2


def test_a_number_that_is_none_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        writer.save({"n": float("nan")}, tmp_path, "s", "c")
    assert not list(tmp_path.iterdir())


def test_a_results_folder_that_is_a_file_is_named_with_the_remedy(tmp_path):
    (tmp_path / "f").write_text("")
    for attempt in (
        lambda: writer.writable(tmp_path / "f"),
        lambda: writer.save({}, tmp_path / "f", "s", "c"),
    ):
        with pytest.raises(UserError, match=r"cannot be written: .*--results"):
            attempt()

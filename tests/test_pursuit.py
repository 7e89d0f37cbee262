"""The time to an error: trainings until a level, and the search for the rate to train at."""

import os
from dataclasses import replace
from itertools import accumulate, pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.measuring import search as searching
from bench.measuring.search import Search
from tests.commands import assert_one_line_and_exit_code_2, run_here
from tests.test_training import digits_of
from zipnet import engines, rates, results
from zipnet.errors import UserError
from zipnet.params import Params
from zipnet.pursuit import LEVELS, pursue
from zipnet.rates import Trial, bracket, score
from zipnet.recipe import KARPATHY_1989
from zipnet.results.price import AIM, Toll, prices
from zipnet.results.schema import Level
from zipnet.training import stage, train

EASY = (90.0, 60.0, 0.0)  # of random digits that are in both splits


def pursued(levels=EASY, lr=0.05, passes=60, batch=4, digits=None):
    digits = digits_of(60) if digits is None else digits
    engine = engines.make("fused", replace(KARPATHY_1989, batch=batch), "cpu", threads=1)
    engine.load(Params.init(0))
    on = stage(engine, digits)
    return pursue(engine, on, 3, lr=lr, passes=passes, levels=levels), engine


def test_a_level_is_reached_after_the_pass_after_which_training_says_so():
    found, engine = pursued()
    errors = []
    recipe = replace(KARPATHY_1989, batch=4, passes=found.passes).at_rate(0.05)
    plain = engines.make("fused", recipe, "cpu", threads=1)
    train(
        plain, digits_of(60), Params.init(3), seed=3,
        after_pass=lambda number, on_train, on_test: errors.append(on_test.error),
    )  # fmt: skip
    assert found.end == "reached"
    for level, reached in zip(EASY, found.reached, strict=True):
        assert reached.passes == 1 + next(at for at, e in enumerate(errors) if e <= level)
        assert 0 < reached.seconds <= found.seconds
    assert found.passes == found.reached[-1].passes
    assert found.misses == 0
    assert engine.lr == engine.recipe.lr  # what others train with is as before


def test_what_is_not_reached_has_no_time():
    found, _ = pursued(levels=(100.0, 0.0), lr=1e-9, passes=3)
    assert found.end == "out of passes"
    assert found.reached[0].passes == 1
    assert found.reached[1] is None
    assert found.passes == 3


def test_a_training_that_goes_nowhere_or_breaks_ends():
    nowhere, _ = pursued(levels=(0.0,), lr=0.0, passes=200)
    assert (nowhere.end, nowhere.passes) == ("stuck", 50)
    patient, _ = pursued(levels=(0.0,), lr=0.0, passes=1000)
    assert (patient.end, patient.passes) == ("stuck", 100)  # a tenth of what it may take
    broken, _ = pursued(levels=(0.0,), lr=1e38)
    assert broken.end == "diverged"
    assert broken.reached == (None,)


def test_large_steps_are_looked_at_after_ten_of_them():
    found, _ = pursued(levels=(100.0,), batch=60)
    assert found.reached[0].passes == 10
    found, _ = pursued(levels=(100.0,), batch=60, passes=7)
    assert found.reached[0].passes == 7  # and at the end


# --- the rule ---------------------------------------------------------------------------------


@given(
    st.integers(-8, 8), st.integers(-8, 8), st.lists(st.integers(1, 9), min_size=25, max_size=25)
)
def test_the_walk_finds_the_best_rate_and_both_its_neighbours(start, at, slopes):
    """Whatever the shape, as long as it falls to its best and rises from there."""
    rising = list(accumulate(slopes))
    tried = {}

    def scores(powers):
        assert not tried.keys() & set(powers)  # no rate is tried twice
        tried.update({power: rising[abs(power - at)] if power != at else 0 for power in powers})
        return {power: tried[power] for power in powers}

    assert bracket(start, scores, lambda _: False) == at
    assert {at - 1, at, at + 1} <= tried.keys()
    assert len(tried) <= abs(start - at) + 3  # and none beyond need


@given(st.integers(-6, 6), st.integers(-6, 6))
def test_from_where_nothing_learns_the_walk_goes_both_ways(start, at):
    found = bracket(start, lambda powers: {p: (p != at, p) for p in powers}, lambda s: s[0])
    assert found == at


def test_where_nothing_learns_at_all_it_says_so():
    with pytest.raises(UserError, match=r"no learning rate from .* learns anything"):
        bracket(0, lambda powers: dict.fromkeys(powers, True), bool)


def trial(**changes):
    return replace(Trial(32, 3, 1000, 10, 130, "reached"), **changes)


def test_more_seeds_count_before_fewer_passes_and_these_before_fewer_misses():
    best_first = [
        [trial(), trial(misses=120)],
        [trial(), trial()],
        [trial(), trial(passes=11, misses=1)],
        [trial(passes=1), trial(end="out of passes", passes=100)],
        [trial(end="stuck"), trial(end="out of passes")],
        [trial(end="stuck"), trial(end="diverged")],
    ]
    assert all(score(one) < score(next_best) for one, next_best in pairwise(best_first))
    assert [score(trials)[0] for trials in best_first] == [False] * 5 + [True]


def test_a_training_may_take_a_hundred_passes_or_the_steps_of_a_hundred_runs_of_1989():
    assert [rates.most_passes(b) for b in rates.BATCHES] == [100] * 4 + [154, 2300]


# --- the search -------------------------------------------------------------------------------


@pytest.fixture
def easy(monkeypatch):
    """A search that random digits can end."""
    monkeypatch.setattr(rates, "TARGET", 5.0)
    monkeypatch.setattr(rates, "PASSES", 60)
    monkeypatch.setattr(rates, "STEPS", 0)


def test_a_search_brackets_the_best_rate_and_its_file_says_what_was_tried(easy, tmp_path):
    out = tmp_path / "rates.json"
    best = Search(digits_of(60), (4,), out).run()
    about, trials = rates.read(out)
    assert {batch: said["passes"] for batch, said in about["batches"].items()} == {"4": 60}
    assert {one.seed for one in trials} == set(rates.SEEDS)
    assert best == rates.best(trials)
    power = best[4][0].power
    tried = {one.power for one in trials}
    assert {power - 1, power + 1} <= tried
    of = {p: score([one for one in trials if one.power == p]) for p in tried}
    assert of[power] == min(of.values())
    assert not list(tmp_path.glob("*.part"))


def test_a_search_that_was_stopped_goes_on_where_it_was(easy, tmp_path, monkeypatch):
    """Nothing is tried twice, and what it finds is the same; the outcome is whole or not there."""
    whole, out = tmp_path / "whole.json", tmp_path / "rates.json"
    Search(digits_of(60), (4, 20), whole).run()
    made, pursuing = [], searching.pursue

    def counted(*arguments, lr, **more):
        made.append((lr, arguments[2], arguments[1].parts[0].batch))
        if len(made) == 5:
            raise KeyboardInterrupt
        return pursuing(*arguments, lr=lr, **more)

    monkeypatch.setattr(searching, "pursue", counted)
    with pytest.raises(KeyboardInterrupt):
        Search(digits_of(60), (4, 20), out).run()
    assert not out.exists()
    kept = rates.read(tmp_path / "rates.json.part")[1]
    assert len(kept) >= 3
    Search(digits_of(60), (4, 20), out).run()
    again = [one for one in made[5:] if one in {(t.lr, t.seed, t.batch) for t in kept}]
    assert not again
    assert rates.read(out)[1] == rates.read(whole)[1]
    assert not list(tmp_path.glob("*.part"))
    Search(digits_of(59), (4,), out).kept.write_text(out.read_text())
    assert Search(digits_of(59), (4,), out).trials == []  # other digits: another search


def test_batches_that_were_not_asked_for_stay_as_they_were(easy, tmp_path, monkeypatch):
    out = tmp_path / "rates.json"
    assert list(Search(digits_of(60), (20,), out).run()) == [20]
    (before, trials), pursuing, made = rates.read(out), searching.pursue, []

    def counted(*arguments, **more):
        made.append(arguments[1].parts[0].batch)
        return pursuing(*arguments, **more)

    monkeypatch.setattr(searching, "pursue", counted)
    assert list(Search(digits_of(60), (4,), out).run()) == [4]
    assert set(made) == {4}
    about, both = rates.read(out)
    assert list(about["batches"]) == ["4", "20"]
    assert about["batches"]["20"] == before["batches"]["20"]
    assert [one for one in both if one.batch == 20] == trials
    out.write_text("{}")  # broken, it is written anew
    assert list(Search(digits_of(60), (4,), out).run()) == [4]
    assert list(rates.read(out)[0]["batches"]) == ["4"]


def test_searches_of_other_batches_meanwhile_or_before_lose_nothing(easy, tmp_path, monkeypatch):
    out, pursuing = tmp_path / "rates.json", searching.pursue
    kept = tmp_path / "rates.json.part"

    def stopped(*arguments, **more):
        raise KeyboardInterrupt

    first = Search(digits_of(60), (4,), out)
    first._try([(4, 0, seed) for seed in rates.SEEDS])  # and is stopped
    begun = rates.read(kept)[1]
    assert len(begun) == 3
    monkeypatch.setattr(searching, "pursue", stopped)
    with pytest.raises(KeyboardInterrupt):
        Search(digits_of(60), (20,), out).run()
    assert rates.read(kept)[1] == begun
    monkeypatch.setattr(searching, "pursue", pursuing)
    slow = Search(digits_of(60), (4,), out)
    assert slow.trials == begun
    Search(digits_of(60), (20,), out).run()  # begins and ends while the slow one is at work
    slow.run()
    about, trials = rates.read(out)
    assert list(about["batches"]) == ["4", "20"]
    assert {one.batch for one in trials} == {4, 20}
    assert not kept.exists()


def test_a_search_that_is_interrupted_waits_for_no_trial(easy, tmp_path, monkeypatch):
    monkeypatch.setattr(rates, "TARGET", -1.0)
    monkeypatch.setattr(rates, "PASSES", 10**9)

    def interrupted(running):
        while not any(one.running() for one in running):
            pass
        raise KeyboardInterrupt

    monkeypatch.setattr(searching, "as_completed", interrupted)
    with pytest.raises(KeyboardInterrupt, match=r"kept in .*\.part; run the same command again"):
        searching.search([4], tmp_path / "rates.json", digits_of(60))


def test_a_search_that_cannot_be_written_says_so_before_its_first_trial(tmp_path, monkeypatch):
    monkeypatch.setattr(searching, "pursue", lambda *_, **__: pytest.fail("tried"))
    with pytest.raises(UserError, match=r"which is no regular file; name one"):
        searching.search([4], tmp_path, digits_of(60))
    with pytest.raises(UserError, match=r"cannot be written: File name too long; choose another"):
        searching.search([4], tmp_path / ("n" * 250), digits_of(60))


def test_the_shipped_rates_are_a_searchs_own_and_their_neighbours_are_no_better():
    about, trials = rates.read()
    assert (about["dataset"], about["target"], about["seeds"]) == ("usps", AIM, [*rates.SEEDS])
    for batch, best in rates.best(trials).items():
        tried = {one.power for one in trials if one.batch == batch}
        assert {best[0].power - 1, best[0].power + 1} <= tried
        assert rates.known()[batch].lr == best[0].lr
        said = about["batches"][str(batch)]
        assert said["date"] in rates.known()[batch].found
        assert said["passes"] == rates.most_passes(batch)


def test_where_the_file_is_no_searchs_outcome_it_says_so(tmp_path):
    broken = ('{"trials": [{"batch": 1}]}', '{"trials": [], "batches": {"1": 2}}',
              '{"trials": [], "batches": {"one": {}}}')  # fmt: skip
    for text in ("", "[]", "{}", *broken):
        (tmp_path / "rates.json").write_text(text)
        with pytest.raises(UserError, match="python -m bench search writes it"):
            rates.read(tmp_path / "rates.json")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--batches", "0"), ("'0'", "1 to 7,291")),
        (("--batches", "1,x"), ("'x'",)),
        (("--batches", "1", "--out", "nowhere/rates.json"), ("nowhere", "make it first")),
    ],
)
def test_a_search_that_cannot_begin_says_why(arguments, words, monkeypatch):
    monkeypatch.setattr("zipnet.data.load", lambda name: digits_of(60))
    assert_one_line_and_exit_code_2(run_here("bench", "search", *arguments), *words)


def test_readers_and_the_search_aim_at_the_same_level():
    assert AIM == rates.TARGET
    assert AIM in LEVELS
    assert list(LEVELS) == sorted(LEVELS, reverse=True)


@pytest.mark.skipif("ZIPNET_DATA" not in os.environ, reason="usps is asked for; set ZIPNET_DATA")
def test_a_session_measures_it_and_its_file_is_sound(tmp_path):
    chosen = ("--digits=usps", "--engines=fused", "--devices=cpu", "-k", "time_to_error")
    limit = ("--profile=smoke", "--train-limit=60", f"--results={tmp_path}")
    done = run_here("pytest", "--benchmark-only", *chosen, *limit)
    assert done.returncode == 0, done.stdout
    (path,) = tmp_path.glob("*/*.json")
    runs = results.read(str(path))
    assert runs.rows["sound"].all()
    assert not runs.runs[0].findings
    found = {price.source.batch: price for price in prices(runs.rows)}
    assert found[1].source.lr == rates.known()[1].lr
    assert found[1].source.most_passes == 100
    assert [toll.error for toll in found[1].tolls] == [*LEVELS]
    assert found[1].to(8.0).passes <= found[1].to(7.0).passes
    reasons = {one.question: one.reason for one in runs.absent.itertuples()}
    assert reasons["time-to-error"]  # of batches that wait for a full profile, or for a search


# --- what a row says of it ----------------------------------------------------------------------


@given(st.lists(st.none() | st.floats(0.01, 100), min_size=1, max_size=6))
def test_the_median_counts_what_was_not_reached_as_longer_than_all(seconds):
    passes = [None if one is None else round(100 * one) for one in seconds]
    level = {"error": 6.0, "seconds": seconds, "passes": passes}
    toll = Toll.of(level)
    there = sorted(one for one in seconds if one is not None)
    assert (toll.reached, toll.trainings) == (len(there), len(seconds))
    assert (toll.seconds is None) == (toll.passes is None)
    if len(there) <= len(seconds) / 2:
        assert toll.seconds is None
    elif len(seconds) % 2:
        assert toll.seconds == there[len(seconds) // 2]
    assert (toll.high is None) == (len(there) < len(seconds))
    Level(**level)


def test_json_keeps_what_was_not_reached_as_null():
    level = Level(6.0, [None, 3], [None, 0.5])
    assert msgspec.json.encode(level) == b'{"error":6.0,"passes":[null,3],"seconds":[null,0.5]}'

"""Trainings side by side: none is run twice, whatever ends the command that runs them."""

import contextlib
import json
import os
import signal
import subprocess
import time
from concurrent.futures import Future
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.measuring import trainings
from bench.measuring.journal import Ended, Journal
from bench.measuring.reproduce import PLAN, treatments
from bench.measuring.trainings import Treatment, finish, save
from tests.commands import ROOT, assert_one_line_and_exit_code_2, command, ended, run_here
from zipnet import data, paper, results
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989, RECIPES, Recipe
from zipnet.results.schema import Learned, Score, Trained

TREATMENTS = [
    Treatment("reproduction", KARPATHY_1989, "fonts"),
    Treatment("reproduction", RECIPES["softmax"], "fonts"),
    Treatment("reproduction", KARPATHY_1989, "fonts", "2022"),
]


def learned(treatment, seed):
    misses = sum(map(ord, treatment.name(seed)))
    return Learned(seed=seed, train=Score(misses, 0.1), test=Score(misses // 2, 0.2))


class Here:
    """A pool that runs what it is given at once, here."""

    def __init__(self):
        self.ran = []

    def submit(self, _, treatment, engine, seed):
        done = Future()
        self.ran.append(treatment.name(seed))
        done.set_result((1.0 + seed, None, learned(treatment, seed)))
        return done


@pytest.fixture
def here(monkeypatch):
    """Trainings that take no time; what was run is in the list."""
    pool = Here()
    monkeypatch.setattr(trainings, "_pool", lambda _: contextlib.nullcontext(pool))
    return pool.ran


def test_a_training_is_asked_for_by_all_that_decides_its_outcome():
    one = TREATMENTS[0]
    others = [
        replace(one, recipe=replace(KARPATHY_1989, lr=0.02)),
        replace(one, recipe=replace(KARPATHY_1989, passes=2)),
        replace(one, start="2022"),
    ]
    keys = {one.key(0), one.key(1), *(other.key(0) for other in others)}
    assert len(keys) == 5
    renamed = replace(one, recipe=replace(KARPATHY_1989, name="other", source="elsewhere"))
    assert renamed.key(0) == one.key(0)


@settings(max_examples=60)
@given(cut=st.floats(0, 1), torn=st.binary(max_size=30), more=st.integers(0, 3))
def test_whatever_ends_it_the_table_is_the_same(tmp_path_factory, cut, torn, more):
    """The journal cut at any byte, and perhaps some rubbish after it."""
    with pytest.MonkeyPatch.context() as patch:
        pools = [Here(), Here(), Here()]
        patch.setattr(trainings, "_pool", lambda _: contextlib.nullcontext(pools[0]))
        folder = tmp_path_factory.mktemp("journal")
        whole = finish(TREATMENTS, 3, Journal(folder / "whole"))
        lines = (folder / "whole").read_bytes()
        kept = lines[: round(cut * len(lines))]
        (folder / "cut").write_bytes(kept + torn.replace(b"\n", b""))
        pools.pop(0)
        assert finish(TREATMENTS, 3, Journal(folder / "cut")) == whole
        complete = kept.count(b"\n")
        assert len(pools[0].ran) in (7 - complete, 6 - complete)  # cut right before a line's end
        pools.pop(0)
        assert finish(TREATMENTS, 3, Journal(folder / "cut")) == whole
        assert not pools[0].ran
        grown = finish(TREATMENTS, 3 + more, Journal(folder / "cut"))
        assert len(pools[0].ran) == 2 * more  # a given start that draws nothing has no more seeds
        assert all(grown[treatment][: len(of_one)] == of_one for treatment, of_one in whole.items())


def test_the_longest_goes_first(here, tmp_path):
    modern = Treatment("reproduction", replace(RECIPES["adamw"], passes=46), "fonts")
    finish([TREATMENTS[0], modern], 2, Journal(tmp_path / "journal"))
    assert here == [modern.name(0), modern.name(1), TREATMENTS[0].name(0), TREATMENTS[0].name(1)]


def test_one_that_fails_does_not_keep_the_others_from_the_journal(tmp_path, monkeypatch):
    class Failing(Here):
        def submit(self, _, treatment, engine, seed):
            done = super().submit(_, treatment, engine, seed)
            if seed == 0:
                done = Future()
                done.set_exception(UserError("training diverged"))
            return done

    monkeypatch.setattr(trainings, "_pool", lambda _: contextlib.nullcontext(Failing()))
    with pytest.raises(UserError, match=r"1 of 3 trainings failed; .* seed 0: training diverged"):
        finish(TREATMENTS[:1], 3, Journal(tmp_path / "journal"))
    assert len((tmp_path / "journal").read_text().splitlines()) == 2


@pytest.mark.parametrize("line", [b"[" * 200_000, bytes(99), b"\xff", b"null", b"0"], ids=range(5))
def test_lines_that_are_no_trainings_are_passed_by(tmp_path, line):
    (tmp_path / "journal").write_bytes(line + b"\n")
    assert "any" not in Journal(tmp_path / "journal")


def test_a_training_in_no_time_is_trained_again(tmp_path):
    score, path = Score(misses=1, loss=0.1), tmp_path / "journal"
    learned = Learned(seed=0, train=score, test=score)
    for seconds in (0.0, 1e300, 1.0):
        end = Ended(key=f"{seconds}", what="it", seconds=seconds, verified=None, learned=learned)
        Journal(path).add(end)
    assert [f"{seconds}" in Journal(path) for seconds in (0.0, 1e300, 1.0)] == [False, False, True]


def test_a_journal_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"journal .* cannot be written"):
        Journal(tmp_path / "file" / "journal")


def test_every_published_figure_has_a_training():
    plan = {(treatment.recipe.name, treatment.data) for treatment in treatments(None, None)}
    assert {(one.recipe, one.data) for one in paper.REPORTED} <= plan
    assert {recipe for recipe, _, _ in PLAN} == set(RECIPES)
    assert [treatment.name() for treatment in treatments("fonts", ["1989"])] == [
        "1989 on fonts",
        "1989 on fonts from 2022",
    ]


def test_the_articles_own_recipe_has_more_seeds_than_others():
    seeds = {one.name(): len(one.seeds(5)) for one in treatments(None, None)}
    assert seeds.pop("as-printed on usps") == 20
    assert seeds.pop("1989 on mnist-2022 from 2022") == 1
    assert set(seeds.values()) == {5}


def test_a_row_says_every_value_of_its_recipe():
    fields = set(Trained.__struct_fields__) - {"start"}
    assert fields == set(Recipe.__dataclass_fields__) - {"source"}
    for recipe in RECIPES.values():
        values = {k: v for k, v in recipe.as_dict().items() if k in fields}
        told = msgspec.convert(values | {"start": "seed"}, Trained)
        assert told.step_macs == (None if recipe.rival else recipe.step_macs)


def test_a_saved_file_passes_every_check_and_is_no_speed(here, tmp_path):
    finished = finish(TREATMENTS, 4, Journal(tmp_path / "journal"))
    first, again = save(finished, tmp_path), save(finished, tmp_path)
    runs = results.read(first, again)
    assert [runs.wrong(run) for run in runs.runs] == [None, None]
    assert runs.newest == []
    told = runs.trainings[runs.trainings.source == runs.runs[0].source]
    assert list(told.seed) == [0, 1, 2, 3, 0, 1, 2, 3, 0]
    assert list(told.test_misses[:4]) == [learned(TREATMENTS[0], s).test.misses for s in range(4)]
    assert list(told.seconds[:4]) == [1.0, 2.0, 3.0, 4.0]


def test_what_cannot_be_asked_for_is_one_line():
    reproduce = ("bench", "reproduce")
    assert_one_line_and_exit_code_2(run_here(*reproduce, "--only", "1990"), "1990", "as-printed")
    assert_one_line_and_exit_code_2(run_here(*reproduce, "--data", "cifar"), "cifar", "usps")
    assert_one_line_and_exit_code_2(run_here(*reproduce, "--seeds", "0"), "--seeds")
    for name in ("reproduce", "questions"):  # a journal is no object of a store
        asked = run_here("bench", name, "--results", "s3://bucket/results")
        assert_one_line_and_exit_code_2(asked, "s3://bucket/results", "this machine")


def started(folder, seeds):
    return subprocess.Popen(
        command("bench", "reproduce", "--only", "1989", "--data", "fonts", "--seeds", str(seeds),
                "--results", str(folder)),
        cwd=ROOT, env=os.environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip


def lines_of(folder):
    return [line for path in folder.glob("*/*.journal") for line in path.read_bytes().splitlines()]


def stopped(process, folder, lines, number):
    """Send a signal once the journal has so many lines."""
    end = time.monotonic() + 300
    while len(lines_of(folder)) < lines and time.monotonic() < end:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    return ended(process)


def test_killed_terminated_and_run_again_as_if_never_stopped(tmp_path):
    stopped(started(tmp_path, 3), tmp_path, 1, signal.SIGKILL)
    first = lines_of(tmp_path)
    assert first
    terminated = started(tmp_path, 3)
    out, said = stopped(terminated, tmp_path, len(first) + 1, signal.SIGTERM)
    assert terminated.returncode == 130, said
    assert out == ""
    assert [line for line in said.splitlines() if "compiling" not in line] == said.splitlines()[-1:]
    assert "run the same command again to go on" in said
    process = started(tmp_path, 3)
    out, said = ended(process)
    assert process.returncode == 0, said
    lines = lines_of(tmp_path)
    entries = [msgspec.json.decode(line, type=Ended) for line in lines]
    assert lines[: len(first)] == first
    assert len({entry.key for entry in entries}) == len(entries) == 4
    (path,) = tmp_path.glob("*/*.json")
    assert str(path) in out
    runs = results.read(str(tmp_path))
    assert runs.wrong(runs.runs[0]) is None
    rows = json.loads(path.read_text())["benchmarks"]
    told = {row["extra_info"]["trained"]["start"]: row["extra_info"] for row in rows}
    assert [one["seed"] for one in told["seed"]["learned"]] == [0, 1, 2]
    one = told["seed"]["learned"][0]
    assert one["train_curve"][-1] == one["train"]["misses"]
    assert len(one["misread"]) == one["test"]["misses"]
    digits = data.load("fonts")
    assert all(digits.y_test[wrong["index"]] == wrong["label"] for wrong in one["misread"])
    assert told["seed"]["verified"]["steps"] > 0

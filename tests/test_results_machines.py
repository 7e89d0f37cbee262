"""Machines are what they are: never one for a shared name, never two sides of one null test."""

from collections import Counter

import pytest

from bench.report.compare.tables import notes
from bench.report.pages.said import announced, of_run
from bench.report.publish import publish
from tests import records_factory as factory
from tests.commands import run_here
from zipnet.results.collect import collect
from zipnet.results.machines import names
from zipnet.results.noise import UNSEEN, nulls
from zipnet.results.schema import Cpu, Machine
from zipnet.results.verdict import compared

NAME = "amd-epyc-2c-24g"
MODELS = ("AMD EPYC 7B13", "AMD EPYC 9B14")


def content(day, speed=1.0, name=NAME, limits=None, **processor):
    """A run of a day; processor: facts that differ from the factory's."""
    made = factory.result(name, speed, datetime=f"2026-11-{day:02d}T02:00:00+00:00")
    made["machine_info"]["cpu"] |= processor
    return made | ({"limits": limits} if limits else {})


@pytest.fixture
def read(tmp_path):
    """Write contents into one folder, and read it."""

    def _read(*contents):
        for at, one in enumerate(contents):
            factory.write(tmp_path / "results", one, f"{at}.json")
        return collect([str(tmp_path / "results")])

    return _read


@pytest.fixture
def two(read):
    """Two runs of each of two machines that their files call alike, the second twice as fast."""
    return read(*(content(1 + day + 2 * at, 1.0 + at, model=model)
                  for at, model in enumerate(MODELS) for day in range(2)))  # fmt: skip


LABELS = {f"{NAME} (model {model})" for model in MODELS}


def test_two_processors_under_one_name_are_two_machines_everywhere(two, tmp_path, without_figures):
    assert Counter(run.name for run in two.runs) == dict.fromkeys(LABELS, 2)
    assert {run.name for run in two.newest} == LABELS
    assert two.files.groupby("machine").size().to_dict() == dict.fromkeys(LABELS, 2)
    tested = nulls(two)
    assert tested.keys() == LABELS
    seen = [null.scale("network") for null in tested.values()]
    assert all(scale.degrees == 1 and scale.noise() < UNSEEN.noise() for scale in seen)
    headline = publish(two, tmp_path / "reports")
    assert headline.startswith(f"{NAME} (model {MODELS[1]})")
    for page in ("index.html", "summary.csv"):
        text = (tmp_path / "reports" / page).read_text("utf-8")
        assert all(label in text for label in LABELS)


def test_a_shared_name_gives_a_note(two):
    notes_of = [line for line in announced(two) if "other machines are called" in line]
    assert len(notes_of) == len(two.newest) == 2
    one, other = two.newest
    found = [*notes(compared(two, (one, other), nulls(two)))]
    assert f"A: other machines are called {NAME} too: {one.name}" in found


def test_check_says_it_and_finds_nothing_wrong(two, tmp_path):
    done = run_here("bench", "check", str(tmp_path / "results"))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 4
    assert all(f"ok; other machines are called {NAME} too" in line for line in lines)


def test_compare_enters_both_machines_of_a_folder(two, tmp_path):
    done = run_here("bench", "compare", NAME, "--results", str(tmp_path / "results"))
    assert done.returncode == 0, done.stderr
    assert "2.00x as fast" in done.stdout
    assert all(label in done.stdout for label in LABELS)


def test_one_machine_is_called_by_its_name_alone(read):
    runs = read(content(1), content(2))
    assert [run.name for run in runs.runs] == [NAME, NAME]
    assert not any(run.namesake for run in runs.runs)


def test_a_file_that_says_less_is_of_a_machine_of_its_own(read):
    more = {"design": "AuthenticAMD family 25 model 17 stepping 1", "core": "znver4"}
    runs = read(content(1), content(2), content(3, **more))
    assert {run.name for run in runs.newest} == {
        f"{NAME} (core unknown)",
        f"{NAME} (core znver4)",
    }
    assert sorted(len(null.sources) for null in nulls(runs).values()) == [0, 2]


def test_equal_machines_of_two_names_are_kept_apart(read):
    runs = read(content(1, name="node-1"), content(1, name="node-2"))
    assert [run.name for run in runs.newest] == ["node-1", "node-2"]


def test_machines_that_differ_in_several_facts_are_told_by_all_of_them():
    made = [Machine(name="m", cpu=Cpu(model=model, logical_cores=cores), gpus=gpus)
            for model, cores, gpus in (("A", 2, []), ("A", 4, ["G"]), ("B", 2, ["G"]))]  # fmt: skip
    assert names(made) == [
        "m (model A, logical cores 2, gpus none known)",
        "m (model A, logical cores 4, gpus G)",
        "m (model B, logical cores 2, gpus G)",
    ]


def test_machines_that_words_cannot_tell_apart_are_told_by_a_hash():
    long = [Machine(name="m", cpu=Cpu(model="x" * 500 + end)) for end in "ab"]
    found = names([*long, long[0]])
    assert len(set(found)) == 2
    assert found[0] == found[2]
    assert all(len(name) == len("m (123456)") for name in found)


# --- limits ---------------------------------------------------------------------------------------


def test_runs_of_different_limits_are_no_equal_things(read):
    whole = {"cores": 2, "affinity": 2, "quota": None}
    runs = read(content(1, limits=whole), content(2, limits=whole | {"quota": 1.5}))
    assert nulls(runs)[NAME].sources == ()


def test_limits_are_said_where_two_runs_differ_and_on_the_page(read):
    held = {"cores": 2, "affinity": 64, "quota": 1.5}
    pinned = {"cores": 2, "affinity": 2, "quota": None}
    runs = read(*(content(day, limits=limits, logical_cores=64)
                  for day, limits in enumerate((held, pinned, None), start=1)))  # fmt: skip
    one, other, old = runs.runs
    said = [of_run(runs, run)["Limits"] for run in runs.runs]
    assert said == ["quota of 1.50 cores", "affinity to 2 of 64 cores", None]
    found = [*notes(compared(runs, (one, other), {}))]
    assert found == [f"limits: {said[0]} in A, {said[1]} in B"]
    found = [*notes(compared(runs, (one, old), {}))]
    assert "all threads: 2 in A, 64 in B" in found


def test_all_threads_are_as_many_as_the_run_might_use(read):
    """Two of 64 cores are all there were, and are compared with both cores of a small machine."""
    held = {"cores": 2, "affinity": 64, "quota": 2}
    runs = read(content(1, name="big", limits=held, logical_cores=64), content(1, name="small"))
    keys = compared(runs, tuple(runs.runs), {}).matched.keys
    assert {key.threads for key in keys} == {"1", "all"}


def test_variables_that_change_speeds_are_said_and_such_runs_are_no_equal_things(read):
    slow = content(2) | {"environment": {"NUMBA_OPT": "0"}}
    runs = read(content(1) | {"environment": {}}, slow)
    assert nulls(runs)[NAME].sources == ()
    found = [*notes(compared(runs, runs.runs, {}))]
    assert "environment: none in A, NUMBA_OPT=0 in B" in found

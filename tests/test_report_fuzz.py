"""Strangers' files, by the thousand: never a traceback, never a hang, never an invalid number.

Real files (cut short) and synthetic ones are damaged in the ways that people and disks damage
them, and go through check and compare in-process. ZIPNET_FUZZ=20000 asks for that many inputs.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import re
import time
from contextlib import redirect_stderr, redirect_stdout, suppress
from functools import partial
from io import StringIO

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.report.compare import add_arguments
from bench.report.compare.command import run as compare
from bench.report.publish import publish
from tests import records_factory as factory
from tests.commands import ROOT
from zipnet.errors import run_command
from zipnet.results.collect import collect
from zipnet.results.noise import nulls

INPUTS = int(os.environ.get("ZIPNET_FUZZ", "600"))
LONGEST = 5.0  # seconds of CPU for one input: an input must not be able to keep us busy
ROUNDS, ROWS = 24, 5


def cut(content):
    """A real file with few rows and few rounds, still sound."""
    rows = [r for r in content["benchmarks"] if len(r["stats"]["data"]) >= 6]
    content["benchmarks"] = rows[:: max(1, len(rows) // ROWS)][:ROWS]
    for row in content["benchmarks"]:
        watched = "watch" in row["extra_info"]
        factory.retimed(row, row["stats"]["data"][:ROUNDS])
        if not watched:
            del row["extra_info"]["laps"], row["extra_info"]["watch"]
    return content


def corpus():
    found = [cut(json.loads(path.read_text("utf-8"))) for path in ROOT.glob("results/*/*.json")]
    return [*found, cut(factory.result("synthetic", gpu=True))]


CORPUS = corpus()
JUNK = [
    None, True, False, 0, 1, -1, 2, 7, 1e-300, 1e300, -0.0, 0.1, 1e-9, 2**62, 2**70, 10**400, "",
    "x", "1", "nan", "\0", "\u202e", "a" * 3000, [], [[]], {}, {"a": {}}, [0.0], [1e-3] * 12,
    [1e-3, -1.0], ["a"], [None] * 3, "cuda:1", "all", "usps", "schema", [1, 2, 3], {"": None},
]  # fmt: skip


def places(value, found=None, parent=None, key=None):
    """Every (container, key) of a JSON tree, in order."""
    found = [] if found is None else found
    if parent is not None:
        found.append((parent, key))
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(
        value, list) else ()  # fmt: skip
    for name, child in list(children):
        places(child, found, value, name)
    return found


def damage(content, how, where, junk):
    """One thing done to a file, in place."""
    spots = places(content)
    if not spots:
        return
    parent, key = spots[where % len(spots)]
    if how == "replace":
        parent[key] = copy.deepcopy(junk)
    elif how == "delete":
        del parent[key]
    elif how == "scale" and isinstance(parent[key], int | float):
        with suppress(OverflowError):  # of our own sum: 10**400 is among the junk
            parent[key] = parent[key] * 10 ** (where % 13 - 6)
    elif how == "repeat" and isinstance(parent, list):
        parent.insert(key, copy.deepcopy(parent[key]))
    elif how == "swap":
        other, name = spots[(7 * where + 1) % len(spots)]
        parent[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(parent[key])
    elif how == "rename" and isinstance(parent, dict):
        parent[str(junk)[:40]] = parent.pop(key)


DAMAGES = st.lists(
    st.tuples(
        st.sampled_from(["replace", "delete", "scale", "repeat", "swap", "rename"]),
        st.integers(0, 100_000),
        st.sampled_from(JUNK),
    ),
    min_size=1,
    max_size=4,
)
QUIET = settings(
    max_examples=INPUTS // 2,
    database=None,
    suppress_health_check=list(HealthCheck),
)


FORMS = st.sampled_from([[], ["--rows"], ["--json"], ["--csv"], ["--fail-if-slower", "5%"]])


def through_everything(folder, form):
    """Check and compare all that the folder holds, in a form that a person can ask for."""
    began = time.process_time()
    runs = collect([str(folder)])
    for run in runs.runs:
        assert all("\n" not in line for line in [*run.findings, *map(str, runs.excluded(run))])
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args([str(folder), "--results", str(folder), *form])
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = run_command("compare", partial(compare, arguments))
    assert code in range(5)
    for line in err.getvalue().splitlines():
        assert line.startswith(("compare: ", "python -m bench compare: "))
    if form == ["--json"] and out.getvalue():
        json.loads(out.getvalue(), parse_constant=pytest.fail)
    assert time.process_time() - began < LONGEST


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with an honest file in it; the stranger's is written beside it."""
    made = tmp_path_factory.mktemp("strangers")
    factory.write(made, cut(factory.result("honest", gpu=True)))
    return made


@QUIET
@given(st.sampled_from(range(len(CORPUS))), DAMAGES, FORMS)
def test_a_damaged_file_is_read_or_refused_in_one_line(folder, which, damages, form):
    content = copy.deepcopy(CORPUS[which])
    for how, where, junk in damages:
        damage(content, how, where, junk)
    (folder / "stranger.json").write_text(json.dumps(content), "utf-8")
    through_everything(folder, form)


@QUIET
@given(
    st.sampled_from(range(len(CORPUS))),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(max_size=6)), max_size=4),
    st.one_of(st.none(), st.integers(0, 10**6)),
    FORMS,
)
def test_damaged_bytes_are_read_or_refused_in_one_line(folder, which, splices, end, form):
    text = bytearray(json.dumps(CORPUS[which]).encode())
    for at, patch in splices:
        at %= len(text)
        text[at : at + len(patch)] = patch
    (folder / "stranger.json").write_bytes(text if end is None else text[: end % len(text)])
    through_everything(folder, form)


# --- what is called invalid is never read ---------------------------------------------------------

SENTINEL = 7.7512  # seconds for what takes milliseconds: its digits appear in nothing else


def wrong_statistic(row):
    row["stats"]["mean"] *= 2


def wrong_rounds(row):
    row["stats"]["rounds"] += 1


def wrong_watch(row):
    row["extra_info"]["watch"][0]["seconds"] = 0.0


def wrong_counts(row):
    row["extra_info"]["macs"] = 12345


def wrong_iterations(row):
    row["stats"]["iterations"] = 3


INVALID = [wrong_statistic, wrong_rounds, wrong_watch, wrong_counts, wrong_iterations]


def poisoned(row, at):
    """The row with timings whose first digits nothing else has, in whatever unit they are shown."""
    data = [SENTINEL * (1 + 1e-9 * (at + n)) for n in range(len(row["stats"]["data"]))]
    row["extra_info"] |= {"presentations": 1, "steps": 1, "batch": 1, "macs": 171780}
    return factory.retimed(row, data)


def test_no_number_of_an_invalid_row_is_ever_read(tmp_path, capsys):
    honest, stranger = (factory.result(name, benchmarks=[
        factory.learning(question, 900.0, 1, 1, engine=engine, seed=ord(name[0]))
        for question in ("sgd-synced", "sgd-queued") for engine in ("eager", "compiled", "fused")
    ]) for name in ("honest", "stranger"))  # fmt: skip
    for at, spoil in enumerate(INVALID):
        spoil(poisoned(stranger["benchmarks"][at], at))
    factory.write(tmp_path / "r", honest)
    factory.write(tmp_path / "r", stranger)
    said = []
    runs = collect([str(tmp_path / "r")])
    assert (~runs.columns["sound"]).sum() == len(INVALID)
    said += [str(runs.excluded(run)) for run in runs.runs]
    said += [runs.rows.to_csv(), runs.files.to_csv(), str(nulls(runs))]
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    for form in ([], ["--rows"], ["--json"], ["--csv"]):
        compare(parser.parse_args(["honest", "stranger", "--results", str(tmp_path / "r"), *form]))
        said.append(capsys.readouterr().out)
    publish(runs, tmp_path / "out")
    pages = [p.read_text("utf-8") for p in (tmp_path / "out").iterdir() if p.suffix != ".png"]
    said += [re.sub("<[^>]*>", " ", page) for page in pages]  # coordinates are no numbers read
    for text in said:
        for digits in ("7.75", "7,75", "7751", "775120", "0.129", "129."):  # s, us, rates
            assert digits not in text, text[max(0, text.find(digits) - 80) :][:160]

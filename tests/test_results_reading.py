"""A result file is read whole or refused in one line: file, field, found, expected."""

import copy
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import records_factory as factory
from zipnet.errors import UserError
from zipnet.results import places
from zipnet.results.collect import collect
from zipnet.results.places import plain


class MISSING:
    """In place of a value: the field is not there."""


def read(path):
    """The run of one file; a UserError is what a command would say."""
    runs = collect([str(path)])
    if runs.bad:
        raise UserError(runs.bad[0])
    return runs, runs.runs[0]


def put(content, path, value):
    """Set (or with MISSING remove) the field at a path such as benchmarks.0.stats.data."""
    *parents, last = [int(p) if p.isdigit() else p for p in path.split(".")]
    for parent in parents:
        content = content[parent]
    if value is MISSING:
        del content[last]
    else:
        content[last] = value


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


ROW = "benchmarks.0."
BAD_FIELDS = [
    ("schema", MISSING, "schema is missing"),
    ("schema", 3, "newer than the 2"),
    ("benchmarks.0.extra_info.laps", [1, 2], "laps is a list of 2; expected rounds of each lap"),
    ("benchmarks.0.extra_info.laps", [0, 200], "laps[0] is 0"),
    ("benchmarks.0.extra_info.laps", "200", "laps is '200'"),
    ("benchmarks.0.extra_info.watch", [{}], "watch[0].seconds is missing"),
    ("benchmarks.0.extra_info.watch.0.other_cpu_seconds", -1, "other_cpu_seconds is -1"),
    ("schema", 0, "schema is 0"),
    ("schema", True, "schema is True"),
    ("schema", "1", "schema is '1'"),
    ("schema", 1.5, "schema is 1.5"),
    ("schema", 10**40, "schema is 1000"),
    ("status", "done", "complete, interrupted"),
    ("status", None, "status is None"),
    ("profile", "slow", "quick, standard, full"),
    ("profile", ["quick"], "profile is a list of 1"),
    ("datetime", MISSING, "datetime is missing"),
    ("datetime", 5, "datetime is 5"),
    ("workload", MISSING, "workload is missing"),
    ("workload", [], "workload is a list of 0"),
    ("workload.hash", None, "workload.hash is missing"),
    ("dataset", "usps", "dataset is 'usps'"),
    ("dataset.name", "", "dataset.name is ''"),
    ("software", None, "software is None"),
    ("state", "fine", "state is 'fine'"),
    ("state.before", 7, "state.before is 7"),
    ("absent", {}, "absent is an object"),
    ("absent.0", "mps", "absent[0] is 'mps'"),
    ("absent.0.reason", MISSING, "absent[0].reason is missing"),
    ("machine_info", MISSING, "machine_info is missing"),
    ("machine_info.name", 7, "machine_info.name is 7"),
    ("machine_info.name", " \t\n", "machine_info.name is"),
    ("machine_info.name", "x" * 10_000_000, "text of 10000000 characters"),
    ("machine_info.cpu", "fast", "machine_info.cpu is 'fast'"),
    ("machine_info.cpu.model", None, "machine_info.cpu.model is None"),
    ("machine_info.cpu.logical_cores", 0, "machine_info.cpu.logical_cores is 0"),
    ("machine_info.memory_gib", -1, "machine_info.memory_gib is -1"),
    ("machine_info.gpus", "H200", "machine_info.gpus is 'H200'"),
    ("machine_info.gpus", [None], "machine_info.gpus[0] is None"),
    ("benchmarks", MISSING, "benchmarks is missing"),
    ("benchmarks", {}, "benchmarks is an object of 0 keys"),
    ("benchmarks.0", [], "benchmarks[0] is a list of 0"),
    (ROW + "fullname", None, "benchmarks[0].fullname is None"),
    (ROW + "extra_info", MISSING, "benchmarks[0].extra_info is missing"),
    (ROW + "extra_info.question", 1, "benchmarks[0].extra_info.question is 1"),
    (ROW + "extra_info.engine", None, "benchmarks[0].extra_info.engine is missing"),
    (ROW + "extra_info.device", {}, "extra_info.device is an object"),
    (ROW + "extra_info.threads", 0, "extra_info.threads is 0"),
    (ROW + "extra_info.threads", 1.0, "extra_info.threads is 1.0"),
    (ROW + "extra_info.presentations", 0, "extra_info.presentations is 0"),
    (ROW + "extra_info.presentations", None, "extra_info.presentations is missing"),
    (ROW + "extra_info.steps", "1", "extra_info.steps is '1'"),
    (ROW + "extra_info.macs", -5, "extra_info.macs is -5"),
    (ROW + "extra_info.macs", 2**70, "macs is 1180591620717411303424"),
    (ROW + "extra_info.steps", 2**63 - 1, "steps is 9223372036854775807"),  # no float is
    (ROW + "extra_info.dataset", None, "extra_info.dataset is missing"),
    (ROW + "extra_info.warnings", "hot", "extra_info.warnings is 'hot'"),
    (ROW + "extra_info.question", "training", "extra_info.train is missing"),
    (ROW + "stats", None, "benchmarks[0].stats is None"),
    (ROW + "stats.data", MISSING, "stats.data is missing"),
    (ROW + "stats.data", [], "stats.data is a list of 0"),
    (ROW + "stats.data", "0.1", "stats.data is '0.1'"),
    (ROW + "stats.data", [0.1, "0.1"], "stats.data[1] is '0.1'"),
    (ROW + "stats.data", [0.1, -0.1], "stats.data[1] is -0.1"),
    (ROW + "stats.data", [True], "stats.data[0] is True"),
    (ROW + "stats.data", [[0.1]], "stats.data[0] is a list of 1"),
    (ROW + "stats.data", [None], "stats.data[0] is None"),
    (ROW + "stats.data", [0.1, 0.0], "stats.data[1] is 0.0"),
    (ROW + "stats.data", [1e-300], "stats.data[0] is 1e-300"),
    (ROW + "stats.data", [1e300], "stats.data[0] is 1e+300"),
    (ROW + "stats.data", [float("nan")], "NaN is not a JSON number"),
    (ROW + "stats.median", float("inf"), "Infinity is not a JSON number"),
    (ROW + "stats.median", None, "stats.median is None"),
    (ROW + "stats.rounds", 0, "stats.rounds is 0"),
    ("workload.further", {}, "workload.further is an object of 0 keys"),
    ("workload.further", nested(50), "workload.further is"),
    (ROW + "extra_info.watch.0.before.cpu_mhz", "fast", "watch[0].before.cpu_mhz is 'fast'"),
    (ROW + "extra_info.watch.1.after", 3, "extra_info.watch[1].after is 3"),
    (ROW + "extra_info.watch.1", None, "extra_info.watch[1] is None"),
    ("state.after.power", 7, "state.after.power is 7"),
]


@pytest.mark.parametrize(("path", "value", "says"), BAD_FIELDS, ids=lambda v: str(v)[:40])
def test_a_bad_field_is_named_with_what_was_found(tmp_path, path, value, says):
    content = factory.result()
    put(content, path, value)
    file = tmp_path / "bad.json"
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(UserError) as caught:
        read(file)
    message = str(caught.value)
    assert says in message
    assert message.startswith(f"{tmp_path.name}/bad.json: ")
    assert "\n" not in message
    assert len(message) <= 400
    assert "expected" in message or "not JSON" in message


GOOD = json.dumps(factory.result()).encode()
BAD_BYTES = {
    "empty": (b"", "empty"),
    "blank": (b" \n\t ", "empty"),
    "truncated": (GOOD[: len(GOOD) // 2], "not JSON"),
    "binary": (bytes(range(256)), "not UTF-8"),
    "broken UTF-8": (GOOD.replace(b"complete", b"comp\xfflete"), "not UTF-8"),
    "byte order mark": (b"\xef\xbb\xbf" + GOOD, "BOM"),
    "UTF-16": (GOOD.decode().encode("utf-16"), "not UTF-8"),
    "two objects": (GOOD + GOOD, "trailing characters"),
    "a list": (b"[1, 2]", "holds a list of 2"),
    "a number": (b"1", "holds 1"),
    "null": (b"null", "holds None"),
    "a string": (b'"results"', "holds 'results'"),
    "foreign JSON": (b'{"name": "package", "version": "1"}', "is this a result file"),
    "others' benchmarks": (b'{"benchmarks": [], "machine_info": {}}', "schema is missing"),
    "deep nesting": (b"[" * 100_000, "nested too deeply"),
    "deep objects": (b'{"a":' * 50_000, "nested too deeply"),
    "deep but closed": (b"[" * 300 + b"]" * 300, "holds a list of 1"),
    "a huge integer": (b'{"schema": ' + b"9" * 5000 + b"}", "out of range"),
    "beyond floats": (GOOD.replace(b"7.6,", b"1e999,"), "memory_gib: number out of range"),
    "HTML": (b"<!DOCTYPE html><title>404</title>", "not JSON"),
    "a git conflict": (b"<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> main\n", "not JSON"),
    "a git-lfs pointer": (b"version https://git-lfs.github.com/spec/v1\n", "not JSON"),
}


@pytest.mark.parametrize("kind", BAD_BYTES)
def test_bytes_that_are_no_result_file_are_refused_in_one_line(tmp_path, kind):
    content, says = BAD_BYTES[kind]
    file = tmp_path / "bad.json"
    file.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read(file)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_too_large_is_refused_before_it_is_read(tmp_path, monkeypatch):
    file = factory.write(tmp_path, factory.result())
    monkeypatch.setattr(places, "MAX_BYTES", 1000)
    monkeypatch.setattr(Path, "read_bytes", lambda self: pytest.fail("it was read"))
    with pytest.raises(UserError, match="expected at most 1000"):
        read(file)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.json")
    with pytest.raises(UserError, match="not a regular file"):
        read(tmp_path / "pipe.json")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def denied(self):
        raise PermissionError(13, "Permission denied")

    file = factory.write(tmp_path, factory.result())
    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(UserError, match="cannot be read: Permission denied"):
        read(file)


def test_a_valid_file_is_read_whole(tmp_path):
    content = factory.result(gpu=True)
    runs, run = read(factory.write(tmp_path, content))
    rows = runs.of(run)
    assert len(rows["question"]) == len(content["benchmarks"])
    assert run.about.machine_info.gpus == ["Synthetic H200"]
    assert run.source == "xeon-6982p-2c-8gib/20261121T020000Z_0123456.json"
    first = runs.timings[runs.timings.fullname == content["benchmarks"][0]["fullname"]]
    assert first.value.tolist() == content["benchmarks"][0]["stats"]["data"]
    assert first.lap.tolist() == sorted(first.lap)
    assert rows["test_misses"][rows["question"] == "training"].tolist() == [122]


def test_an_interrupted_file_without_rows_is_read(tmp_path):
    path = factory.write(tmp_path, factory.result(status="interrupted", benchmarks=[]))
    runs, run = read(path)
    assert len(runs.of(run)["question"]) == 0


def test_a_floor_may_take_no_time_and_show_nothing(tmp_path):
    row = factory.row("floor-empty", 0.0)
    runs, _ = read(factory.write(tmp_path, factory.result(benchmarks=[row])))
    assert set(runs.timings.value) == {0.0}
    assert runs.columns["value"].tolist() == [0.0]


def test_what_is_not_known_yet_is_kept_and_said(tmp_path):
    """Neither a question nor a key of a later version is taken for something else."""
    row = factory.row("floor-dream", 1e-3, depth=3)
    runs, run = read(factory.write(tmp_path, factory.result(benchmarks=[row], mood="good")))
    assert runs.columns["question"].tolist() == ["floor-dream"]
    assert runs.columns["kind"].tolist() == [None]
    assert runs.unknown(run) == ("benchmarks.extra_info.depth", "mood")


def test_of_a_key_twice_the_last_counts(tmp_path):
    file = tmp_path / "twice.json"
    file.write_text(json.dumps(factory.result()).replace('"schema": 2', '"schema": 9, "schema": 2'))
    assert read(file)[1].about.schema == 2


def test_hidden_and_turning_characters_become_visible():
    assert plain("a\N{RIGHT-TO-LEFT OVERRIDE}b\0c\N{ZERO WIDTH SPACE}") == "a?b?c?"
    assert plain(" a\n\tb ") == "a b"
    assert plain("Zürich 日本") == "Zürich 日本"


# --- folders and globs -------------------------------------------------------------------------


def test_good_files_are_kept_beside_bad_ones(tmp_path):
    factory.write(tmp_path, factory.result())
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "folder.json").mkdir()
    found = collect([str(tmp_path)])
    assert len(found.runs) == 1
    assert len(found.bad) == 2
    assert any("a folder" in line for line in found.bad)


def test_a_file_named_twice_is_read_once(tmp_path):
    path = factory.write(tmp_path, factory.result())
    found = collect([str(path), str(tmp_path), str(tmp_path / "*" / "*.json")])
    assert len(found.runs) == 1
    assert not found.bad


def test_a_link_to_itself_is_named(tmp_path):
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    assert "cannot be read" in collect([str(tmp_path)]).bad[0]


def test_a_link_to_nothing_is_named(tmp_path):
    (tmp_path / "gone.json").symlink_to(tmp_path / "nothing")
    assert "cannot be read" in collect([str(tmp_path)]).bad[0]


def test_a_glob_may_stand_for_folders(tmp_path):
    factory.write(tmp_path, factory.result("a"))
    factory.write(tmp_path, factory.result("b"))
    assert len(collect([str(tmp_path / "*")]).runs) == 2


def test_two_machines_of_one_name_are_both_read(tmp_path):
    factory.write(tmp_path / "a", factory.result())
    factory.write(tmp_path / "b", factory.result())
    assert len(collect([str(tmp_path)]).runs) == 2


@pytest.mark.parametrize(
    ("argument", "says"),
    [
        ("nowhere", "no such file"),
        ("no*where/*.json", "no such file"),
        ("", "no such file"),
        ("\0", ""),
        ("x" * 5000, ""),
    ],
)
def test_an_argument_that_stands_for_nothing_is_named(tmp_path, monkeypatch, argument, says):
    monkeypatch.chdir(tmp_path)
    found = collect([argument])
    assert not found.runs
    assert says in found.bad[0]
    assert len(found.bad) == 1


def test_a_folder_without_result_files_is_named(tmp_path):
    assert "holds no result file" in collect([str(tmp_path)]).bad[0]


def test_a_writers_temporary_file_is_not_read(tmp_path):
    factory.write(tmp_path, factory.result())
    (tmp_path / ".half.json").write_text("{")
    (tmp_path / ".half.json.tmp").write_text("{")
    assert not collect([str(tmp_path)]).bad


# --- mutation ------------------------------------------------------------------------------------


def one_line(error):
    assert "\n" not in str(error)


def small():
    rows = factory.engine_rows("eager", "cpu", 1, 900, 40) + factory.floor_rows("cpu", 1, 1e11)
    for row in rows:
        factory.retimed(row, row["stats"]["data"][:6])
    return factory.result(benchmarks=rows)


def paths(value, prefix=()):
    yield prefix
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in children:
        yield from paths(child, (*prefix, key))


SMALL = small()
PATHS = [path for path in paths(SMALL) if path]
ODD = [2**64, -1, 0, 1e308, 5e-324, "<b>", "$x$", {}]
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
    st.sampled_from(ODD),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PATHS), VALUES)
def test_any_field_may_hold_anything_without_a_traceback(tmp_path, path, value):
    content = copy.deepcopy(SMALL)
    target = content
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    file = tmp_path / "mutated.json"
    file.write_text(json.dumps(content), "utf-8")
    try:
        read(file)
    except UserError as error:
        one_line(error)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 10**6), st.binary(max_size=4), st.integers(0, 6))
def test_any_byte_may_be_changed_without_a_traceback(tmp_path, at, replacement, removed):
    raw = json.dumps(SMALL).encode()
    at %= len(raw)
    file = tmp_path / "mutated.json"
    file.write_bytes(raw[:at] + replacement + raw[at + removed :])
    try:
        read(file)
    except UserError as error:
        one_line(error)


def test_folders_behind_links_are_read_once_and_a_circle_ends(tmp_path):
    elsewhere, results = tmp_path / "elsewhere", tmp_path / "results"
    for at, folder in enumerate((elsewhere, results)):
        factory.write(folder, factory.result(f"machine-{at}", 1 + at))
    (results / "a-link").symlink_to(elsewhere / "machine-0")
    (results / "twice").symlink_to(elsewhere / "machine-0")
    (results / "a-copy").symlink_to(results / "machine-1")
    (results / "machine-1" / "up").symlink_to(results)
    (results / "self").symlink_to(results / "self")
    (results / "dangling").symlink_to(tmp_path / "nowhere")
    found = collect([str(results)])
    assert found.bad == []
    assert [run.source.partition("/")[0] for run in found.runs] == ["a-link", "machine-1"]
    assert collect([str(results / "a-link")]).runs[0].name == "machine-0"

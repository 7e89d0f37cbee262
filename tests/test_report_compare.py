"""compare: who is faster, by how much, and is that real? In-process, as a person would type it."""

import argparse
import csv
import io
import json
import re
from itertools import takewhile

import pytest

from bench.report.compare import add_arguments
from bench.report.compare.command import run
from tests import records_factory as factory
from zipnet.errors import UserError


@pytest.fixture
def compare(tmp_path, capsys, monkeypatch):
    """Run the command below tmp_path / "r"; returns exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "100")  # whatever the terminal of these tests has

    def typed(*arguments):
        parser = argparse.ArgumentParser()
        add_arguments(parser)
        code = run(parser.parse_args(["--results", str(tmp_path / "r"), *map(str, arguments)]))
        said = capsys.readouterr()
        return code, said.out, said.err

    return typed


@pytest.fixture
def put(tmp_path):
    def write(name, speed=1.0, change=None, file="20261121T020000Z_0123456.json", **overrides):
        content = factory.result(name, speed, **overrides)
        if change:
            change(content)
        return factory.write(tmp_path / "r", content, file)

    return write


def test_the_answer_comes_first(compare, put):
    put("laptop")
    put("station", 1.5)
    code, out, err = compare("laptop", "station")
    assert (code, err) == (0, "")
    first = out.splitlines()[0]
    assert first.startswith("B is 1.50x as fast as A (geometric mean of 20 rows, ")
    counts = " ".join(out.split("\n\n")[0].split()).rpartition("; ")[2]
    assert counts == "22 faster, 0 slower, 0 same, 11 unclear"
    assert "A = laptop, laptop/20261121T020000Z_0123456.json" in out
    assert max(map(len, out.splitlines())) <= 100


def test_the_baseline_can_be_chosen(compare, put):
    put("laptop")
    put("station", 2.0)
    _, out, _ = compare("laptop", "station", "--baseline", "station")
    assert out.startswith("B is 0.500x as fast as A")
    assert "A = station" in out
    with pytest.raises(UserError, match="is not compared here; choose one of: laptop, station"):
        compare("laptop", "station", "--baseline", "tower")


def test_a_row_has_both_times_the_ratio_its_interval_and_the_verdict(compare, put):
    put("laptop")
    put("station", 1.5)
    _, out, _ = compare("laptop", "station", "--rows")
    (line,) = [
        line for line in out.splitlines() if line.startswith("fullbatch · compiled · cpu · 1")
    ]
    assert re.search(r" µs +22\.2 µs +1\.50x +1\.\d\d to 1\.\d\d +faster$", line)
    assert line.endswith("faster")


# --- by question --------------------------------------------------------------------------------


def told(out, title="times as fast as A"):
    """The lines by question: the name of each, and what is said of it."""
    lines = iter(out.splitlines())
    assert any(line.startswith(title) for line in lines)
    of_questions = takewhile(lambda line: re.match(r"[a-z-]+  ", line), lines)
    return {name: said for name, *said in map(str.split, of_questions)}


def test_what_holds_of_each_question_comes_first_and_every_row_when_asked(compare, put):
    put("laptop")
    put("station", 1.5)
    _, out, _ = compare("laptop", "station")
    questions = told(out)
    rows, speed, low, to, high, *verdict = questions["sgd-queued"]
    assert (rows, speed, to, verdict) == ("4", "1.50x", "to", ["faster"])
    assert float(low) < 1.5 < float(high)
    assert questions["training"][-1:] == ["unclear"]
    assert "sgd-queued · eager · cpu · 1 thread" not in out.split("\nunclear: ")[0]
    assert out.endswith("Every row: --rows\n")
    _, full, _ = compare("laptop", "station", "--rows")
    assert told(full) == questions
    assert sum(line.startswith("sgd-queued · ") for line in full.splitlines()) == 4


def test_a_question_whose_rows_disagree_says_so(compare, put):
    def one_slower(content):
        row = row_of(content, "sgd-queued")["row"]
        factory.retimed(row, [1.4 * seconds for seconds in row["stats"]["data"]])

    put("laptop")
    put("station", change=one_slower)
    _, out, _ = compare("laptop", "station")
    assert "(1 slower, " in " ".join(told(out)["sgd-queued"])


def test_json_has_the_questions_and_keeps_all_rows(compare, put):
    put("laptop")
    put("station", 1.5)
    (found,) = json.loads(compare("laptop", "station", "--json")[1])["comparisons"]
    assert len(found["rows"]) == 33
    assert sum(one["rows"] for one in found["questions"]) == len(found["rows"])
    (queued,) = [one for one in found["questions"] if one["question"] == "sgd-queued"]
    assert queued["verdict"] == "faster"
    assert queued["verdicts"] == {"faster": 4}
    assert queued["low"] < queued["speed"] < queued["high"]


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 100, 300])
def test_no_name_of_a_row_is_cut_at_any_width(compare, put, monkeypatch, width):
    def long(content):
        row = row_of(content, "sgd-queued")["row"]
        row["extra_info"]["engine"] = "an-engine-whose-name-is-" + "long-" * 30

    monkeypatch.setenv("COLUMNS", str(width))
    put("laptop", change=long)
    put("station", 1.5, long)
    rows = json.loads(compare("laptop", "station", "--json")[1])["comparisons"][0]["rows"]
    _, out, _ = compare("laptop", "station", "--rows")
    assert "…" not in out
    for row in rows:
        parts = (row["question"], row["engine"], row["device"])
        name = " · ".join(filter(None, parts))
        assert any(line.startswith(name) for line in out.splitlines())
    if width >= 40:
        lines = [line for line in out.splitlines() if "long-" not in line and " = " not in line]
        names = [line for line in lines if " · " in line and not line.startswith(" ")]
        assert max(len(line) for line in lines if line not in names) <= width


# --- who competes -------------------------------------------------------------------------------


def test_a_machine_is_represented_by_its_latest_run(compare, put):
    put("laptop", 1.0)
    put("laptop", 3.0, file="b.json", datetime="2026-11-25T02:00:00+00:00")
    put("station", 3.0)
    _, out, _ = compare("laptop", "station")
    assert out.startswith("B is 1.00x as fast as A")
    assert "A = laptop, laptop/b.json" in out


def test_two_files_of_one_machine_are_two_contestants_named_by_file(compare, put):
    one = put("laptop", 1.0, file="a.json")
    other = put("laptop", 1.2, file="b.json", datetime="2026-11-25T02:00:00+00:00")
    _, out, _ = compare(one, other)
    assert out.startswith("B is 1.20x as fast as A")
    assert "B = b, laptop/b.json" in out
    _, out, _ = compare(one, "laptop")  # the machine's latest but the one named
    assert out.startswith("B is 1.20x as fast as A")


def test_a_folder_enters_each_of_its_machines_and_a_glob_each_of_its_files(compare, put, tmp_path):
    for at, name in enumerate("abc"):
        put(name, 1 + at)
    put("a", 1.0, file="b.json", datetime="2026-10-25T02:00:00+00:00")
    _, out, _ = compare(tmp_path / "r")
    assert "\nC is 3.00x as fast as A" in out
    assert len([line for line in out.splitlines() if " = " in line[:4]]) == 3
    _, out, _ = compare(tmp_path / "r" / "*" / "2*.json")
    assert len([line for line in out.splitlines() if " = " in line[:4]]) == 3


def test_names_that_are_not_there_are_one_line_with_what_is_near(compare, put):
    put("laptop")
    with pytest.raises(UserError, match=r"'labtop' is no file, folder or machine below .*laptop"):
        compare("labtop", "laptop")
    with pytest.raises(UserError, match="only laptop to compare"):
        compare("laptop", "laptop")
    for strange in ("", "\0", "a" * 5000):
        with pytest.raises(UserError):
            compare(strange, "laptop")


def test_bad_and_unsound_files_are_named_and_the_others_compared(compare, put, tmp_path):
    put("laptop")
    put("station")
    put("stranger", workload=factory.workload() | {"hash": "0" * 64})
    (tmp_path / "r" / "bad.json").write_text("[]")
    code, out, err = compare(tmp_path / "r")
    assert code == 2
    assert len(err.splitlines()) == 2
    assert "workload.hash is not the SHA-256" in err
    assert "bad.json: holds a list of 0" in err
    assert out.startswith("B is 1.00x as fast as A")
    assert "stranger" not in out


# --- what is compared ---------------------------------------------------------------------------


def row_of(content, question, at=0):
    rows = [r for r in content["benchmarks"] if r["extra_info"]["question"] == question]
    return rows[at]["extra_info"] | {"row": rows[at]}


def set_row(question, **about):
    def change(content):
        row_of(content, question)["row"]["extra_info"].update(about)

    return change


def invalid(content):
    row_of(content, "sgd-queued")["row"]["stats"]["rounds"] += 1


INCOMPARABLE = {
    "precision": (set_row("sgd-queued", dtype="bfloat16"), "dtype is bfloat16 in B"),
    "threads": (set_row("sgd-queued", threads=7), "only in B"),
    "batch": (set_row("sgd-queued", batch=2, steps=256), "batch is 2 in B, 1 elsewhere"),
    "invalid": (invalid, "invalid in B: stats.rounds is 31"),
    "engine": (set_row("sgd-queued", engine="other"), "only in B"),
}


@pytest.mark.parametrize("kind", INCOMPARABLE)
def test_rows_that_differ_in_more_than_the_machine_are_left_alone(compare, put, kind):
    change, says = INCOMPARABLE[kind]
    put("laptop")
    put("station", 1.5, change)
    _, out, _ = compare("laptop", "station", "--rows")
    assert f"not compared: {says}" in " ".join(out.split())
    assert "geometric mean of 19 rows" in out
    assert "sgd-queued · eager · cpu · 1 thread  " not in out


def test_another_device_of_the_same_kind_is_not_mixed_in(compare, put):
    def second(content):
        row = factory.learning("sgd-queued", 100, 512, 1, engine="eager", device="cuda:1",
                               threads=None)  # fmt: skip
        content["benchmarks"].append(row)

    put("laptop", gpu=True)
    put("station", 1.0, second, gpu=True)
    _, out, _ = compare("laptop", "station", "--rows")
    assert "B has it more than once; its cuda was taken" in out


def test_all_threads_of_one_machine_are_compared_with_all_of_another(compare, put):
    def many(content):
        content["machine_info"]["cpu"]["logical_cores"] = 64
        for row in content["benchmarks"]:
            if row["extra_info"]["threads"] == 2:
                row["extra_info"]["threads"] = 64

    put("laptop")
    put("node", 8.0, many)
    _, out, _ = compare("laptop", "node", "--rows")
    assert "sgd-queued · eager · cpu · all threads" in out
    assert "note: all threads: 2 in A, 64 in B" in out


def test_the_only_thread_of_a_machine_is_one_and_all(compare, put):
    def single(content):
        content["machine_info"]["cpu"]["logical_cores"] = 1
        content["benchmarks"] = [
            row for row in content["benchmarks"] if row["extra_info"]["threads"] != 2
        ]

    put("laptop")
    put("small", 0.5, single)
    _, out, _ = compare("laptop", "small", "--rows")
    assert "sgd-queued · eager · cpu · 1 thread" in out
    assert "sgd-queued · eager · cpu · all threads" in out
    put("smaller", 0.25, single)
    _, out, _ = compare("small", "smaller", "--rows")  # the same two rows are not compared twice
    assert "sgd-queued · eager · cpu · 1 thread" in out
    assert "all threads" not in out


def history(put, *speeds, name="m", **overrides):
    """Runs of one machine and commit, a day each; returns their files."""
    return [
        put(
            name,
            speed,
            file=f"{day}.json",
            datetime=f"2026-11-{day:02d}T02:00:00+00:00",
            **overrides,
        )
        for day, speed in enumerate(speeds, start=1)
    ]


def network(out):
    """The verdicts of the rows that a machine's speed decides, from --json."""
    (found,) = json.loads(out)["comparisons"]
    return [row["verdict"] for row in found["rows"] if row["question"].startswith("sgd")]


def test_a_seventh_run_five_times_slower_is_slower_and_named(compare, put):
    files = history(put, *[1.0] * 6, 0.2)
    _, out, _ = compare(*files[-2:], "--json")
    assert set(network(out)) == {"slower"}
    code, out, err = compare(*files[-2:], "--fail-if-slower", "5%")
    assert code == 1
    assert "slower by more than 5%: sgd-synced" in err
    text = " ".join(out.split())
    assert "by 5 further equal runs" in text
    assert "m disagrees with itself: m/7.json ran 0.200x as fast as 6 equal runs" in text


def test_the_odd_run_says_nothing_of_two_others(compare, put):
    calm, odd = history(put, *[1.0] * 7), history(put, *[1.0] * 4, 0.2, 1.0, 1.0, name="odd")
    said = [compare(*files[-2:], "--json")[1] for files in (calm, odd)]
    assert [set(network(out)) for out in said] == [{"same"}, {"same"}]
    assert any(
        "odd/5.json ran 0.200x" in note for note in json.loads(said[1])["comparisons"][0]["notes"]
    )
    assert compare(*odd[-2:], "--fail-if-slower", "10%")[0::2] == (0, "")


def test_two_runs_set_no_threshold_of_their_own(compare, put):
    files = history(put, 1.0, 0.2)
    code, out, _ = compare(*files, "--fail-if-slower", "5%")
    assert code == 1
    assert "as on any machine without two further equal runs" in " ".join(out.split())


def test_a_machine_whose_runs_lie_twofold_apart_is_too_unsteady_in_words(compare, put):
    files = history(put, 1.0, 0.01, 1.0, 1.0)
    code, out, _ = compare(*files[-2:], "--fail-if-slower", "50%")
    assert code == 4
    text = " ".join(out.split())
    assert "too unsteady to tell: 2 equal runs of it may differ by more than twofold" in text
    assert "faster" not in network(compare(*files[-2:], "--json")[1])
    assert not re.search(r"[0-9]{4,}%|[0-9],[0-9]{3}%", out)


def test_what_is_not_told_says_what_it_would_take(compare, put):
    one, other = history(put, 1.0, 0.925)
    out = " ".join(compare(one, other)[1].split())
    assert "0 same" in out
    assert re.search(
        r"by up to 15% here; at least [0-9]+ more equal runs of each(, and longer ones,)? would",
        out,
    )
    far = history(put, 1.0, 1.04, 0.96, 1.05, 0.95, 1.0, 0.925, name="far")
    out = " ".join(compare(*far[-2:])[1].split())
    assert "and more runs cannot tell" in out


def test_the_margin_of_sameness_is_an_option(compare, put):
    files = history(put, *[1.0] * 5)
    said = {margin: network(compare(*files[-2:], "--same-within", margin, "--json")[1])
            for margin in ("2%", "10%")}  # fmt: skip
    assert set(said["10%"]) == {"same"}
    assert set(said["2%"]) == {"unclear"}
    for wrong in ("5", "0%", "five"):
        with pytest.raises(UserError, match="--same-within"):
            compare(*files[-2:], "--same-within", wrong)


def test_a_dirty_run_is_marked_and_equal_to_nothing(compare, put):
    dirty = {"id": "0123456789abcdef", "dirty": True}
    files = history(put, 1.0, 1.43, commit_info=dirty)
    _, out, _ = compare(*files)
    text = " ".join(out.split())
    assert "B = 2, m/2.json with uncommitted changes" in text
    assert "note: B was measured with uncommitted changes: it is equal to no other run" in text
    assert set(network(compare(*files, "--json")[1])) == {"faster"}
    put("clean")
    out = " ".join(compare("clean", files[0])[1].split())
    assert "commit: 01234567 in A, 01234567 with uncommitted changes in B" in out


NOTES = {
    "profile": ({"profile": "quick"}, "profile: standard in A, quick in B"),
    "torch": ({"software": {"torch": "2.9"}}, "torch: 2.13.0 in A, 2.9 in B"),
    "commit": ({"commit_info": {"id": "f" * 16}}, "commit: 01234567 in A, ffffffff in B"),
    "interrupted": ({"status": "interrupted"}, "B was interrupted"),
}


@pytest.mark.parametrize("kind", NOTES)
def test_what_else_differs_is_noted(compare, put, kind):
    overrides, says = NOTES[kind]
    put("laptop")
    put("station", file="b.json", **overrides)
    assert f"note: {says}" in compare("laptop", "station")[1]


def disturb(content):
    for row in content["benchmarks"]:
        row["extra_info"]["watch"][0] |= {"other_cpu_seconds": 1e3}


def test_a_disturbed_row_is_unclear_and_says_why(compare, put):
    put("laptop")
    put("station", 1.5, lambda c: disturb({"benchmarks": [row_of(c, "sgd-queued")["row"]]}))
    _, out, _ = compare("laptop", "station")
    assert "unclear: B: another process used" in out
    assert "geometric mean of 19 rows" in out


# --- many, few and none -------------------------------------------------------------------------


def test_five_machines_and_more_have_a_line_each_fastest_first(compare, put, tmp_path):
    for at in range(6):
        put(f"m{at}", 1 + at)
    _, out, _ = compare(tmp_path / "r")
    lines = out.splitlines()
    assert len(lines) == 2 + 5
    assert [line.split()[0] for line in lines[2:]] == ["m5", "m4", "m3", "m2", "m1"]
    _, out, _ = compare(tmp_path / "r", "--rows")
    assert out.count("sgd-queued · eager · cpu · 1 thread") == 5


def test_three_machines_stand_side_by_side(compare, put, tmp_path):
    for at in range(3):
        put(f"m{at}", 1 + at)
    _, out, _ = compare(tmp_path / "r")
    (line,) = [x for x in out.splitlines() if x.startswith("sgd-queued")]
    assert line.split()[-4:] == ["2.00x", "faster", "3.00x", "faster"]


def test_one_row_is_enough(compare, put):
    rows = [factory.learning("sgd-queued", 900.0, 100, 1, engine="eager")]
    put("laptop", benchmarks=rows)
    faster = [factory.learning("sgd-queued", 450.0, 100, 1, engine="eager", seed=1)]
    put("station", benchmarks=faster)
    code, out, _ = compare("laptop", "station")
    assert code == 0
    assert "B is 2.00x as fast as A (1 row" in out


def test_a_file_address_is_a_path(compare, put):
    one, other = put("laptop"), put("station", 2.0)
    assert compare(one.as_uri(), other.as_uri())[1].startswith("B is 2.00x as fast as A")


# --- exit codes ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("speed", "allowed", "code"), [
    (0.8, "5%", 1), (0.8, "30%", 4), (0.8, "60%", 0), (0.8, "0%", 1), (1.5, "0%", 4),
    (1.0, "0%", 4), (1.0, "20%", 0), (0.96, "2%", 4), (0.96, "30%", 0),
])  # fmt: skip
def test_slower_beyond_the_limit_is_exit_1_and_4_where_it_may_be(
    compare, put, speed, allowed, code
):
    put("laptop")
    put("station", speed)
    found, _, err = compare("laptop", "station", "--fail-if-slower", allowed)
    assert found == code
    assert bool(err) == bool(code)


def test_a_disturbed_row_may_be_slower(compare, put):
    put("laptop")
    put("station", 1.0, lambda c: disturb({"benchmarks": [row_of(c, "sgd-queued")["row"]]}))
    code, _, err = compare("laptop", "station", "--fail-if-slower", "50%")
    assert code == 4
    assert "it cannot be told whether slower by more than 50%: sgd-queued · eager · cpu" in err


@pytest.mark.parametrize("text", ["5", "0.05", "", "%", "-5%", "5 %", "five%", "nan%", "1e9%"])
def test_a_limit_is_a_percentage_or_one_line(compare, put, text):
    with pytest.raises(UserError, match="write a percentage, such as 5%"):
        compare("a", "b", f"--fail-if-slower={text}")


def test_nothing_in_common_is_exit_3(compare, put):
    put("laptop", benchmarks=[factory.training("eager", "cpu", 1, 900)])
    put("station", benchmarks=factory.floor_rows("cpu", 1, 1e11))
    code, out, _ = compare("laptop", "station")
    assert code == 3
    assert "no network row in common" in out


def test_nothing_but_doubtful_rows_is_exit_4(compare, put):
    put("laptop")
    put("station", 1.5, disturb)
    code, out, _ = compare("laptop", "station", "--fail-if-slower", "1%")
    assert code == 4
    assert "no network row fit for a verdict" in out


# --- for programs -------------------------------------------------------------------------------


def test_json_and_csv_say_the_same_as_the_table(compare, put):
    put("laptop")
    put("station", 1.5, invalid)
    document = json.loads(compare("laptop", "station", "--json")[1])
    (found,) = document["comparisons"]
    assert found["geometric_mean"]["network"]["speed"] == pytest.approx(1.5, rel=0.01)
    assert found["verdicts"]["faster"] == 21
    assert document["null_tests"]["laptop"]["sources"] == []
    lines = list(csv.DictReader(io.StringIO(compare("laptop", "station", "--csv")[1])))
    assert len(lines) == len(found["rows"]) == 32
    assert [line["verdict"] for line in lines] == [row["verdict"] for row in found["rows"]]
    assert {row["reason"].split(":")[0] for row in found["not_compared"]} == {
        "invalid in B",
        "only in A",
    }


HOSTILE = ["=1+1", "<b>", "a\u202eb", "\N{GRINNING FACE}" * 30, "x" * 1500]


def test_hostile_names_stay_on_their_line(compare, put, tmp_path):
    put("laptop")
    for name in HOSTILE:
        put(name, 1.5)
    code, out, _ = compare(tmp_path / "r", "--rows")
    assert code == 0
    assert "\u202e" not in out
    for cell in next(iter(csv.reader(io.StringIO(compare(tmp_path / "r", "--csv")[1])))):
        assert not cell.startswith("=")

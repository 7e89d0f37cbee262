"""Verdicts row by row, as a notebook asks for them; and how often they are wrong."""

import math
import re

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from bench.__main__ import main
from bench.report.trials_page import to_page
from tests import records_factory as factory
from tests.commands import ROOT
from zipnet import results
from zipnet.errors import UserError
from zipnet.results.match import Matched
from zipnet.results.noise import UNSEEN
from zipnet.results.trials import MACHINES, RATIOS, RUNS, STATED, trial_table
from zipnet.results.verdict import LONGER, MORE, needed

TRIALS = 40


@pytest.fixture(scope="module")
def cells():
    return trial_table(TRIALS, seed=7)


def test_no_cell_is_wrong_more_often_than_stated(cells):
    assert len(cells) == len(MACHINES) * len(RUNS) * len(RATIOS)
    most = binom.ppf(1 - 1e-5, TRIALS, STATED)  # more, at the stated rate, once in 100,000 cells
    for cell in cells:
        assert cell.wrong <= most, cell


def test_a_difference_far_beyond_the_noise_is_next_to_always_seen(cells):
    for cell in cells:
        if cell.true == 2.0 and not math.isinf(cell.found):
            assert cell.words["faster"] >= 0.95 * TRIALS, cell


def test_what_is_stated_to_be_found_is_found(cells):
    """The power is derived from every ratio at once; at a larger ratio it is called as often."""
    for cell in cells:
        if cell.true > 1.05 * cell.found:
            assert cell.words["faster"] >= 0.85 * TRIALS, cell


def test_more_runs_find_less_on_a_calm_machine_and_call_it_the_same(cells):
    calm = [cell for cell in cells if (cell.machine, cell.true) == ("1%", 1.0)]
    assert [cell.found for cell in calm[1:]] == sorted((c.found for c in calm[1:]), reverse=True)
    assert calm[0].words["same"] == 0
    assert calm[-1].words["same"] > 0.9 * TRIALS


def test_dirty_runs_say_no_more_than_none(cells):
    dirty = {cell.threshold for cell in cells if cell.machine == "dirty runs"}
    assert dirty == {UNSEEN.noise()}


def without_numbers(page):
    return re.sub(r"[\d,.]+%?|none", "#", page)


def test_the_committed_page_is_what_the_command_writes(cells):
    committed = (ROOT / "reports" / "verdicts.md").read_text("utf-8")
    assert without_numbers(committed) == without_numbers(to_page(cells))
    assert "Written by `python -m bench trials --trials 1000 --seed 1989`." in committed
    _, wrong, found, verdicts = committed.split("\n## ")
    for line in wrong.splitlines():
        for share in re.findall(r"([\d.]+)% (?=\|)", line)[1:]:
            assert float(share) <= 100 * STATED, line
    assert found.count("\n| ") == 2 + len(MACHINES)
    for line in verdicts.splitlines():
        if re.search(r"% \|$", line):
            words = [int(cell.replace(",", "")) for cell in line.split("|")[4:8]]
            assert sum(words) == 1000
            assert float(line.split("|")[8].strip(" %")) <= 100 * STATED


def test_the_command_writes_the_page_or_prints_it(tmp_path, monkeypatch, capsys):
    def typed(*arguments):
        monkeypatch.setattr("sys.argv", ["bench", "trials", *arguments])
        return main()

    out = tmp_path / "page.md"
    assert typed("--trials", "1", "--out", str(out)) == 0
    assert typed("--trials", "1") == 0
    assert capsys.readouterr().out == out.read_text("utf-8")
    assert typed("--trials", "1", "--out", str(tmp_path)) == 0
    assert (tmp_path / "verdicts.md").read_text("utf-8") == out.read_text("utf-8")
    assert typed("--trials", "1", "--out", str(out / "below")) == 2
    with pytest.raises(SystemExit, match="2"):
        typed("--trials", "0")


# --- row by row ---------------------------------------------------------------------------------


def peak(mib, seed=0):
    """A row of a question that nobody knows, in bytes."""
    return factory.row("peak-memory", mib * 2**20, seed=seed, unit="B", engine="eager")


@pytest.fixture
def read(tmp_path):
    """Write files of machines, changed as their functions do, and read them all."""

    def read(**changes):
        for name, (speed, change) in changes.items():
            content = factory.result(name, speed)
            change(content["benchmarks"])
            factory.write(tmp_path, content)
        return results.read(str(tmp_path))

    return read


def nothing(rows):
    pass


def row_of(table, question, **others):
    for name, value in {"question": question, **others}.items():
        table = table[table[name] == value]
    (row,) = table.to_dict("records")
    return row


def test_a_notebook_compares_two_machines_row_by_row(read):
    runs = read(laptop=(1.0, nothing), station=(1.5, nothing))
    table = results.compare(runs, "laptop", "station")
    row = row_of(table, "sgd-queued", engine="eager", threads="1")
    assert row["speed"] == pytest.approx(1.5, rel=0.02)
    assert row["speed"] == pytest.approx(row["baseline_value"] / row["other_value"])
    assert row["low"] < row["speed"] < row["high"]
    assert (row["verdict"], row["unit"], row["kind"]) == (
        "faster",
        "seconds per presentation",
        "network",
    )
    for name in ("batch", "baseline_value", "other_value", "speed", "low", "high", "threshold"):
        assert table[name].dtype == float
    assert not [name for name in table if f"{name}" not in results.compare.__doc__]
    back = results.compare(runs, "station", runs.runs[0])
    assert set(back["verdict"]) == {"slower", "unclear"}
    source = runs.runs[1].source
    assert results.compare(runs, "laptop", source).equals(table)


def test_who_is_not_there_is_one_line_with_what_is_near(read):
    runs = read(laptop=(1.0, nothing), station=(1.5, nothing))
    with pytest.raises(UserError, match=r"'labtop' is no machine and no file .* mean: laptop"):
        results.compare(runs, "labtop", "station")


def test_bytes_are_judged_as_bytes_and_an_unknown_question_by_the_largest_noise(read):
    runs = read(
        laptop=(1.0, lambda rows: rows.append(peak(900))),
        station=(1.0, lambda rows: rows.append(peak(300, seed=1))),
    )
    row = row_of(results.compare(runs, "laptop", "station"), "peak-memory")
    assert (row["verdict"], row["unit"]) == ("smaller", "bytes per round")
    assert pd.isna(row["kind"])
    assert row["speed"] == pytest.approx(3.0, rel=0.05)
    back = row_of(results.compare(runs, "station", "laptop"), "peak-memory")
    assert back["verdict"] == "larger"
    known = results.noise(runs)[["threshold_network", "threshold_machine"]]
    assert row["threshold"] >= known.min().min()


def test_equal_sizes_are_honest_and_nobody_elses_work_changes_them(read):
    """An allocator gives the same bytes in every round, engine and run; no clock would."""

    def held(mib):
        def add(rows):
            for device in ("cpu", "cuda"):
                row = factory.retimed(peak(mib), [mib * 2.0**20] * 30)
                row["fullname"] += device
                row["extra_info"]["device"] = device
                row["extra_info"]["watch"][0] |= {"other_cpu_seconds": 1e12}
                rows.append(row)

        return add

    runs = read(laptop=(1.0, held(900)), station=(1.0, held(900)), tower=(1.0, held(300)))
    assert runs.rows["sound"].all()
    for other, verdict in (("station", "same"), ("tower", "smaller")):
        table = results.compare(runs, "laptop", other, same_within=0.2)
        assert table["verdict"][table["question"] == "peak-memory"].tolist() == 2 * [verdict]


def test_no_bytes_have_no_ratio_and_are_no_time(read):
    def empty(rows):
        rows.append(factory.retimed(peak(1), [0.0] * 30))

    runs = read(laptop=(1.0, empty), station=(1.0, empty))
    (left_out,) = Matched(runs, tuple(runs.newest), ("A", "B")).alone()
    assert left_out == ("peak-memory · eager · cpu · 1 thread", "0 B has no ratio")


def test_rows_in_other_units_are_not_compared(read):
    def seconds(rows):
        rows.append(factory.row("peak-memory", 1.0, engine="eager"))

    runs = read(laptop=(1.0, lambda rows: rows.append(peak(900))), station=(1.0, seconds))
    assert "peak-memory" not in set(results.compare(runs, "laptop", "station")["question"])


def test_a_doubt_forbids_any_verdict(read):
    def disturb(rows):
        rows[1]["extra_info"]["watch"][0] |= {"other_cpu_seconds": 1e3}

    runs = read(laptop=(1.0, nothing), station=(3.0, disturb))
    row = row_of(
        results.compare(runs, "laptop", "station"), "sgd-queued", engine="eager", threads="1"
    )
    assert row["verdict"] == "unclear"
    assert row["reason"].startswith("B: another process used")


def test_a_margin_is_a_share_above_0_and_decides_what_is_the_same(read):
    runs = read(laptop=(1.0, nothing), station=(1.0, nothing))
    said = [set(results.compare(runs, "laptop", "station", same_within=within)["verdict"])
            for within in (0.05, 0.3)]  # fmt: skip
    assert said == [{"unclear"}, {"same", "unclear"}]
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(UserError, match="give a share above 0"):
            results.compare(runs, "laptop", "station", same_within=wrong)


def test_noise_is_a_line_a_machine(read):
    table = results.noise(read(laptop=(1.0, nothing), station=(1.5, nothing)))
    assert table["machine"].tolist() == ["laptop", "station"]
    assert set(table["runs"]) == {0}
    assert set(table["threshold_network"]) == {UNSEEN.noise()}
    assert not [name for name in table if name not in results.noise.__doc__]


def test_a_row_that_is_not_told_says_what_it_would_take():
    def takes(speed, half, noises):
        ends = tuple(np.array([speed * f]) for f in (1, 1 / (1 + half), 1 + half))
        ((runs,), (longer,)) = needed(ends, np.array(noises)[:, None], 0.05)
        return runs, longer

    falling = [0.15, 0.12, 0.08, 0.04, 0.03, 0.02]
    assert takes(1.0, 0.15, falling) == (MORE[3], 1)
    assert takes(1.1, 0.15, falling) == (MORE[2], 1)
    assert takes(1.0, 0.15, [0.15] * 6) == (None, 1)
    assert takes(1.0, 0.09, [0.02] * 6) == (0, 5)
    assert takes(1.0, 0.9, [0.02] * 6)[1] > LONGER[-1]

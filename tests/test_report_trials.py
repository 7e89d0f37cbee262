"""The verdict is wrong as seldom as is stated, and the page that says so is the command's own."""

import re

import pytest
from scipy.stats import binom

from bench.report.verdicts.trials import NOISES, RATIOS, STATED, few_runs, trial_table
from bench.report.verdicts.trials_page import to_page
from tests.commands import ROOT, run

TRIALS = 100


@pytest.fixture(scope="module")
def cells():
    return trial_table(TRIALS, seed=7)


def test_no_cell_is_wrong_more_often_than_stated(cells):
    assert len(cells) == len(NOISES) * len(RATIOS)
    most = binom.ppf(1 - 1e-4, TRIALS, STATED)  # more, at the stated rate, once in 10,000 tests
    for cell in cells:
        assert cell.wrong <= most, cell


def test_a_difference_far_beyond_the_noise_is_next_to_always_seen(cells):
    for cell in cells:
        if cell.true == 2.0:
            assert cell.words["faster"] >= 0.99 * TRIALS, cell


def test_equal_calm_machines_are_called_the_same(cells):
    (cell,) = [cell for cell in cells if (cell.noise, cell.true) == ("1%", 1.0)]
    assert cell.words["same"] > 0.9 * TRIALS


def without_numbers(page):
    return re.sub(r"[\d,.]+%?", "#", page)


def test_the_committed_page_is_what_the_command_writes(cells):
    committed = (ROOT / "reports" / "verdicts.md").read_text("utf-8")
    assert without_numbers(committed) == without_numbers(to_page(cells, few_runs(5)))
    assert "Written by `python -m bench trials --trials 1000 --seed 1989`." in committed
    main_table = committed.partition("## Fewer runs")[0]
    for line in main_table.splitlines():
        if re.search(r"\d \|$|% \|$", line):
            words = [int(cell.replace(",", "")) for cell in line.split("|")[4:8]]
            assert sum(words) == 1000
            assert float(line.split("|")[8].strip(" %")) <= 100 * STATED


def test_the_command_writes_the_page_or_prints_it(tmp_path):
    out = tmp_path / "page.md"
    assert run("bench", "trials", "--trials", "1", "--out", str(out)).returncode == 0
    printed = run("bench", "trials", "--trials", "1")
    assert printed.stdout == out.read_text("utf-8")
    assert run("bench", "trials", "--trials", "0").returncode == 2
    assert run("bench", "trials", "--trials", "1", "--out", str(tmp_path)).returncode == 2

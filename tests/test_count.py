"""Counts: three ways that agree, and an error where they do not."""

import json
import sys

import pytest

from bench.measuring.workload import workload
from tests.commands import run, run_here
from zipnet import count, paper
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989


def test_json_has_the_totals_under_their_names():
    result = run_here("zipnet", "count", "--json")
    assert result.stderr == ""
    assert json.loads(result.stdout) == {
        "units": 1256,
        "connections": 64660,
        "params": 9760,
        "macs": 63660,
        "activations": 1000,
        "step_macs": 171780,
    }


@pytest.mark.parametrize(("by", "width"), [(run, ()), (run_here, ("--width", "3"))])
def test_table_adds_up_column_by_column(by, width):
    result = by("zipnet", "count", *width)
    assert result.stderr == ""  # fvcore's remarks do not reach the user
    rows = [line.replace(",", "").split() for line in result.stdout.splitlines()]
    rows = {
        row[0]: [int(cell) for cell in row[1:]]
        for row in rows
        if len(row) > 1 and row[0] != "layer"
    }
    layers = [rows[name] for name in ("H1", "H2", "H3", "out")]
    sums = [sum(column) for column in zip(*layers, strict=True)]
    sums[0] += rows["input"][0]
    assert sums == rows["total"]


def test_a_machine_without_fvcore_measures_the_same_workload(monkeypatch):
    with_it = workload()
    for name in ("fvcore", "fvcore.nn"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setattr("bench.measuring.workload.find_spec", lambda name: None)
    assert workload() == with_it
    with pytest.raises(UserError, match="fvcore is not installed"):
        count.counted(KARPATHY_1989)


@pytest.mark.parametrize("what", ["params", "macs", "activations", "step_macs"])
def test_disagreement_is_an_error_that_gives_both_figures(monkeypatch, what):
    true = paper.total
    monkeypatch.setattr(paper, "total", lambda of, width: true(of, width) + (of == what))
    with pytest.raises(count.Disagreement, match=r"closed form says"):
        count.counted(KARPATHY_1989)

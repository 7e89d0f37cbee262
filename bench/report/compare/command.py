"""From the arguments of `compare` to what it prints and its exit code."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Final

import numpy as np

from bench.report import outputs
from bench.report.compare.contestants import choose, enter
from bench.report.compare.tables import NAMED, WIDTH, names_of, text, to_csv, to_json
from zipnet.errors import EXIT_USAGE, UserError, shown
from zipnet.results.noise import UNSTEADY, nulls
from zipnet.results.verdict import Comparison, compared

FINE: Final = 0
SLOWER: Final = 1
NOTHING: Final = 3
UNSURE: Final = 4

PERCENT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%")


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    limit = arguments.limit
    allowed = None if limit is None else percentage("--fail-if-slower", limit)
    margin = percentage("--same-within", arguments.margin)
    if not margin:
        raise UserError(f"--same-within {shown(arguments.margin)}: nothing lies within it; try 5%")
    if out := arguments.out and Path(arguments.out):
        outputs.make(out)
    contestants, runs, bad = enter(arguments.contestants, arguments.results)
    for line in bad:
        print(f"python -m bench compare: {line}", file=sys.stderr)
    if len(contestants) < 2:
        only = f"only {contestants[0].label}" if contestants else "nobody"
        raise UserError(f"{only} to compare; give two result files, folders or machines")
    contestants = choose(contestants, arguments.baseline)
    competing = [contestant.run for contestant in contestants]
    tested = nulls(runs, competing, {run.name for run in competing})
    labels = [contestant.label for contestant in contestants]
    names = names_of(labels)
    found = [
        compared(runs, (competing[0], other), tested, (names[0], name), margin)
        for other, name in zip(competing[1:], names[1:], strict=True)
    ]
    if arguments.json:
        print(to_json(found, labels, tested))
    elif arguments.csv:
        print(to_csv(found, labels), end="")
    else:
        columns, every_row = shutil.get_terminal_size((WIDTH, 24)).columns, arguments.rows
        for line in text(found, labels, names, tested, every_row=every_row, columns=columns):
            print(line)
    if out:
        _draw(found, labels, out)
    code, rows = exit_code(found, allowed)
    if rows:
        told = "slower" if code == SLOWER else "it cannot be told whether slower"
        more = f"; and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
        print(f"python -m bench compare: {told} by more than {limit}: "
              f"{'; '.join(rows[:NAMED])}{more}", file=sys.stderr)  # fmt: skip
    return EXIT_USAGE if bad else code


def _draw(found: Sequence[Comparison], labels: Sequence[str], out: Path) -> None:
    """The verdicts as a figure; matplotlib is loaded by whoever asks for one."""
    from bench.report.figures import drawn
    from bench.report.figures.ratios import ratio_plot

    figure = drawn("compare", ratio_plot(found, labels))
    outputs.write_all(out, {**figure.files, "compare-narrow.svg": figure.narrow})
    print(f"figure: {out / 'compare.svg'}, .png; for a phone compare-narrow.svg", file=sys.stderr)


def percentage(option: str, text: str) -> float:
    """A share, written as a percentage, so that 5 is never 500%."""
    found = PERCENT.fullmatch(text)
    if found is None:
        raise UserError(f"{option} {shown(text)}: write a percentage, such as 5%")
    return float(found[1]) / 100


def exit_code(found: Sequence[Comparison], allowed: float | None) -> tuple[int, list[str]]:
    """0 fine, 1 too slow, 3 nothing to compare, 4 not to be told; and the rows that decided it.

    Slower by 5% means that the same work takes 5% more time. A row is slower for certain where even
    the near end of its interval is, the one kindest to the machine, and not so for certain where
    even the far end is not. Each row is a claim of its own, wrong in about 1 of 40 cases: of many
    rows, one may fail by chance. A row of too few rounds by its very question, such as a whole
    training, is asked nothing; one that was disturbed could have been slower.
    """
    if not any(comparison.matched.keys for comparison in found):
        return NOTHING, []
    slower: list[str] = []
    unsure: list[str] = []
    if allowed is not None:
        for one in found:
            for these, more in zip((slower, unsure), _against(one, allowed), strict=True):
                these += more
    if slower:
        return SLOWER, slower
    poor = all(one.rows["forbidden"].all() for one in found)
    return (UNSURE if unsure or poor else FINE), unsure


def _against(one: Comparison, allowed: float) -> tuple[list[str], list[str]]:
    """The rows that are slower by more than is allowed for certain, and those that may be."""
    rows, disturbed = one.rows, one.matched.runs.columns["disturbed"][one.matched.rows]
    least, most = (1 / rows[end] - 1 for end in ("high", "low"))
    certain = (rows["verdict"] == "slower") & (least > allowed)
    told = certain | (most <= allowed) & (rows["threshold"] < UNSTEADY)
    may = (rows["counted"] == "s") & np.where(rows["forbidden"], disturbed.any(axis=0), ~told)
    slower, unsure = (compress(one.matched.keys, which.tolist()) for which in (certain, may))
    return [key.text for key in slower], [key.text for key in unsure]

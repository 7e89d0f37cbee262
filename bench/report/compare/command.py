"""From the arguments of `compare` to what it prints and its exit code."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final

from bench.report.compare.contestants import choose, enter
from bench.report.compare.tables import names_of, text, to_csv, to_json
from zipnet.errors import EXIT_USAGE, UserError, shown
from zipnet.results.noise import nulls
from zipnet.results.verdict import Comparison, compared

FINE: Final = 0
SLOWER: Final = 1
NOTHING: Final = 3
UNSURE: Final = 4

PERCENT: Final = re.compile(r"(\d{1,6}(?:\.\d{1,6})?)%")


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    allowed = None if arguments.limit is None else limit(arguments.limit)
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
        compared(runs, (competing[0], other), tested, (names[0], name))
        for other, name in zip(competing[1:], names[1:], strict=True)
    ]
    if arguments.json:
        print(to_json(found, labels, tested))
    elif arguments.csv:
        print(to_csv(found, labels), end="")
    else:
        for line in text(found, labels, names, tested, every_row=arguments.rows):
            print(line)
    return EXIT_USAGE if bad else exit_code(found, allowed)


def limit(text: str) -> float:
    """The share that --fail-if-slower allows: written as a percentage, so that 5 is never 500%."""
    found = PERCENT.fullmatch(text)
    if found is None:
        raise UserError(f"--fail-if-slower {shown(text)}: write a percentage, such as 5%")
    return float(found[1]) / 100


def exit_code(found: Sequence[Comparison], allowed: float | None) -> int:
    """0 fine, 1 too slow, 3 nothing to compare, 4 rows too poor, or no null test.

    Slower by 5% means that the same work takes 5% more time. The near end of the interval counts,
    the one kindest to the machine. Each row is a claim of its own, wrong in about 1 of 40 cases:
    of many rows, one may fail by chance.
    """
    if not any(comparison.matched.keys for comparison in found):
        return NOTHING
    for rows in (comparison.rows for comparison in found):
        slower = rows["high"][rows["verdict"] == "slower"]
        if allowed is not None and (1 / slower - 1 > allowed).any():
            return SLOWER
    sure = (~rows["forbidden"] & (rows["threshold"] > 0) for rows in (c.rows for c in found))
    return FINE if any(rows.any() for rows in sure) else UNSURE

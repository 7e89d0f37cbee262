"""`python -m bench compare`: from its arguments to what it prints and its exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence

from bench.report.compare.comparison import Comparison, compare
from bench.report.compare.contestants import choose, enter
from bench.report.compare.machine_readable import to_csv, to_json
from bench.report.compare.outcome import exit_code, limit
from bench.report.compare.tables import (
    DETAILED,
    closing,
    names_of,
    overview,
    pair_table,
    side_by_side,
    summary,
)
from bench.report.verdicts.null import Null, nulls
from zipnet.errors import EXIT_USAGE, UserError


def run(arguments: argparse.Namespace) -> int:
    """Compare, print, and return the exit code."""
    allowed = None if arguments.limit is None else limit(arguments.limit)
    field = enter(arguments.contestants, arguments.results)
    for line in field.bad:
        print(f"python -m bench compare: {line}", file=sys.stderr)
    if len(field.contestants) < 2:
        only = f"only {field.contestants[0].label}" if field.contestants else "nobody"
        raise UserError(f"{only} to compare; give two result files, folders or machines")
    contestants = choose(field.contestants, arguments.baseline)
    tested = nulls(field.runs, [contestant.file for contestant in contestants])
    names = names_of(contestants)
    found = [
        compare(contestants[0], other, tested, (names[0], name))
        for other, name in zip(contestants[1:], names[1:], strict=True)
    ]
    if arguments.json:
        print(to_json(found, tested))
    elif arguments.csv:
        print(to_csv(found), end="")
    else:
        for line in _lines(found, names, tested, every_row=arguments.rows):
            print(line)
    return EXIT_USAGE if field.bad else exit_code(found, allowed)


def _lines(
    found: Sequence[Comparison],
    names: Sequence[str],
    tested: Mapping[str, Null],
    *,
    every_row: bool,
) -> Iterator[str]:
    few = len(names) <= DETAILED
    if few:
        yield from overview(found, names, tested)
    else:
        yield from summary(found)
    if few and len(found) > 1 and not every_row:
        yield from side_by_side(found, names)
    elif few or every_row:
        for comparison, name in zip(found, names[1:], strict=True):
            yield from pair_table(comparison, (names[0], name))
    if few or every_row:
        yield from closing(found, everything=every_row)

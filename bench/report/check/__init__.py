"""Does a file agree with itself, and with the files beside it? What reading it alone cannot see.

A finding is one line for a person: what is said and why it cannot be. Findings about a row make
the row invalid: no page, figure or comparison reads a number from it, and the finding itself
never quotes a timing. Findings about the file as a whole are shown beside what it says, and keep
it out of comparisons.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.check import clock, duplicates, rates, stated, work, workload
from bench.report.records import ResultFile, Row

RowFindings = list[list[str]]  # one list a row, in the order of the file


def findings(file: ResultFile) -> list[str]:
    """Everything about the file that cannot be right; empty where it is sound."""
    rows = zip(file.rows, row_findings(file), strict=True)
    return [*file_findings(file), *(f"{row.fullname}: {line}" for row, found in rows
                                    for line in found)]  # fmt: skip


def file_findings(file: ResultFile) -> list[str]:
    """What is wrong with the file as a whole."""
    return list(workload.findings(file))


def row_findings(file: ResultFile) -> RowFindings:
    """What is wrong with each row."""
    twice = duplicates.within(file.rows)
    found = [[*_alone(row, file), *twice[at]] for at, row in enumerate(file.rows)]
    sound = [row for row, lines in zip(file.rows, found, strict=True) if not lines]
    beyond = rates.findings(sound, file.machine)
    for row, lines in zip(file.rows, found, strict=True):
        if not lines:
            lines += beyond.get(row.fullname, ())
    return found


def _alone(row: Row, file: ResultFile) -> Iterator[str]:
    yield from stated.findings(row)
    yield from clock.findings(row)
    yield from work.findings(row, file)

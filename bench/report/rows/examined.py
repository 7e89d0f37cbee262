"""One file as everything after this sees it: sound rows as measures, unsound ones by name only.

What is wrong with a row is found once, here, and from then on nobody can read a number from it:
it has no measure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bench.report.check import file_findings, row_findings
from bench.report.records import ResultFile, Row
from bench.report.rows.measures import Measure, derive, who


@dataclass(frozen=True)
class Excluded:
    """A row that a finding makes invalid: what it is and why, and none of its numbers."""

    fullname: str
    question: str
    who: str
    reason: str


@dataclass(frozen=True)
class Examined:
    """A file, its sound rows, its unsound ones, and what is wrong with it as a whole."""

    file: ResultFile
    measures: tuple[Measure, ...]
    excluded: tuple[Excluded, ...]
    findings: tuple[str, ...]

    @property
    def lines(self) -> list[str]:
        """Everything that is wrong, each as one line."""
        return [*self.findings, *(f"{row.fullname}: {row.reason}" for row in self.excluded)]


def examine(file: ResultFile) -> Examined:
    """Check a file and derive what its sound rows say."""
    found = row_findings(file)
    sound = [row for row, lines in zip(file.rows, found, strict=True) if not lines]
    excluded = [_excluded(row, lines) for row, lines in zip(file.rows, found, strict=True) if lines]
    return Examined(file, tuple(derive(file, sound)), tuple(excluded), tuple(file_findings(file)))


def examine_all(files: Iterable[ResultFile]) -> list[Examined]:
    """Check each file by itself, then against the others."""
    return without_shared_timings([examine(file) for file in files])


def without_shared_timings(found: Sequence[Examined]) -> list[Examined]:
    """Exclude rows whose very timings stand in another file too.

    A copy of a whole run keeps its rows in the file that comes first. Otherwise nobody can say
    whose they are, and they are excluded on all sides.
    """
    holders: dict[str, list[int]] = {}
    for at, one in enumerate(found):
        for measure in one.measures:
            if measure.fingerprint is not None:
                holders.setdefault(measure.fingerprint, []).append(at)
    shared = {mark: where for mark, where in holders.items() if len(where) > 1}
    return (
        [_without(one, at, shared, found) for at, one in enumerate(found)] if shared else [*found]
    )


def _without(
    one: Examined, at: int, shared: dict[str, list[int]], found: Sequence[Examined]
) -> Examined:
    kept, excluded = [], list(one.excluded)
    for measure in one.measures:
        where = shared.get(measure.fingerprint or "")
        other = next((w for w in where or () if w != at), None)
        if where is None or other is None or (at == where[0] and _copies(where, found)):
            kept.append(measure)
            continue
        reason = f"holds the very timings of {found[other].file.source}"
        excluded.append(_excluded(measure.row, [reason]))
    return replace(one, measures=tuple(kept), excluded=tuple(excluded))


def _copies(where: Sequence[int], found: Sequence[Examined]) -> bool:
    """Whether all of these files are one run, by machine and time."""
    return len({(found[at].file.machine.name, found[at].file.written) for at in where}) == 1


def _excluded(row: Row, reasons: Sequence[str]) -> Excluded:
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return Excluded(row.fullname, row.question, who(row), reasons[0] + more)

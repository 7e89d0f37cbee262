"""What a reader should know before trusting a run: each line ends with what to try."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from bench.report.records import ResultFile
from bench.report.rows.examined import Examined
from bench.report.rows.measures import Measure
from bench.report.rows.quality import FEW, SLOWER_CLOCK

BUSY_SHARE: Final = 0.4  # of the logical cores; below it may be what the run itself had just set up


def cautions(found: Examined) -> list[str]:
    """Collect from the run as a whole, its state, its rows and the checker."""
    file = found.file
    return [
        *_run(file),
        *_state(file),
        *_doubts(found.measures),
        *_rows(found.measures),
        *(f"check: {line}" for line in found.findings),
        *_excluded(found),
    ]


def _run(file: ResultFile) -> list[str]:
    lines = []
    if file.status == "interrupted":
        lines.append("The run was interrupted: what is missing was not measured. Run it again.")
    if file.scope == "part":
        lines.append("A part of the benchmarks was asked for, or some failed; see what is absent.")
    if file.profile == "quick":
        lines.append("Quick profile: few rounds a row. For firm numbers use standard or full.")
    if file.dataset != "usps":
        lines.append(
            f"Trained on {file.dataset}, not on the zip-code digits: the speed holds, the misses "
            "do not compare with those of 1989. Fetch usps."
        )
    return lines


def _state(file: ResultFile) -> list[str]:
    lines: list[str] = []
    if file.schema > 1:
        return lines  # each row was watched, and says what happened meanwhile
    # A load of the minute before holds the run's own start: it is asked only where nothing else is.
    load, cores = file.before.load_1min, file.machine.logical_cores
    if load is not None and cores and load > BUSY_SHARE * cores:
        lines.append(
            f"The machine was busy before the run (load {load:g} on {cores} cores). "
            "Close what else runs."
        )
    if "battery" in (file.before.power, file.after.power):
        lines.append("On battery, where clocks are often held down. Plug it in.")
    before, after = file.before.cpu_mhz, file.after.cpu_mhz
    if before and after and after < SLOWER_CLOCK * before:
        lines.append(
            f"The processor's clock fell from {before:g} to {after:g} MHz. Let it cool, and try a "
            "fixed clock."
        )
    return lines


def _doubts(measures: Sequence[Measure]) -> list[str]:
    """One line for all rows: the table says which. Few rounds are what the profile asked for."""
    found = Counter(d.kind for m in measures for d in m.doubts if d.kind != FEW)
    if not found:
        return []
    remedies = {doubt.kind: doubt.remedy for m in measures for doubt in m.doubts}
    rows = sum(any(doubt.kind != FEW for doubt in m.doubts) for m in measures)
    counts = ", ".join(f"{kind} {count}" for kind, count in found.most_common())
    return [
        f"{rows} of {len(measures)} rows are in doubt ({counts}); the table of rows says which. "
        + remedies[found.most_common(1)[0][0]]
    ]


def _rows(measures: Sequence[Measure]) -> list[str]:
    return [f"{m.row.fullname}: {warning}" for m in measures for warning in m.row.warnings]


def _excluded(found: Examined) -> list[str]:
    """The first of the rows that are left out; all of them stand below the table of rows."""
    if not found.excluded:
        return []
    first, rows = found.excluded[0], len(found.excluded)
    return [
        f"check: {rows} of {rows + len(found.measures)} rows cannot be right and are left out; "
        f"{first.fullname}: {first.reason}. Measure again, and keep files as they were written."
    ]

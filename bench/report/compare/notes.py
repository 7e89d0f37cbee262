"""In what two files differ besides their machines: nothing that forbids, all that explains."""

from __future__ import annotations

from collections.abc import Iterator

from bench.report.records import ResultFile


def notes(one: ResultFile, other: ResultFile, names: tuple[str, str]) -> Iterator[str]:
    """One line for each thing in which the files differ or fall short."""
    for what, left, right in (
        ("schema", one.schema, other.schema),
        ("workload", str(one.workload["hash"])[:12], str(other.workload["hash"])[:12]),
        ("commit", (one.commit or "unknown")[:8], (other.commit or "unknown")[:8]),
        ("torch", one.software.get("torch"), other.software.get("torch")),
        ("profile", one.profile, other.profile),
        ("digits", one.dataset, other.dataset),
        ("all threads", one.machine.logical_cores, other.machine.logical_cores),
        ("precision", _dtypes(one), _dtypes(other)),
    ):
        if left != right:
            yield f"{what}: {left or 'unknown'} in {names[0]}, {right or 'unknown'} in {names[1]}"
    if one.dataset == other.dataset and one.dataset_sha256 != other.dataset_sha256:
        yield f"digits: both are called {one.dataset} and differ"
    for file, name in ((one, names[0]), (other, names[1])):
        if file.status == "interrupted":
            yield f"{name} was interrupted: what it lacks was not measured"
        if file.profile == "quick":
            yield f"{name} is of the quick profile: few rounds a row, wide intervals"


def _dtypes(file: ResultFile) -> str:
    return ", ".join(sorted({row.dtype for row in file.rows if row.shows_digits and row.dtype}))

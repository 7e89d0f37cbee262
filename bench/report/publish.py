"""From result files to a folder of reports; each output whole or not at all."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from bench.report.figures import draw_all
from bench.report.files.library import Library
from bench.report.pages.index import to_html
from bench.report.pages.markdown import to_markdown
from bench.report.pages.runs import Run, runs
from bench.report.pages.summary import to_csv
from bench.report.rows.measures import Measure
from bench.report.verdicts.null import nulls
from zipnet.atomic import replacing
from zipnet.errors import UserError, shown


def publish(library: Library, out: Path) -> list[Run]:
    """Write figures, index.html, README.md and summary.csv into `out`, and return the runs."""
    _make(out)
    found = runs(library.examined, out)
    newest = [measure for run in found if run.newest for measure in run.measures]
    figures = list(draw_all(newest))
    tested = nulls([run.found for run in found])
    outputs = {
        "index.html": to_html(found, figures, library.bad, tested).encode(),
        "README.md": to_markdown(found, figures, library.bad, tested).encode(),
        **{f"{drawn.name}.svg": drawn.svg for drawn in figures},
        **{f"{drawn.name}.png": drawn.png for drawn in figures},
    }
    _write(out, outputs, (measure for run in found for measure in run.measures))
    return found


def write(path: Path, content: bytes) -> None:
    """Write one file whole or not at all; a UserError says why it cannot be written."""
    try:
        with replacing(path) as file:
            file.write(content)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UserError(
            f"{shown(str(path))} cannot be written: {reason}; choose another with --out"
        ) from None


def _make(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(out, error) from None


def _write(out: Path, outputs: dict[str, bytes], measures: Iterable[Measure]) -> None:
    try:
        for name, content in outputs.items():
            with replacing(out / name) as file:
                file.write(content)
        with replacing(out / "summary.csv") as file:
            text = io.TextIOWrapper(file, "utf-8", newline="")
            to_csv(measures, text)
            text.detach()
    except OSError as error:
        raise _unwritable(out, error) from None


def _unwritable(out: Path, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or error
    return UserError(
        f"reports folder {shown(str(out))} cannot be written: {reason}; choose another with --out"
    )

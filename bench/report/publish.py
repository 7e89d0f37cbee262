"""From result files to a folder of reports; each output whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path

from bench.report.figures import draw_all
from bench.report.pages.fill import to_html, to_markdown
from bench.report.pages.sections import Report, headline, sections
from bench.report.pages.summary import to_csv
from zipnet.atomic import replacing
from zipnet.errors import UserError, shown
from zipnet.results.noise import nulls
from zipnet.results.runs import Runs


def publish(runs: Runs, out: Path) -> str:
    """Write figures, index.html, README.md and summary.csv into `out`, and return the headline."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise _unwritable(out, error) from None
    rows = runs.rows
    figures = list(draw_all(rows[rows["newest"] & rows["sound"]]))
    report = Report(headline(runs), runs, sections(runs, out), figures, nulls(runs))
    outputs = {
        "index.html": to_html(report).encode(),
        "README.md": to_markdown(report).encode(),
        **{f"{drawn.name}.svg": drawn.svg for drawn in figures},
        **{f"{drawn.name}.png": drawn.png for drawn in figures},
    }
    try:
        for name, content in outputs.items():
            with replacing(out / name) as file:
                file.write(content)
        with replacing(out / "summary.csv") as file:
            text = io.TextIOWrapper(file, "utf-8", newline="")
            to_csv(rows, text)
            text.detach()
    except OSError as error:
        raise _unwritable(out, error) from None
    return report.headline


def write(path: Path, content: bytes) -> None:
    """Write one file whole or not at all; a UserError says why it cannot be written."""
    try:
        with replacing(path) as file:
            file.write(content)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error, "") from None


def _unwritable(path: Path, error: Exception, what: str = "reports folder ") -> UserError:
    reason = getattr(error, "strerror", None) or error
    return UserError(
        f"{what}{shown(str(path))} cannot be written: {reason}; choose another with --out"
    )

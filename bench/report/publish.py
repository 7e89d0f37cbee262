"""From result files to a folder of reports; each output whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import IO

from bench.report import outputs
from bench.report.factorial import factorial
from bench.report.figures import draw_all, drawn
from bench.report.figures.learning import choices_plot, plots_of
from bench.report.learned import reproduction
from bench.report.pages.fill import to_html, to_learning, to_markdown, to_questions
from bench.report.pages.sections import Report, headline, link, sections
from bench.report.pages.summary import to_csv
from zipnet.results.noise import nulls
from zipnet.results.price import QUESTION as PRICE
from zipnet.results.price import prices, stand_for_prices
from zipnet.results.road import roads
from zipnet.results.roofs import roofed
from zipnet.results.runs import Runs


def publish(runs: Runs, out: Path) -> str:
    """Write figures, index.html, the Markdown pages and summary.csv; returns the headline."""
    outputs.make_for_report(out)
    rows = runs.rows
    stand = rows["newest"].where(rows["question"] != PRICE, stand_for_prices(runs))
    shown = rows[stand & rows["sound"]]
    figures = list(draw_all(shown))
    found, asked = reproduction(runs), factorial(runs)
    learning = [drawn(*named) for named in plots_of(found).items()] if found else []
    report = Report(
        headline(runs),
        runs,
        sections(runs, out),
        figures,
        nulls(runs),
        prices(shown),
        roads(shown),
        found,
        learning,
        asked,
        [one for one in roofed(shown) if one.nearest],
    )

    def summary(file: IO[bytes]) -> None:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        to_csv(rows, text)
        text.detach()

    pages = {"index.html": to_html(report).encode(), "README.md": to_markdown(report).encode()}
    if found:
        pages["learning.md"] = to_learning(report, link(found.run.place.path, out)).encode()
    if asked:
        figures.append(figure := drawn("questions", choices_plot(asked)))
        told = to_questions(asked, figure, link(asked.run.place.path, out))
        pages["questions.md"] = told.encode()
    files = {
        name: content for each in (*figures, *learning) for name, content in each.files.items()
    }
    outputs.write_all(out, {**pages, **files, "summary.csv": summary})
    return report.headline

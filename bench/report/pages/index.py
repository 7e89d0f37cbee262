"""index.html: one page that needs nothing else, on a phone or a desk, in light or dark.

The templates are autoescaped; the figures are the only markup that passes unescaped, and they
are drawn by us, through an XML writer that escapes what it is given.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

import jinja2
from markupsafe import Markup

from bench.report import wording
from bench.report.figures import Drawn
from bench.report.figures.palette import SCHEMES
from bench.report.pages.embedded import compare_data, runs_data, to_script
from bench.report.pages.runs import Run, headline, learned, side_by_side
from bench.report.pages.svg import inline
from bench.report.records import State
from bench.report.statistics.stats import Estimate
from bench.report.verdicts.null import Null
from zipnet import paper

TEMPLATES: Final = Path(__file__).with_name("templates")
SCRIPTS: Final = ("words.js", "machines.js", "verdict.js", "compare.js", "start.js")
DETAILED: Final = 24  # runs shown in full: the newest of each machine first
TABLE: Final = 50  # runs of the table that stand there without JavaScript
BAD: Final = 200  # files named that could not be read


def to_html(
    runs: Sequence[Run], figures: Sequence[Drawn], bad: Sequence[str], tested: Mapping[str, Null]
) -> str:
    """Fill the template."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "duration": wording.duration,
        "quantity": wording.quantity,
        "times": wording.times,
        "percent": wording.percent,
        "significant": wording.significant,
        "question": wording.question,
        "interval": interval,
        "cut": wording.cut,
        "state": state,
        "number": "{:,}".format,
    }
    ordered = sorted(runs, key=_by_time)
    detailed = sorted(ordered, key=lambda run: not run.newest)[:DETAILED]
    sections = {id(run): at for at, run in enumerate(detailed, start=1)}
    compared = compare_data([run.found for run in runs], tested)
    script = scripts()
    return environment.get_template(
        "index.html"
    ).render(
        runs=runs,
        table=[(run, sections.get(id(run))) for run in ordered[:TABLE]],
        detailed=detailed,
        headline=headline(runs),
        learned=learned,
        side_by_side=side_by_side,
        figures=[(d, Markup(inline(d.svg, d.name, d.alt))) for d in figures],  # noqa: S704
        schemes=SCHEMES,
        bad=bad[:BAD],
        unnamed=len(bad[BAD:]),
        nulls=list(tested.values())[:TABLE],
        paper=paper,
        runs_data=to_script(runs_data(ordered, sections)),
        compare_data=to_script(compared) if len(compared["machines"]) > 1 else None,
        machines_compared=len(compared["machines"]),
        left_out=compared["left_out"],
        script=script,
        script_hash=f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}",
    )


def scripts() -> Markup:
    """All of the page's JavaScript, ours to the letter: the page's policy names its hash."""
    parts = [(TEMPLATES / name).read_text("utf-8") for name in SCRIPTS]
    return Markup("\n".join(['"use strict";', *parts]))  # noqa: S704


def _by_time(run: Run) -> float:
    """Fastest first; runs that do not say are last."""
    return run.fastest.seconds.median if run.fastest else math.inf


def state(readings: State) -> dict[str, str]:
    """Readings of a machine's state as words: memory_available 6e9 -> memory available 5.59 GiB."""
    told = {key: value for key, value in readings._asdict().items() if value is not None}
    return {key.replace("_", " "): _reading(key, value) for key, value in told.items()}


def _reading(key: str, value: float | str) -> str:
    if isinstance(value, str):
        return value
    if key == "memory_available":
        return f"{wording.significant(value / 2**30)} GiB"
    return f"{value:g}"


def interval(estimate: Estimate, unit: str = "duration") -> str:
    """The 95% interval of an estimate, or why there is none."""
    if estimate.low is None or estimate.high is None:
        return "too few rounds"
    shown = wording.duration if unit == "duration" else wording.quantity
    return f"{shown(estimate.low)} to {shown(estimate.high)}"

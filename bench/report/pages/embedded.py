"""What index.html carries for its scripts: JSON that no text in it can break out of.

Columns, not records: a page of ten thousand files stays below 5 MB. Text that repeats is kept
once, a time has seven digits, and the newest sound run speaks for a machine where two are compared.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pandas as pd
from markupsafe import Markup

from bench.report.compare.tables import disagreements, facts
from bench.report.pages.sections import Section
from bench.report.wording import question, who
from zipnet import paper
from zipnet.results.match import ALL, keyed, like, likeness
from zipnet.results.noise import FLOOR, MARGIN, UNSEEN, UNSTEADY, NullTest, Scale, nulls
from zipnet.results.runs import Run, Runs
from zipnet.results.statistics import Floats
from zipnet.results.verdict import LONGER, MORE

DIGITS: Final = 7  # of a time; more than any machine repeats
MOST_ROWS: Final = 80_000  # that are compared; some 35 bytes each

# What HTML or JavaScript could take for something else, inside a string where JSON has all of it.
ESCAPES: Final = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def to_script(value: Any) -> Markup:
    """JSON for a <script type="application/json">."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(ESCAPES))  # noqa: S704 (nothing is left to escape)


def shared(texts: Iterable[str | None]) -> dict[str, Any]:
    """A column of text for a script: every text once, and its number in each place; -1 is none."""
    codes, words = pd.factorize(np.array(list(texts), object))
    return {"at": codes.tolist(), "words": words.tolist()}


def rounded(value: float) -> float | None:
    """A number for a script, with seven significant digits; None for NaN."""
    return None if math.isnan(value) else float(f"{value:.{DIGITS}g}")


def runs_data(sections: Sequence[Section], numbered: Mapping[int, int]) -> dict[str, Any]:
    """Every run as the table of machines shows it; numbered: by id() of a section, its number."""
    links = {_links(section) for section in sections}
    return {
        "sun": paper.SUN_TRAINING_SECONDS,
        "links": links.pop() if len(links) == 1 else None,
        "runs": columns_of([_run(one, numbered.get(id(one), 0)) for one in sections]),
    }


def _run(section: Section, number: int) -> dict[str, Any]:
    run, fastest, learned = section.run, section.fastest, section.learned
    folder, slash, name = run.source.rpartition("/")
    return {
        "machine": run.name,
        "who": fastest and who(fastest),
        "seconds": fastest and rounded(fastest.training_seconds),
        "known": fastest and fastest.training_kind,
        "test": learned and learned.test_misses,
        "train": learned and learned.train_misses,
        "written": run.about.datetime[:10],
        "dirty": run.dirty,
        "folder": folder + slash,
        "name": name,
        "section": number,
    }


def compare_data(runs: Runs) -> dict[str, Any]:
    """The newest sound run of each machine, as far as there is room; the newest machines first."""
    columns, keys, tested = runs.columns, keyed(runs), nulls(runs, runs.newest)
    newest = sorted(runs.newest, key=lambda run: run.about.datetime, reverse=True)
    room = np.cumsum([run.end - run.begin for run in newest]) <= MOST_ROWS
    chosen = sorted(newest[: int(room.sum())], key=lambda run: run.name)
    kept = [keys.of_run(run)[0] for run in chosen]
    at = np.array([row for rows in kept for row in rows.values()], int)
    of_row = {name: column[at] for name, column in columns.items()}
    many = map(likeness, of_row["question"].tolist(), like(of_row).tolist())
    terms = [of_row[name].tolist() for name in ("kind", "unit", "per")] + [[*many]]
    asked: list[Any] = list(zip((key for rows in kept for key in rows), *terms, strict=True))
    entries: list[Any] = sorted(set(asked), key=lambda entry: (entry[0].order(), entry[1:]))
    index, names = {entry: at for at, entry in enumerate(entries)}, [entry[0] for entry in entries]
    with np.errstate(divide="ignore", invalid="ignore"):
        ends = of_row["value"] / of_row["low"], of_row["high"] / of_row["value"]
        each = [rounded(value) for value in of_row["value"] / of_row["works"]]
        parts: list[list[Any]] = [each, *map(millionths, ends)]
    forbidden = shared(of_row["forbidden"])
    parts.append([at + 1 for at in forbidden["at"]])
    layouts: dict[tuple[int, ...], int] = {}  # most machines answer the same questions
    machines = []
    for run, (begin, end) in zip(chosen, pairwise(np.cumsum([0, *map(len, kept)])), strict=True):
        layout = tuple(index[one] for one in asked[begin:end])
        number, rows = layouts.setdefault(layout, len(layouts)), [part[begin:end] for part in parts]
        machines.append(_machine(runs, run, tested) | {"layout": number, "rows": rows})
    return {
        "keys": columns_of([
            {"key": names.index(key), "text": key.text, "asked": question(key.question),
             "line": key.line, "all": key.threads == ALL,
             "kind": kind or "", "unit": unit, "per": per, "many": many}
            for key, kind, unit, per, many in entries
        ]),
        "layouts": list(layouts),
        "forbidden": [None, *forbidden["words"]],
        "machines": columns_of(machines),
        "left_out": len(newest) - len(chosen),
        "rule": {"floor": FLOOR, "margin": MARGIN, "unsteady": UNSTEADY, "more": MORE,
                 "longer": LONGER, "unseen": _noise(UNSEEN)},
    }  # fmt: skip


def _machine(runs: Runs, run: Run, tested: Mapping[str, NullTest]) -> dict[str, Any]:
    """A run that is compared: what it is, and in what two of them may differ besides their rows."""
    return {
        "name": run.name,
        "source": run.source,
        "noise": {kind: _noise(scale) for kind, scale in tested[run.name].scales.items()},
        "disagrees": [*disagreements(tested[run.name])],
        "dirty": run.dirty,
        "interrupted": run.about.status == "interrupted",
        "invalid": len(runs.excluded(run)),
        **facts(runs, run),
        "digits, by their hash": run.about.dataset.sha256[:12],
    }


def _noise(scale: Scale) -> list[float | None]:
    """How far apart equal rows are found, after MORE further runs."""
    return [rounded(scale.noise(more)) for more in MORE]


def columns_of(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Columns of records, each of texts or of anything else."""
    names = list(records[0]) if records else []
    columns = {name: [record[name] for record in records] for name in names}
    return {
        name: shared(column) if any(isinstance(value, str) for value in column) else column
        for name, column in columns.items()
    }


def millionths(ratios: Floats) -> list[int]:
    """How far an interval reaches, in millionths of a natural logarithm; -1: there is none."""
    logs = 1e6 * np.log(ratios)
    found: list[int] = np.where(np.isfinite(logs), np.round(logs), -1).astype(int).tolist()
    return found


def _links(section: Section) -> str | None:
    """What stands before a source to make it a link, as encodeURIComponent would write it."""
    path = quote(section.run.source, safe="/!*'()")
    link = section.link
    return link.removesuffix(path) if link and link.endswith(path) else None

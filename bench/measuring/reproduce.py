"""python -m bench reproduce: every training of which somebody published a figure, and some more."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.measuring import machine
from bench.measuring.journal import Journal
from bench.measuring.trainings import Treatment, finish, save
from zipnet import data, paper
from zipnet.errors import choice
from zipnet.recipe import named

QUESTION: Final = "reproduction"
JOURNAL: Final = "trainings.journal"  # in the machine's folder of results
ARTICLE: Final = "as-printed"
ARTICLES: Final = 4  # times the seeds: five figures of one training are to lie within their range
# Recipe, digits, start: what was published, then what tells how much each change does.
PLAN: Final = (
    *((one.recipe, one.data, "seed") for one in paper.REPORTED),
    ("1989", "mnist-2022", "2022"),
    ("1989", "usps", "seed"),
    ("as-printed-1998", "usps", "seed"),
    ("micro-vit", "usps", "seed"),
)


def treatments(digits: str | None, only: Sequence[str] | None) -> list[Treatment]:
    """What is trained; digits: by name, instead of those that each figure was published for."""
    known = list(dict.fromkeys(recipe for recipe, _, _ in PLAN))
    wanted = [choice("--only: recipe", name, known) for name in only or known]
    if digits is not None:
        digits = data.load(choice("--data", digits, data.NAMES)).name
    plan = dict.fromkeys((recipe, digits or on, start) for recipe, on, start in PLAN)
    return [Treatment(QUESTION, named(recipe), on, start, ARTICLES if recipe == ARTICLE else 1)
            for recipe, on, start in plan if recipe in wanted]  # fmt: skip


def reproduce(seeds: int, digits: str | None, only: Sequence[str] | None, results: Path) -> str:
    """Train all of it, as far as the journal has it not, and return the path of the result file."""
    journal = Journal(results / machine.identity().name / JOURNAL)
    return save(finish(treatments(digits, only), seeds, journal), results)

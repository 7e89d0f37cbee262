"""python -m bench questions: choices that the article leaves open, each tried with the others.

A full factorial on the article's digits: every combination of the levels below, each with the same
seeds, so that an effect is a difference of means and not of one lucky start. Learning rates are
those of the recipes that each optimizer comes from, tuned for no combination; output biases start
at 0 throughout. Which planes of H1 each plane of H2 sees is Karpathy's guess throughout; other
schemes are tried with plain SGD and tanh, from both starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, Final, get_args

import msgspec

from bench.measuring import machine
from bench.measuring.journal import Journal
from bench.measuring.reproduce import JOURNAL
from bench.measuring.trainings import Treatment, finish, save
from zipnet import data
from zipnet.errors import choice
from zipnet.recipe import AS_PRINTED, KARPATHY_1989, Recipe, Scheme

QUESTION: Final = "choices"
UNITS: Final = ("tanh", "scaled_tanh")
STARTS: Final = ("root", "fan-in")
OPTIMIZERS: Final = {"sgd": KARPATHY_1989, "pseudo-newton": AS_PRINTED}
SCHEMES: Final = get_args(Scheme)[1:]  # blocks are in the grid


def recipes() -> Iterator[Recipe]:
    """Every combination, by a name that says it."""
    levels: Any = product(OPTIMIZERS, UNITS, STARTS)
    for optimizer, units, start in levels:
        yield replace(
            OPTIMIZERS[optimizer],
            name=f"{optimizer}, {units}, {start}",
            activation=units,
            output=units,
            init=start,
            output_bias=0.0,
        )


def schemes() -> Iterator[Recipe]:
    """The grid's plain SGD and tanh, by every other scheme."""
    for scheme, recipe in product(SCHEMES, recipes()):
        if (recipe.optimizer, recipe.activation) == ("sgd", "tanh"):
            yield replace(recipe, name=f"{recipe.name}, {scheme}", scheme=scheme)


def answer(seeds: int, digits: str, results: Path) -> str:
    """Train all of them, as far as the journal has them not; returns the result file's path."""
    on = data.load(choice("--data", digits, data.NAMES)).name
    journal = Journal(results / machine.identity().name / JOURNAL)
    asked = [Treatment(QUESTION, recipe, on) for recipe in (*recipes(), *schemes())]
    finished = finish(asked, seeds, journal)
    for one in (one for ended in finished.values() for one in ended):  # only ends are compared
        one.learned = msgspec.structs.replace(
            one.learned, train_curve=[], test_curve=[], misread=[]
        )
    return save(finished, results)

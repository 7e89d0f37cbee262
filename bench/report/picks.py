"""Which rows stand for an engine on a device: what figures, headlines and tables pick alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pandas as pd

from zipnet.results.runs import WHO

FEW_MACHINES: Final = 2  # that have a line each


def best(rows: pd.DataFrame, question: str) -> pd.DataFrame:
    """The better thread count of each engine and device for one question, least first.

    It has one more column, `each`: the value of one presentation, MAC, byte or round, in `unit`.
    """
    asked = rows[(rows["question"] == question) & (rows["value"] > 0)]
    asked = asked.assign(each=asked["value"] / asked["works"])
    return asked.sort_values("each", kind="stable").drop_duplicates(WHO)


def trainings(rows: pd.DataFrame) -> pd.DataFrame:
    """The row that says how long each engine and device takes for the run of 1989, shortest first.

    Measured rows are preferred to projected ones, even where another thread count might be faster.
    """
    said = rows[rows["training_seconds"] > 0]
    said = said.assign(projected=said["training_kind"] != "measured")
    said = said.sort_values(["projected", "training_seconds"], kind="stable").drop_duplicates(WHO)
    return said.sort_values("training_seconds", kind="stable")


def answering(rows: pd.DataFrame, questions: Sequence[str]) -> pd.DataFrame:
    """One row for each engine and device that answers any of the questions, the first that it does.

    Those of the first question come first, each question's least first.
    """
    return pd.concat([best(rows, question) for question in questions]).drop_duplicates(WHO)


def whose(rows: pd.DataFrame) -> list[str]:
    """The columns that tell one line from another; the machines of a crowd share their lines."""
    return WHO[1:] if crowded(rows) else WHO


def crowded(rows: pd.DataFrame) -> bool:
    """Whether there are too many machines for a line each: one has marks for all of them."""
    return bool(rows["machine"].nunique() > FEW_MACHINES)

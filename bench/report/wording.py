"""Numbers and names as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any, Final

from zipnet.results import schema
from zipnet.results.price import Toll
from zipnet.results.units import amount as amount
from zipnet.results.units import percent as percent
from zipnet.results.units import quantity as quantity
from zipnet.results.units import significant as significant

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "|", "%")  # OWASP, CSV injection
TIMES: Final = "\N{MULTIPLICATION SIGN}"
HASH: Final = 6  # the last characters of a machine's name, which tell it from its like

duration: Final = partial(amount, unit="s")


def interval(low: float | None, high: float | None, unit: str = "s") -> str:
    """A 95% interval, or why there is none."""
    if low is None or high is None:
        return "too few rounds"
    return f"{amount(low, unit)} to {amount(high, unit)}"


def span(low: float | None, high: float | None) -> str:
    """The interval of a ratio."""
    if low is None or high is None:
        return "no interval"
    return f"{significant(low)} to {significant(high)}"


def times(ratio: float, digits: int = 2) -> str:
    """How many times faster. Two digits: the three days of 1989 are one remark, not a timing."""
    return f"{significant(ratio, digits)}{TIMES}"


def counted(count: int | None, word: str) -> str:
    """1 thread, 2 threads; of None nothing."""
    return "" if count is None else f"{count} {word}{'' if count == 1 else 's'}"


def cut(text: str, limit: int, end: int = 0) -> str:
    """Shorten what would not fit; so many of its last characters stay."""
    return text if len(text) <= limit else text[: limit - 1 - end] + "…" + text[len(text) - end :]


def called(machine: str, limit: int = 44) -> str:
    """A machine's name cut to the room there is, in its middle."""
    return cut(machine, limit, min(HASH, limit // 4))


def limits(about: schema.ResultFile) -> str | None:
    """To what part of the machine a run was held; None where the file does not say."""
    if about.limits is None:
        return None
    affinity, quota = about.limits.affinity, about.limits.quota
    logical = about.machine_info.cpu.logical_cores
    held = [
        f"affinity to {affinity} of {logical} cores" if affinity and affinity != logical else "",
        f"quota of {significant(quota)} cores" if quota else "",
    ]
    return ", ".join(filter(None, held)) or "none"


def environment(about: schema.ResultFile) -> str | None:
    """The variables that were set and change speeds; None where the file does not say."""
    if about.environment is None:
        return None
    return ", ".join(f"{name}={value}" for name, value in about.environment.items()) or "none"


def joined(parts: Iterable[str | None], between: str = " \N{MIDDLE DOT} ") -> str:
    """The parts that are there, with a middle dot between."""
    return between.join(part for part in parts if part)


def toll(found: Toll | None) -> str:
    """What a level of error took: 0.28 s, 13 passes; how many trainings, where not all did."""
    if found is None or found.seconds is None or found.passes is None:
        return "not reached" if found else ""
    of = f"{found.reached} of {found.trainings}"
    some = of if found.reached < found.trainings else ""
    return joined((f"{duration(found.seconds)}, {found.passes:,.0f} passes", some))


def who(row: Any) -> str:
    """Engine, device, threads and ranks of a record of rows."""
    return joined(
        (row.engine, row.device, counted(row.threads, "thread"), counted(row.world, "rank"))
    )


def question(name: str, unknown: str = "unknown question: ") -> str:
    """What a question asks, in words; one that we do not know is said to be unknown."""
    known = schema.QUESTIONS.get(name)
    return known.words if known else unknown + name


def cell(value: str | float | None) -> str:
    """A cell of a CSV file: nine digits say all a timing knows; text that a spreadsheet would run
    gets an apostrophe.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9g}"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text

"""Numbers and names as a person reads them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
TIMES: Final = "\N{MULTIPLICATION SIGN}"

QUESTIONS: Final = {
    "sgd-synced": "per-example SGD, a wait after each step",
    "sgd-queued": "per-example SGD, steps queued",
    "fullbatch": "full batch, one step on all digits",
    "sweep": "one step, at every size of batch",
    "inference-one": "recognise one digit, wait",
    "inference-all": "recognise all test digits at once",
    "training": "the training run of 1989, 23 passes",
    "replicas": "whole trainings side by side",
    "first-step-cold": "from nothing to the first step, caches empty",
    "first-step-warm": "from nothing to the first step, caches warm",
    "floor-empty": "floor: the harness alone",
    "floor-sync": "floor: waiting for an idle device",
    "floor-launch": "floor: one smallest operation, wait",
    "floor-copy-digit": "floor: one digit to the device, wait",
    "floor-fma": "peak: multiply-adds in registers",
    "floor-gemm": "peak: matrix product",
    "floor-bandwidth": "peak: copy within memory",
}


def significant(value: float, digits: int = 3) -> str:
    """Round to so many significant digits, with thousands separated: 1234.5 -> 1,230."""
    if not value:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    if abs(rounded) >= 1e15 or abs(rounded) < 1e-9:
        return f"{rounded:.{digits - 1}e}"
    exponent = int(f"{rounded:e}".partition("e")[2])
    decimals = max(0, digits - 1 - exponent)
    return f"{rounded:,.{decimals}f}"


def duration(seconds: float) -> str:
    """A time in the unit that suits it: 12.3 us, 0.75 s, 29.3 min, 3 days."""
    for unit, size in (("days", DAY), ("h", HOUR), ("min", MINUTE)):
        if seconds >= 2 * size:
            return f"{significant(seconds / size).removesuffix('.00')} {unit}"
    if seconds >= 0.1:
        return f"{significant(seconds)} s"
    for unit, size in (("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= 0.1 * size * (1 if unit == "µs" else 10):
            return f"{significant(seconds / size)} {unit}"
    return f"{significant(seconds / 1e-9)} ns"


def quantity(value: float, digits: int = 3) -> str:
    """A count or rate with the letter of its size: 12.5 M, 107 G."""
    for letter, size in (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e4)):
        if value >= size:
            return f"{significant(value / (1e3 if letter == 'k' else size), digits)} {letter}"
    return significant(value, digits)


def times(ratio: float) -> str:
    """How many times faster. Two digits: the three days of 1989 are one remark, not a timing."""
    return f"{significant(ratio, 2)}{TIMES}"


def percent(share: float) -> str:
    """A share of something, with no more digits than it deserves."""
    return f"{significant(100 * share, 2)}%"


def threads(count: int | None) -> str:
    """CPU threads; nothing on an accelerator."""
    if count is None:
        return ""
    return f"{count} thread" if count == 1 else f"{count} threads"


def cut(text: str, limit: int) -> str:
    """Shorten what would not fit."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def joined(parts: Iterable[str | None]) -> str:
    """The parts that are there, with a middle dot between."""
    return " · ".join(part for part in parts if part)


def question(name: str) -> str:
    """What a question asks, in words; a question we do not know keeps its name."""
    return QUESTIONS.get(name, name)

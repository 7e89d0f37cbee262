"""Numbers as a person reads them: with no more digits than they deserve, in the unit that suits."""

from __future__ import annotations

from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR
# By what is counted: from which value on, in which unit, and how large that is. A page's scripts
# have the same table.
UNITS: Final[dict[str, tuple[tuple[float, str, float], ...]]] = {
    "s": ((2 * DAY, "days", DAY), (2 * HOUR, "h", HOUR), (2 * MINUTE, "min", MINUTE),
          (0.1, "s", 1), (1e-3, "ms", 1e-3), (1e-7, "µs", 1e-6), (0, "ns", 1e-9)),
    "B": (*((2.0**power, unit, 2.0**power) for power, unit in
            ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"))), (0, "B", 1)),
    "J": ((1e6, "MJ", 1e6), (1e3, "kJ", 1e3), (0.1, "J", 1), (1e-4, "mJ", 1e-3), (0, "µJ", 1e-6)),
    "quantity": ((1e12, "T", 1e12), (1e9, "G", 1e9), (1e6, "M", 1e6), (1e4, "k", 1e3), (0, "", 1)),
}  # fmt: skip


def significant(value: float, digits: int = 3) -> str:
    """Round to so many significant digits, with thousands separated: 1234.5 -> 1,230."""
    if not value:
        return "0"
    rounded = float(f"{value:.{digits - 1}e}")
    if abs(rounded) >= 1e15 or abs(rounded) < 1e-9:
        return f"{rounded:.{digits - 1}e}"
    exponent = int(f"{rounded:e}".partition("e")[2])
    return f"{rounded:,.{max(0, digits - 1 - exponent)}f}"


def percent(share: float) -> str:
    """A share of something."""
    return f"{significant(100 * share, 2)}%"


def amount(value: float, unit: str, digits: int = 3) -> str:
    """A value in the unit that suits it: 12.3 µs, 3 days, 1.25 GiB; one that is not in UNITS keeps
    its name.
    """
    if unit not in UNITS:
        return f"{value:.3g} {unit}".rstrip()
    of_all = UNITS[unit]
    _, name, one = next((each for each in of_all if value >= each[0]), of_all[-1])
    text = significant(value / one, digits)
    return f"{text.removesuffix('.00') if name in ('days', 'h', 'min') else text} {name}".rstrip()


def quantity(value: float, digits: int = 3) -> str:
    """A count or rate with the letter of its size: 12.5 M, 107 G."""
    return amount(value, "quantity", digits)

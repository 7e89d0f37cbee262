"""The border: untyped JSON becomes typed values here, or a UserError says why not.

A message names the file, the field, what was found and what was expected. Text is cleaned as it
passes: every string inside the report is one line without control or direction characters, so
that no later page, table or figure has to think of them.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zipnet.errors import UserError, shown

MAX_TEXT: Final = 2_000  # characters; the longest honest field is an error message
# Unicode's categories of characters that are invisible, unassigned or turn the writing direction.
HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@functools.lru_cache(4096)  # a fleet says the same few thousand words, a million times
def plain(text: str) -> str:
    """Fold whitespace and replace every hidden character by a visible mark."""
    folded = " ".join(text.split())
    if folded.isascii() and folded.isprintable():
        return folded
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in HIDDEN else c for c in folded
    )


def found(value: Any) -> str:
    """A value for a message, short however large the value is."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"text of {len(value)} characters"
    return shown(value)


def _is_number(value: Any) -> bool:
    # JSON has exactly these types; an int has 64 bits at most (strict_json.py). bool is an int to
    # Python and never a number to us.
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _are_sizes(values: list[Any]) -> bool:
    """Whether all are floats, finite and not below 0: a quick yes for most lists there are."""
    return set(map(type, values)) == {float} and min(values) >= 0 and math.isfinite(sum(values))


def _are_counts(values: list[Any], least: int) -> bool:
    """Whether all are whole numbers, none too small: a quick yes as well."""
    return set(map(type, values)) == {int} and min(values) >= least


@dataclass(slots=True)  # and not frozen, which takes longer to make: a file has a thousand
class Fields:
    """One JSON object whose fields are asked for by name and type.

    The methods ending in _or_none accept null and absence; the others do not. Where the object
    lies in the file is put together only when a message needs it.
    """

    values: Mapping[str, Any]
    file: str
    within: Fields | None = None
    key: str | int = ""  # of the object within another, or its place in a list of objects

    @classmethod
    def of(cls, value: Any, file: str) -> Fields:
        """Take what a file holds, which must be an object."""
        if type(value) is not dict:
            raise UserError(f"{file}: holds {found(value)}; expected an object")
        return cls(value, file)

    @property
    def path(self) -> str:
        """Where in the file it is; empty for the whole of it."""
        if self.within is None:
            return ""
        return self.within.name(self.key)

    def name(self, key: str | int) -> str:
        """Where in the file a field of it is."""
        if isinstance(key, int):
            return f"{self.path}[{key}]"
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self.values.get(key) is not None

    def says(self, key: str) -> bool:
        """Whether the field is more than null or empty text."""
        return self.values.get(key) not in (None, "")

    def wrong(self, key: str, expected: str) -> UserError:
        """Build the error that says what this field holds and what it should hold."""
        what = f"is {found(self.values[key])}" if key in self.values else "is missing"
        return UserError(f"{self.file}: {self.name(key)} {what}; expected {expected}")

    def text(self, key: str) -> str:
        """One line of text, cleaned, not empty."""
        value = self.values.get(key)
        if isinstance(value, str) and len(value) <= MAX_TEXT and (line := plain(value)):
            return line
        raise self.wrong(key, f"text of 1 to {MAX_TEXT} characters")

    def text_or_none(self, key: str) -> str | None:
        """As text(); None where the field is null or absent."""
        return None if self.values.get(key) is None else self.text(key)

    def integer(self, key: str, least: int = 0) -> int:
        """A whole number, at least `least`."""
        value = self.values.get(key)
        if type(value) is int and least <= value:  # and never a bool
            return value
        raise self.wrong(key, f"a whole number of at least {least}")

    def integer_or_none(self, key: str, least: int = 0) -> int | None:
        """As integer(); None where the field is null or absent."""
        return None if self.values.get(key) is None else self.integer(key, least)

    def number(self, key: str) -> float:
        """A finite number, at least 0."""
        value = self.values.get(key)
        if type(value) is float and 0 <= value < math.inf:
            return value
        if type(value) is int and value >= 0:
            return float(value)
        raise self.wrong(key, "a finite number of at least 0")

    def number_or_none(self, key: str) -> float | None:
        """As number(); None where the field is null or absent."""
        return None if self.values.get(key) is None else self.number(key)

    def numbers_or_none(self, *keys: str) -> list[float | None]:
        """Several fields as number_or_none(); most are sizes, and a file has thousands."""
        found = []
        for key in keys:
            value = self.values.get(key)
            if value is not None and not (type(value) is float and 0 <= value < math.inf):
                value = self.number(key)
            found.append(value)
        return found

    def integers(self, key: str, least: int = 0) -> tuple[int, ...]:
        """A list of whole numbers, each at least `least`, with at least one of them."""
        values = self._list(key)
        if not values:
            raise self.wrong(key, "a list of at least one whole number")
        if _are_counts(values, least):
            return tuple(values)
        return tuple(self._as_one(key, value).integer(key, least) for value in values)

    def numbers(self, key: str) -> tuple[float, ...]:
        """A list of finite numbers, each at least 0, with at least one of them."""
        values = self.values.get(key)
        if not isinstance(values, list) or not values:
            raise self.wrong(key, "a list of at least one number")
        if _are_sizes(values):
            return tuple(values)
        for at, value in enumerate(values):
            if not _is_number(value) or value < 0:
                raise UserError(
                    f"{self.file}: {self.name(key)}[{at}] is {found(value)}; "
                    "expected a finite number of at least 0"
                )
        return tuple(map(float, values))

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of lines of text; absent is empty."""
        return tuple(self._as_one(key, value).text(key) for value in self._list(key))

    def fields(self, key: str) -> Fields:
        """An object inside this one."""
        value = self.values.get(key)
        if type(value) is dict:
            return Fields(value, self.file, self, key)
        raise self.wrong(key, "an object")

    def fields_or_none(self, key: str) -> Fields | None:
        """As fields(); None where the field is null or absent."""
        return None if self.values.get(key) is None else self.fields(key)

    def each(self, key: str) -> Iterator[Fields]:
        """The objects of a list; absent is empty."""
        every = Fields({}, self.file, self, key)
        for at, value in enumerate(self._list(key)):
            if type(value) is not dict:
                raise UserError(
                    f"{self.file}: {every.name(at)} is {found(value)}; expected an object"
                )
            yield Fields(value, self.file, every, at)

    def scalars(self) -> dict[str, str]:
        """The fields that are text or numbers, as cleaned text: for facts that are only shown."""
        found: dict[str, str] = {}
        for key, value in self.values.items():
            if isinstance(value, str):
                found[plain(key)[:MAX_TEXT]] = plain(value[:MAX_TEXT])
            elif _is_number(value):
                found[plain(key)[:MAX_TEXT]] = str(value)
        return found

    def _list(self, key: str) -> list[Any]:
        value = self.values.get(key, [])
        if not isinstance(value, list):
            raise self.wrong(key, "a list")
        return value

    def _as_one(self, key: str, value: Any) -> Fields:
        """One item of a list, as if it were the field."""
        return Fields({key: value}, self.file, self.within, self.key)

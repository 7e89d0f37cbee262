"""Source: a data set's name, the ways to come by it, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zipnet.data import cache
from zipnet.data.digits import Digits
from zipnet.errors import UserError, how_to_install


def _not_given() -> None:
    """For a source that no file in ZIPNET_DATA can stand for."""


@dataclass(frozen=True)
class Source:
    """One data set.

    version: of its preparation; raise it when the preparation changes, so that arrays which an
        older zipnet cached are left alone.
    build: downloads or draws the digits.
    given: reads what the user laid into ZIPNET_DATA, or returns None where nothing lies.
    """

    name: str
    version: int
    build: Callable[[], Digits]
    given: Callable[[], Digits | None] = _not_given

    def at_hand(self) -> Digits | None:
        """The user's own file, else the cache's; None where neither has the data set."""
        return self.given() or cache.read(self.name, self.version)

    def load(self) -> Digits:
        """What is at hand first, and only then the work of building."""
        try:
            return self.at_hand() or self._built()
        except ModuleNotFoundError as error:
            raise UserError(
                f"{self.name}: needs the library {error.name}, which is not installed; "
                f"{how_to_install('data')}"
            ) from error

    def _built(self) -> Digits:
        digits = self.build()
        cache.write(digits, self.version)
        return digits

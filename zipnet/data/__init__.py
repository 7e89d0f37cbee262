"""The digits: usps (the real ones), mnist (stand-ins), fonts (printed, without any network).

    digits = load("auto")  # Digits: x (n, 1, 16, 16) float32 in [-1, 1], y (n,) uint8

Importing this package loads numpy and the standard library; pooch, Pillow and matplotlib are
imported when data has to be fetched or drawn. The environment variables are in surroundings.py.
"""

from __future__ import annotations

from zipnet.data.digits import Digits
from zipnet.data.fetch import Unreachable
from zipnet.data.fonts import FONTS
from zipnet.data.mnist import MNIST
from zipnet.data.usps import USPS
from zipnet.errors import choice, note

__all__ = ["NAMES", "Digits", "load", "without_network"]

_SOURCES = {source.name: source for source in (USPS, *MNIST, FONTS)}
NAMES = ("auto", *_SOURCES)


def load(name: str) -> Digits:
    """Load a data set by name; auto is usps, or fonts where usps cannot be had.

    Raises UserError for an unknown name, a bad file in ZIPNET_DATA, or a failed download.
    """
    if choice("data", name, NAMES) != "auto":
        return _SOURCES[name].load()
    try:
        return USPS.load()
    except Unreachable as why:
        note(f"using fonts (printed digits) instead of usps: {why}")
        return FONTS.load()


def without_network() -> str:
    """The name to load() where nothing may be downloaded: usps if it is at hand, else fonts.

    Raises UserError for a bad file in ZIPNET_DATA.
    """
    return USPS.name if USPS.at_hand() is not None else FONTS.name

"""The colours, each for light paper and for dark.

Devices take theirs from the palette of Okabe and Ito (jfly.uni-koeln.de/color, 2008), which
stays apart under every common colour blindness; the dark values are lighter shades of the same
hues. Inside index.html each becomes a CSS variable, so a figure follows the reader's scheme.
"""

from __future__ import annotations

from typing import Final

SCHEMES: Final = {  # name of the CSS variable: (light, dark)
    "paper": ("#ffffff", "#12161c"),
    "ink": ("#1f2328", "#e6e9ed"),
    "muted": ("#59636e", "#9aa4af"),
    "grid": ("#dfe3e8", "#2d343d"),
    "accent": ("#b3400a", "#ff8a4c"),  # the machines of 1989
    "faint": ("#8c959f", "#7d8894"),  # what others published, and what links two marks
    "cpu": ("#0072b2", "#56b4e9"),
    "cuda": ("#00875f", "#2fc795"),
    "mps": ("#c2680c", "#f0a33c"),
    "xpu": ("#b0578e", "#e08fc0"),
    "other": ("#6a5acd", "#a89cf0"),
}
PAPER, INK, MUTED, GRID, ACCENT, FAINT = [light for light, _ in SCHEMES.values()][:6]
DEVICES: Final = ("cpu", "cuda", "mps", "xpu")


def of_device(device: str) -> str:
    """The colour of a device, by its kind: cuda:1 is drawn as cuda."""
    kind = device.partition(":")[0]
    return SCHEMES[kind if kind in DEVICES else "other"][0]

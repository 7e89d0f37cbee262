"""The colours, each for light paper and for dark.

Devices take theirs from the palette of Okabe and Ito (jfly.uni-koeln.de/color, 2008), which
stays apart under every common colour blindness; the dark values are lighter shades of the same
hues. Inside index.html each becomes a CSS variable, so a figure follows the reader's scheme.
"""

from __future__ import annotations

from typing import Final

PAPER: Final = "#ffffff"
INK: Final = "#1f2328"
MUTED: Final = "#59636e"
GRID: Final = "#dfe3e8"
ACCENT: Final = "#b3400a"  # the machines of 1989
FAINT: Final = "#8c959f"  # what others published, and what links two marks

DEVICES: Final = {"cpu": "#0072b2", "cuda": "#00875f", "mps": "#c2680c", "xpu": "#b0578e"}
OTHER_DEVICE: Final = "#6a5acd"

# name of the CSS variable: (light, dark)
SCHEMES: Final = {
    "paper": (PAPER, "#12161c"),
    "ink": (INK, "#e6e9ed"),
    "muted": (MUTED, "#9aa4af"),
    "grid": (GRID, "#2d343d"),
    "accent": (ACCENT, "#ff8a4c"),
    "faint": (FAINT, "#7d8894"),
    "cpu": (DEVICES["cpu"], "#56b4e9"),
    "cuda": (DEVICES["cuda"], "#2fc795"),
    "mps": (DEVICES["mps"], "#f0a33c"),
    "xpu": (DEVICES["xpu"], "#e08fc0"),
    "other": (OTHER_DEVICE, "#a89cf0"),
}


def of_device(device: str) -> str:
    """The colour of a device, by its kind: cuda:1 is drawn as cuda."""
    return DEVICES.get(device.partition(":")[0], OTHER_DEVICE)

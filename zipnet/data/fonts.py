"""fonts: printed digits, drawn from the fonts that matplotlib ships. Nothing is downloaded.

The stand-in for a machine without network. Like the zip codes, the digits are white on black,
fill their 16x16 field, and get their grey levels from area coverage; tilt, slant, size, place
and stroke vary at random, and the paper has grain. Half of the test digits are in faces that no
training digit has, as when the network of 1990 was tried on fonts it had not seen (LeCun et
al., "Handwritten Digit Recognition with a Back-Propagation Network", NIPS 2, 1990).

The drawing is seeded. Another release of Pillow or of the fonts may round an edge differently:
the hash of the data tells.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from zipnet import paper
from zipnet.data.digits import Array, Digits, Labels, Pixels, Splits
from zipnet.data.source import Source

if TYPE_CHECKING:
    from PIL.Image import Image

TRAINING_FACES: Final = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "cmr10", "cmb10", "cmss10"),
)
UNSEEN_FACES: Final = (
    *("DejaVuSansMono", "DejaVuSerif-BoldItalic", "STIXGeneralItalic"),
    *("cmtt10", "cmti10", "cmmi10"),
)
SEED: Final = 1989

# Ranges of the uniform distortions.
TILT: Final = math.radians(18)
SLANT: Final = 0.35  # horizontal shift per unit of height
WIDTH: Final = (0.75, 1.2)
HEIGHT: Final = (0.8, 1.1)
SHIFT: Final = 1.2  # in pixels of the final image
STROKE: Final = (0.2, 0.55)  # share of ink from which blurred paper counts as black: less is bolder
GRAIN: Final = 0.15

OVERSAMPLING: Final = 3  # drawn this many times finer, then averaged
CANVAS: Final = OVERSAMPLING * paper.IMAGE_SIDE
GLYPH: Final = 0.84  # longer side of an undistorted digit, as a share of the field


def draw(train: int = paper.TRAIN_DIGITS, test: int = paper.TEST_DIGITS) -> Digits:
    """Draw so many training and test digits, equally many of each class to within one."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    y_train, y_test = _classes(train, rng), _classes(test, rng)
    seen = rng.choice(TRAINING_FACES, train)
    mixed = np.where(
        np.arange(test) % 2, rng.choice(UNSEEN_FACES, test), rng.choice(TRAINING_FACES, test)
    )
    return Digits.of(
        "fonts",
        Splits(
            x_train=_drawn(seen, y_train, rng),
            y_train=y_train,
            x_test=_drawn(mixed, y_test, rng),
            y_test=y_test,
        ),
    )


def _classes(count: int, rng: np.random.Generator) -> Labels:
    return rng.permutation(np.arange(count) % paper.CLASSES).astype(np.uint8)


def _drawn(faces: Array, labels: Labels, rng: np.random.Generator) -> Pixels:
    """Distorted glyphs as (n, 16, 16) float32 in [-1, 1]."""
    from PIL.Image import Resampling, Transform

    n = len(labels)
    maps = _inverse_maps(n, rng)  # (n, 6)
    stroke = rng.uniform(*STROKE, (n, 1, 1)).astype(np.float32)
    blurred = np.stack(
        [
            np.asarray(
                _glyph(str(face), int(label)).transform(
                    (CANVAS, CANVAS), Transform.AFFINE, tuple(map_), Resampling.BILINEAR
                )
            )
            for face, label, map_ in zip(faces, labels, maps, strict=True)
        ]
    )  # (n, 48, 48) uint8
    ink = np.clip((blurred / np.float32(255) - stroke) * 4 + 0.5, 0, 1)
    side = paper.IMAGE_SIDE
    ink = ink.reshape(n, side, OVERSAMPLING, side, OVERSAMPLING).mean(axis=(2, 4))  # (n, 16, 16)
    grey = np.clip(ink + rng.uniform(-GRAIN, GRAIN, ink.shape), 0, 1)
    # Eight bits, as a scanner has; also hides the last bits in which platforms differ.
    scanned: Pixels = np.rint(255 * grey).astype(np.float32) / np.float32(127.5) - 1
    return scanned


def _inverse_maps(n: int, rng: np.random.Generator) -> Array:
    """(n, 6) maps from a place on the canvas back to the glyph, in Pillow's order a b c d e f."""
    tilt = rng.uniform(-TILT, TILT, n)
    slant = rng.uniform(-SLANT, SLANT, n)
    width, height = rng.uniform(*WIDTH, n), rng.uniform(*HEIGHT, n)
    shift = OVERSAMPLING * rng.uniform(-SHIFT, SHIFT, (n, 2))

    zero, one = np.zeros(n), np.ones(n)
    cos, sin = np.cos(tilt), np.sin(tilt)
    rotate = np.array([[cos, -sin], [sin, cos]]).transpose(2, 0, 1)
    shear = np.array([[one, slant], [zero, one]]).transpose(2, 0, 1)
    scale = np.array([[width, zero], [zero, height]]).transpose(2, 0, 1)
    inverse = np.linalg.inv(rotate @ shear @ scale)  # (n, 2, 2)

    centre = np.full(2, CANVAS / 2)
    offset = centre - (inverse @ (centre + shift)[:, :, None])[:, :, 0]  # (n, 2)
    return np.concatenate([inverse, offset[:, :, None]], axis=2).reshape(n, 6)


@functools.cache
def _glyph(face: str, digit: int) -> Image:
    """One digit, white on black, centred, size-normalised and blurred, on a square canvas."""
    from PIL import Image, ImageDraw, ImageFilter, ImageFont

    large = 3 * CANVAS
    font = ImageFont.truetype(str(_font_folder() / f"{face}.ttf"), large // 2)
    sheet = Image.new("L", (large, large))
    ImageDraw.Draw(sheet).text((large / 2, large / 2), str(digit), 255, font, anchor="mm")
    inked = sheet.crop(sheet.getbbox())
    factor = GLYPH * CANVAS / max(inked.size)
    fitted = inked.resize((round(factor * inked.width), round(factor * inked.height)))
    canvas = Image.new("L", (CANVAS, CANVAS))
    canvas.paste(fitted, ((CANVAS - fitted.width) // 2, (CANVAS - fitted.height) // 2))
    return canvas.filter(ImageFilter.GaussianBlur(CANVAS / 32))


def _font_folder() -> Path:
    import matplotlib as mpl

    return Path(mpl.get_data_path()) / "fonts" / "ttf"


FONTS: Final = Source("fonts", version=1, build=draw)

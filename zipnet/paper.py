"""The article's numbers, and what others published since, each with its source.

Two machines of 1989 are kept apart here, because they did different work: the SUN-4/260
trained the network, the DSP-32C board in a PC only recognised digits. Nothing in this project
divides one by the other.

Sources
-------
LeCun1989   Y. LeCun et al., "Backpropagation Applied to Handwritten Zip Code Recognition",
            Neural Computation 1(4), 541-551, 1989.
SN2.8       L. Bottou and Y. LeCun, help and library of the simulator SN, version 2.8, kept in Lush
            (lush.sourceforge.net, packages/sn28: sn28.hlp, lib/netenv.sn, and src/fltlib.c).
Karpathy2022  A. Karpathy, "Deep Neural Nets: 33 years ago and 33 years from now", March 2022,
            and github.com/karpathy/lecun1989-repro.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

# --- the training run -----------------------------------------------------------------------

TRAIN_DIGITS: Final = 7_291
TEST_DIGITS: Final = 2_007
PASSES: Final = 23
PRESENTATIONS: Final = PASSES * TRAIN_DIGITS  # 167,693: one weight update each

IMAGE_SIDE: Final = 16
CLASSES: Final = 10
BACKGROUND: Final = -1.0  # value of the virtual units beyond the border


# --- the network ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """One layer, in the terms of the article's figure 3.

    inputs_per_unit: fan-in of one unit, its bias not counted.
    units: outputs, each with a bias of its own (biases are never shared in this network).
    weights: free weights, fewer than connections where a plane shares its kernel.
    input_gradient_macs: multiply-accumulates of the gradient with respect to the layer's input;
        zero for H1, whose input is the image.
    """

    name: str
    units: int
    inputs_per_unit: int
    weights: int
    input_gradient_macs: int

    @property
    def macs(self) -> int:
        """Multiply-accumulates of the forward pass; padding counts, as in the article."""
        return self.units * self.inputs_per_unit

    @property
    def connections(self) -> int:
        """The article's count: every multiply-accumulate and every bias."""
        return self.macs + self.units

    @property
    def params(self) -> int:
        """Free parameters: weights and one bias a unit."""
        return self.weights + self.units

    @property
    def activations(self) -> int:
        """Outputs of the layer."""
        return self.units

    @property
    def step_macs(self) -> int:
        """One first-order step: forward, gradient of the input, gradient of the weights."""
        return 2 * self.macs + self.input_gradient_macs


def layers(width: int = 1) -> tuple[Layer, ...]:
    """The network with so many times the planes and units; an H2 plane sees 8 of 12 H1 planes."""
    k = width
    return (
        Layer("H1", 768 * k, inputs_per_unit=25, weights=12 * k * 25, input_gradient_macs=0),
        Layer("H2", 192 * k, 200 * k, weights=12 * k * 200 * k, input_gradient_macs=38_400 * k**2),
        Layer("H3", 30 * k, 192 * k, weights=5760 * k**2, input_gradient_macs=5760 * k**2),
        Layer("out", CLASSES, 30 * k, weights=300 * k, input_gradient_macs=300 * k),
    )


@lru_cache
def total(what: str, width: int = 1) -> int:
    """Sum over the layers of one of their numbers, `macs` say."""
    return sum(getattr(layer, what) for layer in layers(width))


LAYERS: Final = layers()
PARAMS: Final = total("params")
MACS: Final = total("macs")
ACTIVATIONS: Final = total("activations")
CONNECTIONS: Final = total("connections")
UNITS: Final = IMAGE_SIDE * IMAGE_SIDE + ACTIVATIONS  # the article counts the input as units
STEP_MACS: Final = total("step_macs")
CURVATURE_MACS: Final = STEP_MACS - MACS  # second derivatives go backward as the gradient does


def step_macs(*, curvature: bool, width: int = 1) -> int:
    """Multiply-accumulates of a step on one digit; curvature: with second derivatives."""
    step = total("step_macs", width)
    return step + (step - total("macs", width)) * curvature


FLOAT_BYTES: Final = 4  # float32, as every engine computes


def step_bytes(batch: int) -> int:
    """Bytes that a first-order step on so many digits has to move, however it is computed.

    Every parameter is read and written once a step; every pixel and target of a digit is read once;
    every activation is written once, forward, and read once, backward. What a cache keeps from one
    step to the next is counted all the same.
    """
    floats = 2 * PARAMS + batch * (IMAGE_SIDE**2 + CLASSES + 2 * ACTIVATIONS)
    return FLOAT_BYTES * floats


# What the article prints, for the tests to hold the closed form against (LeCun1989, section 3).
PRINTED_UNITS: Final = 1_256
PRINTED_CONNECTIONS: Final = 64_660
PRINTED_PARAMS: Final = 9_760

# "A scaled hyperbolic tangent", AMPLITUDE x tanh(STEEPNESS x a). The article prints no constants;
# these are SN2.8's: f(1) = 1, and f bends most there, so that targets of +-1 are in easy reach.
AMPLITUDE: Final = 1.71593428
STEEPNESS: Final = 2 / 3

# --- the results of 1989 (LeCun1989, section 4) -----------------------------------------------

TRAIN_MISSES: Final = 10  # 0.14% of 7,291
TEST_MISSES: Final = 102  # 5.0% of 2,007
# "Averaged over the patterns and over the output units". The simulator's cost is half the sum of
# squares, and its netenv.sn divides by the outputs when it reports: these are half MSEs.
TRAIN_LOSS: Final = 2.5e-3
TEST_LOSS: Final = 1.8e-2
ALLOWED_ERROR: Final = 1.0  # per cent of the digits that are not rejected
REJECTED: Final = 12.1  # per cent of the test digits that must be rejected to come down to it

# --- the machines of 1989 ---------------------------------------------------------------------

SUN_TRAINING_SECONDS: Final = 3 * 24 * 3600.0  # "'only' 3 days on a Sun workstation"
DSP_PEAK_MACS_PER_SECOND: Final = 12.5e6  # DSP-32C, peak, section "DSP Implementation"
DSP_DIGITS_PER_SECOND: Final = 30.0  # "more than 30", normalised digits, recognition only
DSP_CAMERA_DIGITS_PER_SECOND: Final = (10.0, 12.0)  # camera to class, PC and DSP together


@dataclass(frozen=True)
class Published:
    """A wall time somebody published for the 23 passes; a reference, never our measurement."""

    label: str
    year: int
    seconds: float
    what: str
    source: str


PUBLISHED: Final = (
    Published(
        "SUN-4/260, SN simulator",
        1989,
        SUN_TRAINING_SECONDS,
        "23 passes; one remark of one significant figure",
        "LeCun et al. 1989, Neural Computation 1(4)",
    ),
    Published(
        "tinygrad on an M2 Pro, eager",
        2023,
        1759.0,
        "23 passes and evaluations",
        "github.com/josherich/lecun1989-repro-mlx",
    ),
    Published(
        "torch on a 2-core Xeon",
        2023,
        420.0,
        "23 passes and evaluations, 'about 7 minutes'",
        "github.com/teaching-on-testbeds/deep-nets-reproducing",
    ),
    Published(
        "MLX on an M2 Pro",
        2023,
        252.9,
        "23 passes and evaluations",
        "github.com/josherich/lecun1989-repro-mlx",
    ),
    Published(
        "tinygrad on an M2 Pro, JIT",
        2023,
        189.8,
        "23 passes and evaluations",
        "github.com/josherich/lecun1989-repro-mlx",
    ),
    Published(
        "torch on an M4 MacBook Pro",
        2025,
        127.7,
        "repro.py unchanged, median of three runs, from its event files",
        "github.com/buzzillio/lecun1989-karpathy2022-revisit",
    ),
    Published(
        "torch on an M1 MacBook Air",
        2022,
        90.0,
        "repro.py, 23 passes and evaluations",
        "Karpathy 2022, 'Deep Neural Nets: 33 years ago and 33 years from now'",
    ),
)

# "33 years ago and 33 years from now": how many times the MACs of the network of 1989 a network of
# 2022 takes, and one of 2055 again if the next 33 years are as the last (Karpathy2022).
TIMES_IN_33_YEARS: Final = 10_000_000
STEP_MACS_2022: Final = STEP_MACS * TIMES_IN_33_YEARS  # of a step on one example, about 1e12


# --- what trainings were reported to end with -------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Reported:
    """What somebody reported that a training had learned; a reference, never our measurement.

    recipe, data: by the names that `python -m zipnet train` knows.
    train_misses, test_misses: of 7,291 and 2,007 digits, None where not known.
    train_error, test_error: the same in per cent, as printed.
    printed: train and test misses as they were printed, where those are not the misses: Karpathy's
        scripts print int(error * digits), which loses one where the float32 lies below.
    train_loss, test_loss: the mean squared error, or where they are `halved` half of it, as the
        article's are (see TRAIN_LOSS). Karpathy's modern.py prints as its losses the cross-entropy
        of the last training digit: those are left out.
    rejected: share of the test digits to be rejected for 1% error on the others.
    """

    recipe: str
    data: str
    train_misses: int | None = None
    test_misses: int | None = None
    train_error: float
    test_error: float
    printed: tuple[int, int] | None = None
    train_loss: float | None = None
    test_loss: float | None = None
    halved: bool = False
    rejected: float | None = None
    source: str


_ARTICLE: Final = "LeCun et al. 1989, Neural Computation 1(4)"
_REPRO: Final = "Karpathy 2022, lecun1989-repro/repro.py"
_MODERN: Final = "Karpathy 2022, lecun1989-repro/modern.py"
_BLOG: Final = "Karpathy 2022, 'Deep Neural Nets: 33 years ago and 33 years from now'"

REPORTED: Final = (
    Reported(
        recipe="as-printed",
        data="usps",
        train_misses=TRAIN_MISSES,
        test_misses=TEST_MISSES,
        train_error=0.14,
        test_error=5.0,
        train_loss=TRAIN_LOSS,
        test_loss=TEST_LOSS,
        halved=True,
        rejected=REJECTED,
        source=_ARTICLE,
    ),
    Reported(
        recipe="fully-connected",
        data="usps",
        train_error=1.6,
        test_error=8.1,
        rejected=19.4,
        source=_ARTICLE,
    ),
    Reported(
        recipe="1989",
        data="mnist-2022",
        train_misses=45,
        test_misses=82,
        train_error=0.62,
        test_error=4.09,
        train_loss=4.073383e-3,
        test_loss=2.838382e-2,
        source=_REPRO,
    ),
    Reported(
        recipe="1989",
        data="mnist-2022-twin",
        train_misses=63,
        test_misses=71,
        train_error=0.86,
        test_error=3.54,
        train_loss=5.344314e-3,
        test_loss=2.703927e-2,
        source="chenyu 2022, github.com/karpathy/lecun1989-repro/pull/3; the draw is our reading",
    ),
    Reported(
        recipe="softmax",
        data="mnist-2022",
        train_misses=0,
        test_misses=88,
        train_error=0.0,
        test_error=4.38,
        printed=(0, 87),
        source=_MODERN,
    ),
    Reported(
        recipe="adamw",
        data="mnist-2022",
        train_misses=0,
        test_misses=72,
        train_error=0.0,
        test_error=3.59,
        source=_MODERN,
    ),
    Reported(
        recipe="shift",
        data="mnist-2022",
        train_misses=124,
        test_misses=44,
        train_error=1.70,
        test_error=2.19,
        printed=(123, 43),
        source=_MODERN,
    ),
    Reported(
        recipe="dropout",
        data="mnist-2022",
        train_misses=107,
        test_misses=32,
        train_error=1.47,
        test_error=1.59,
        printed=(106, 32),
        source=_MODERN,
    ),
    Reported(
        recipe="dropout",
        data="mnist-2022-twin",
        train_misses=81,
        test_misses=40,
        train_error=1.11,
        test_error=1.99,
        printed=(80, 39),
        source="chenyu 2022, github.com/karpathy/lecun1989-repro/pull/3; the draw is our reading",
    ),
    Reported(  # 2.03% and 60 are of 3,000 training digits, it seems: 61 misses
        recipe="more-data",
        data="mnist-50000",
        test_misses=55,
        train_error=2.03,
        test_error=2.74,
        printed=(60, 54),
        train_loss=1.305315e-2,
        test_loss=1.943992e-2,
        source=_BLOG,
    ),
    Reported(  # and these 32 of 3,000
        recipe="more-data-modern",
        data="mnist-50000",
        test_misses=25,
        train_error=1.07,
        test_error=1.25,
        printed=(31, 24),
        source=_BLOG,
    ),
)

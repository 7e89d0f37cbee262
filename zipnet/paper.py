"""The article's numbers and the published wall times, each with its source.

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


LAYERS: Final = (
    Layer("H1", units=12 * 8 * 8, inputs_per_unit=25, weights=12 * 25, input_gradient_macs=0),
    Layer("H2", 12 * 4 * 4, 8 * 25, weights=12 * 8 * 25, input_gradient_macs=192 * 200),
    Layer("H3", 30, 192, weights=192 * 30, input_gradient_macs=192 * 30),
    Layer("out", 10, 30, weights=30 * 10, input_gradient_macs=30 * 10),
)

PARAMS: Final = sum(layer.params for layer in LAYERS)
MACS: Final = sum(layer.macs for layer in LAYERS)
ACTIVATIONS: Final = sum(layer.activations for layer in LAYERS)
CONNECTIONS: Final = sum(layer.connections for layer in LAYERS)
UNITS: Final = IMAGE_SIDE * IMAGE_SIDE + ACTIVATIONS  # the article counts the input as units
STEP_MACS: Final = sum(layer.step_macs for layer in LAYERS)
CURVATURE_MACS: Final = STEP_MACS - MACS  # second derivatives go backward as the gradient does

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

"""tanh, the activations and their slopes, weights as they go backward, and sums over lanes.

tanh is a rational function, an odd numerator of degree 13 over an even denominator of degree 6 (the
coefficients that Eigen uses), within a few units in the last place of the true value. Beyond
`BOUND` it is 1 to float32, so the argument is held there; a NaN passes through.
"""

from __future__ import annotations

from typing import Any

from zipnet.fused.compiling import chosen, inlined
from zipnet.fused.lanes import fill, fma, greater, lesser, where_positive
from zipnet.fused.shuffles import even_pairs, evens, highs, lows, odd_pairs, odds

AMPLITUDE, STEEPNESS = 1.71593428, 2 / 3  # SN's tanh, as in zipnet/paper.py
BOUND = 7.90531110763549805


@inlined
def tanh(x: Any) -> Any:
    """Plainly: math.tanh(x), in each lane."""
    x = greater(lesser(x, fill(x, BOUND)), fill(x, -BOUND))
    s = x * x
    p = fill(x, -2.76076847742355e-16)
    p = fma(p, s, fill(x, 2.00018790482477e-13))
    p = fma(p, s, fill(x, -8.60467152213735e-11))
    p = fma(p, s, fill(x, 5.12229709037114e-08))
    p = fma(p, s, fill(x, 1.48572235717979e-05))
    p = fma(p, s, fill(x, 6.37261928875436e-04))
    p = fma(p, s, fill(x, 4.89352455891786e-03))
    q = fill(x, 1.19825839466702e-06)
    q = fma(q, s, fill(x, 1.18534705686654e-04))
    q = fma(q, s, fill(x, 2.26843463243900e-03))
    q = fma(q, s, fill(x, 4.89352518554385e-03))
    return x * p / q


@inlined
def relu(x: Any) -> Any:
    """max(x, 0) in each lane; a NaN stays."""
    return greater(x, fill(x, 0.0))


@inlined
def tanh_slope(square: Any, d: Any) -> Any:
    """The gradient before tanh, d * (1 - a * a), from the one behind it and a * a."""
    return fma(square, fill(d, 0.0) - d, d)


@inlined
def scaled_tanh(x: Any) -> Any:
    """Plainly: AMPLITUDE * math.tanh(STEEPNESS * x)"""
    return fill(x, AMPLITUDE) * tanh(fill(x, STEEPNESS) * x)


@inlined
def scaled_tanh_slope(square: Any, d: Any) -> Any:
    """Plainly: d * STEEPNESS * (AMPLITUDE - a * a / AMPLITUDE)"""
    return d * fma(square, fill(d, -STEEPNESS / AMPLITUDE), fill(d, STEEPNESS * AMPLITUDE))


@inlined
def same(x: Any) -> Any:
    """Return x: the identity as an activation."""
    return x


@inlined
def same_slope(a: Any, d: Any) -> Any:
    """Return d: the slope of the identity is 1."""
    return d


TANHS = {"tanh": tanh, "scaled_tanh": scaled_tanh}
TANH_SLOPES = {"tanh": tanh_slope, "scaled_tanh": scaled_tanh_slope}


def activate(choices: Any, x: Any) -> Any:
    """The activation of a hidden layer."""


def slope(choices: Any, a: Any, d: Any) -> Any:
    """Gradient before a hidden activation, from the gradient d behind it and its value a."""


def answer(choices: Any, x: Any) -> Any:
    """The activation of the output layer."""


def answer_slope(choices: Any, a: Any, d: Any) -> Any:
    """Gradient before the output activation."""


def weight(choices: Any, w: Any) -> Any:
    """A weight as what goes backward meets it: squared, where those are second derivatives."""


@chosen(weight)
def _weight(choices: Any, w: Any) -> Any:
    return (lambda choices, w: w * w) if choices.squared else (lambda choices, w: w)


@chosen(activate)
def _activate(choices: Any, x: Any) -> Any:
    function = {**TANHS, "relu": relu}[choices.value.activation]
    return lambda choices, x: function(x)


@chosen(slope)
def _slope(choices: Any, a: Any, d: Any) -> Any:
    return _sloped(choices, choices.value.activation)


@chosen(answer)
def _answer(choices: Any, x: Any) -> Any:
    function = {**TANHS, "identity": same}[choices.value.output]
    return lambda choices, x: function(x)


@chosen(answer_slope)
def _answer_slope(choices: Any, a: Any, d: Any) -> Any:
    return _sloped(choices, choices.value.output)


def _sloped(choices: Any, name: str) -> Any:
    """The slope of the named activation; where a is squared already, the slope's square."""
    if name not in TANH_SLOPES:  # slopes of 0 and 1 are their own squares
        plain = {"relu": where_positive, "identity": same_slope}[name]
        return lambda choices, a, d: plain(a, d)
    function = TANH_SLOPES[name]
    if choices.squared:
        return lambda choices, a, d: function(a, function(a, d))
    return lambda choices, a, d: function(a * a, d)


@inlined
def fold(a: Any, b: Any) -> Any:
    """Sums of neighbouring lanes of a, then of b: a0+a1, a2+a3, ..., b0+b1, ..."""
    return evens(a, b) + odds(a, b)


@inlined
def sums(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> Any:
    """The eight sums over the eight lanes of a, ..., h, in this order.

    Halves are added before pairs and pairs before neighbours, because adding neighbours (`fold`)
    is the dear step on most machines: this way one `fold` serves all eight.
    """
    first = fold_pairs(fold_halves(a, c), fold_halves(b, d))  # a a b b c c d d
    second = fold_pairs(fold_halves(e, g), fold_halves(f, h))
    return fold(first, second)


@inlined
def fold_halves(a: Any, b: Any) -> Any:
    """a0+a4, a1+a5, a2+a6, a3+a7, then the same of b."""
    return lows(a, b) + highs(a, b)


@inlined
def fold_pairs(a: Any, b: Any) -> Any:
    """Of every four lanes the two pairs added: a0+a2, a1+a3, b0+b2, b1+b3, a4+a6, ..."""
    return even_pairs(a, b) + odd_pairs(a, b)

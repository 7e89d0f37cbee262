"""Recipe: what is trained and how, as a value; and the named recipes.

A recipe says nothing about who executes it or where: engines and devices are chosen beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Final, Literal, get_args, get_type_hints

from zipnet import paper
from zipnet.errors import UserError, choice, shown

Activation = Literal["tanh", "scaled_tanh", "relu"]
Output = Literal["tanh", "scaled_tanh", "identity"]
Loss = Literal["mse", "cross_entropy"]
Optimizer = Literal["sgd", "adamw", "pseudo-newton"]
Init = Literal["root", "fan-in"]
Network = Literal["1989", "fully-connected", "micro-vit"]
Scheme = Literal["blocks", "balanced", "cyclic", "random"]

FLOAT32: Final = 2.0**127  # what every engine's arithmetic can hold
OWNERS: Final = {  # the one optimizer that has the constant
    "weight_decay": "adamw",
    "mu": "pseudo-newton",
    "gamma": "pseudo-newton",
    "estimate": "pseudo-newton",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train a network. Raises UserError where a value makes no sense.

    network: which one learns; all but the one of 1989 are in zipnet/rivals.py.
    scheme: which eight of the twelve H1 planes each H2 plane sees; zipnet/schemes.py has them.
    width: times its planes and units; at_width() widens a recipe with the learning rate that suits.
    passes: times the training digits are shown, in constant order.
    batch: digits a weight update; 1 is per-example SGD.
    activation: of H1, H2 and H3. output: of the last layer. "scaled_tanh" is paper.AMPLITUDE x
        tanh(paper.STEEPNESS x): 1 at 1 and -1 at -1, where it bends most.
    init: initial weights are uniform in +-2.4/sqrt(fan-in) ("root") or in +-2.4/fan-in ("fan-in").
    output_bias: where the ten output biases start; all others start at 0.
    loss: "mse" is the mean over batch and outputs of (target - output)^2 with targets +-1;
        "cross_entropy" is the mean over the batch of softmax cross-entropy on the outputs.
    optimizer: "pseudo-newton" divides each weight's step by mu + sigma, sigma being a mean of the
        second derivatives h of the loss (zipnet/reference.py derives both).
    lr, lr_end: learning rate of the first and of the last pass, linear between; equal is constant.
    rates: learning rates pass by pass instead, the last one lasting to the end.
    weight_decay: AdamW's decoupled decay; the others have none.
    mu: pseudo-Newton's floor under the curvature, above 0.
    gamma: pseudo-Newton's share of each new h in sigma; 0 keeps sigma still during a pass.
    estimate: digits, the first ones, over which sigma is measured before the first pass, and before
        every pass where gamma is 0. 0: sigma starts from 0.
    dropout: share of H2's units that H3 does not see while learning, the others scaled up.
    shift: move each image by -1, 0 or 1 pixel in both axes while learning, edges wrapping around.
    source: where the recipe comes from.
    """

    name: str
    source: str
    network: Network = "1989"
    scheme: Scheme = "blocks"
    width: int = 1
    passes: int = paper.PASSES
    batch: int = 1
    activation: Activation = "tanh"
    output: Output = "tanh"
    init: Init = "root"
    output_bias: float = -1.0
    loss: Loss = "mse"
    optimizer: Optimizer = "sgd"
    lr: float = 0.03
    lr_end: float = 0.03
    rates: tuple[float, ...] = ()
    weight_decay: float = 0.0
    mu: float = 0.0
    gamma: float = 0.0
    estimate: int = 0
    dropout: float = 0.0
    shift: bool = False

    def __post_init__(self) -> None:
        for name in ("width", "passes", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UserError(f"recipe: {name} is {shown(value)}; give a whole number from 1 up")
        names = ("lr", "lr_end", "weight_decay", "mu", "gamma", "dropout")
        numbers = {name: getattr(self, name) for name in names}
        numbers |= {f"rates[{i}]": rate for i, rate in enumerate(self.rates)}
        for name, value in numbers.items():
            if not 0 <= value < FLOAT32:
                raise UserError(f"recipe: {name} is {shown(value)}; give 0 to {FLOAT32:.3g}")
        if not abs(self.output_bias) < FLOAT32:
            raise UserError(f"recipe: output_bias is {self.output_bias}; give what a float32 holds")
        if self.dropout >= 1:
            raise UserError(f"recipe: dropout is {self.dropout}; give a share below 1")
        kinds = get_type_hints(Recipe)
        for name in ("network", "scheme", "activation", "output", "init", "loss", "optimizer"):
            choice(f"recipe: {name}", getattr(self, name), get_args(kinds[name]))
        if self.rival and self.scheme != "blocks":
            raise UserError(
                f"recipe: scheme is {self.scheme!r} with network {self.network!r}; "
                "it says what H2 sees of H1, so use network '1989'"
            )
        if self.width > 1 and (self.rival or self.dropout):
            what = f"network {self.network!r}" if self.rival else f"dropout {self.dropout}"
            raise UserError(f"recipe: width is {self.width} with {what}, which has width 1 alone")
        self._check_optimizer()

    def _check_optimizer(self) -> None:
        """Raise UserError where a constant is set that the optimizer does not have, or lacks."""
        for name, owner in OWNERS.items():
            value = getattr(self, name)
            if value and self.optimizer != owner:
                raise UserError(
                    f"recipe: {name} is {shown(value)} with optimizer {self.optimizer!r}; "
                    f"use optimizer {owner!r} or {name} 0"
                )
        if self.optimizer != "pseudo-newton":
            return
        if not isinstance(self.estimate, int) or self.estimate < 0:
            raise UserError(f"recipe: estimate is {shown(self.estimate)}; give a whole number")
        if self.gamma > 1:
            raise UserError(f"recipe: gamma is {self.gamma}; give a share from 0 to 1")
        if not self.mu:
            raise UserError("recipe: mu is 0; pseudo-newton needs a number above 0")
        if not (self.gamma or self.estimate):
            raise UserError("recipe: gamma and estimate are 0; pseudo-newton needs one of them")
        if self.loss != "mse":
            raise UserError(f"recipe: loss is {self.loss!r}; pseudo-newton is defined for 'mse'")

    @property
    def draws(self) -> bool:
        """Whether learning needs random numbers beyond the initial weights."""
        return self.shift or self.dropout > 0

    @property
    def rival(self) -> bool:
        """Whether it trains another network than that of 1989, without engines and Params."""
        return self.network != "1989"

    @property
    def step_macs(self) -> int:
        """Multiply-accumulates of a step on one digit; those of measuring sigma are not in it."""
        return paper.step_macs(curvature=self.gamma > 0, width=self.width)

    def bound(self, fan_in: int) -> float:
        """Initial weights of a unit with so many inputs are uniform in +- this."""
        return 2.4 / (math.sqrt(fan_in) if self.init == "root" else fan_in)

    def at_rate(self, lr: float) -> Recipe:
        """The recipe with this learning rate from the first pass to the last."""
        return replace(self, lr=lr, lr_end=lr, rates=())

    def at_width(self, width: int) -> Recipe:
        """The recipe so many times as wide, its learning rates divided by as much.

        A unit's sum has `width` times as many inputs, each of whose weights moves by the rate.
        """
        wider = replace(self, width=width)  # refuses what is no width
        rates = tuple(rate / width for rate in self.rates)
        return replace(wider, lr=self.lr / width, lr_end=self.lr_end / width, rates=rates)

    def lr_at(self, pass_index: int) -> float:
        """Learning rate of a pass, counted from 0."""
        if self.rates:
            return self.rates[min(pass_index, len(self.rates) - 1)]
        progress = pass_index / max(self.passes - 1, 1)
        return self.lr + (self.lr_end - self.lr) * progress

    def as_dict(self) -> dict[str, object]:
        """Every field by name, ready for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


KARPATHY_1989: Final = Recipe(
    name="1989",
    source="LeCun et al. 1989 as read by Karpathy in lecun1989-repro/repro.py, 2022: plain SGD in "
    "place of the diagonal Newton method, plain tanh, learning rate 0.03",
)

AS_PRINTED: Final = Recipe(
    name="as-printed",
    source="LeCun et al. 1989. The article prints: a scaled hyperbolic tangent, weights uniform in "
    "+-2.4/fan-in, targets within its quasilinear range, mean squared error, constant order, an "
    "update after every pattern, 23 passes, a diagonal quasi-Newton method. From the manual of its "
    "simulator's later version SN 2.8 (sn28.hlp in Lush): the constants of the tanh, the rule, eps "
    "0.0005, gamma and mu 0.05 for half the sum of squares (in our terms: mu 0.01). Guesses: "
    "which H1 planes each H2 plane sees (Karpathy's), biases that start at 0, sigma measured ahead "
    "of the start, and that 1989 had the manual's constants",
    activation="scaled_tanh",
    output="scaled_tanh",
    init="fan-in",
    output_bias=0.0,
    optimizer="pseudo-newton",
    lr=0.0005,
    lr_end=0.0005,
    mu=0.01,
    gamma=0.05,
    estimate=500,
)

AS_PRINTED_1998: Final = replace(
    AS_PRINTED,
    name="as-printed-1998",
    source="as-printed, with the diagonal Levenberg-Marquardt of LeCun, Bottou, Bengio & Haffner "
    "1998 (Gradient-based learning applied to document recognition, section III and appendix C): "
    "the curvature is measured on 500 patterns before each pass and kept during it, mu 0.02 and "
    "rates from 0.0005 down to 0.00001. That article trained another network, on another cost; "
    "reading mu for half the sum of squares (ours: 0.004) is a guess",
    rates=(5e-4,) * 2 + (2e-4,) * 3 + (1e-4,) * 3 + (5e-5,) * 4 + (1e-5,),
    mu=0.004,
    gamma=0.0,
)

# The steps of 2022, each on top of the one before. What they were reported to end with, and on
# which digits, is in paper.REPORTED.

SOFTMAX: Final = replace(
    KARPATHY_1989,
    name="softmax",
    source="Karpathy 2022, lecun1989-repro/modern.py, change 1: softmax cross-entropy on outputs "
    "without tanh, learning rate 0.01; output biases start at 0",
    output="identity",
    output_bias=0.0,
    loss="cross_entropy",
    lr=0.01,
    lr_end=0.01,
)

ADAMW: Final = replace(
    SOFTMAX,
    name="adamw",
    source="Karpathy 2022, modern.py, change 2: AdamW with torch's weight decay of 0.01, learning "
    "rate 3e-4 falling to 1e-4 pass by pass, 46 passes",
    passes=46,
    optimizer="adamw",
    lr=3e-4,
    lr_end=1e-4,
    weight_decay=0.01,
)

SHIFT: Final = replace(
    ADAMW,
    name="shift",
    source="Karpathy 2022, modern.py, change 3: images shifted by at most a pixel, 60 passes",
    passes=60,
    shift=True,
)

DROPOUT: Final = replace(
    SHIFT,
    name="dropout",
    source="Karpathy 2022, modern.py, change 4: a quarter of what H3 sees is dropped, relu in "
    "place of tanh, 80 passes",
    passes=80,
    activation="relu",
    dropout=0.25,
)

MORE_DATA: Final = replace(
    KARPATHY_1989,
    name="more-data",
    source="Karpathy 2022, 'Deep Neural Nets', section 'Cheating with data': recipe 1989 on "
    "50,000 digits (mnist-50000) for 100 passes",
    passes=100,
)

MORE_DATA_MODERN: Final = replace(
    DROPOUT,
    name="more-data-modern",
    source="Karpathy 2022, 'Deep Neural Nets', section 'Cheating with data': recipe dropout on "
    "50,000 digits (mnist-50000); how many passes is not said, 100 is a guess",
    passes=MORE_DATA.passes,
)

FULLY_CONNECTED: Final = replace(
    KARPATHY_1989,
    name="fully-connected",
    source="LeCun et al. 1989 compare with one hidden layer of 40 units, and say no more of it. "
    "Ours: all else as in recipe 1989, but eight digits a step and a learning rate for them",
    network="fully-connected",
    batch=8,
    lr=0.2,
    lr_end=0.2,
)

MICRO_VIT: Final = replace(
    SHIFT,
    name="micro-vit",
    source="Karpathy 2022, 'Deep Neural Nets', tried a 'micro-ViT' of about the same parameters "
    "and flops, and tells neither its form nor its figures. Ours: recipe shift with relu, 32 "
    "digits a step, and a learning rate that suits",
    network="micro-vit",
    batch=32,
    activation="relu",
    lr=3e-3,
    lr_end=1e-4,
)

RECIPES: Final = {
    recipe.name: recipe
    for recipe in (
        KARPATHY_1989,
        AS_PRINTED,
        AS_PRINTED_1998,
        SOFTMAX,
        ADAMW,
        SHIFT,
        DROPOUT,
        MORE_DATA,
        MORE_DATA_MODERN,
        FULLY_CONNECTED,
        MICRO_VIT,
    )
}


def named(name: str) -> Recipe:
    """The recipe of that name. Raises UserError listing the known ones."""
    return RECIPES[choice("recipe", name, list(RECIPES))]

"""Recipe: what is trained and how, as a value; and the named recipes.

A recipe says nothing about who executes it or where: engines and devices are chosen beside it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal, get_args, get_type_hints

from zipnet import paper
from zipnet.errors import UserError, choice, shown

Activation = Literal["tanh", "relu"]
Output = Literal["tanh", "identity"]
Loss = Literal["mse", "cross_entropy"]
Optimizer = Literal["sgd", "adamw"]

FLOAT32: Final = 2.0**127  # what every engine's arithmetic can hold


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One way to train the network. Raises UserError where a value makes no sense.

    passes: times the training digits are shown, in constant order.
    batch: digits a weight update; 1 is per-example SGD.
    activation: of H1, H2 and H3. output: of the last layer.
    loss: "mse" is the mean over batch and outputs of (target - output)^2 with targets +-1;
        "cross_entropy" is the mean over the batch of softmax cross-entropy on the outputs.
    lr, lr_end: learning rate of the first and of the last pass, linear between; equal is constant.
    weight_decay: AdamW's decoupled decay; SGD has none.
    dropout: share of H2's units that H3 does not see while learning, the others scaled up.
    shift: move each image by -1, 0 or 1 pixel in both axes while learning, edges wrapping around.
    source: where the recipe comes from.
    """

    name: str
    source: str
    passes: int = paper.PASSES
    batch: int = 1
    activation: Activation = "tanh"
    output: Output = "tanh"
    loss: Loss = "mse"
    optimizer: Optimizer = "sgd"
    lr: float = 0.03
    lr_end: float = 0.03
    weight_decay: float = 0.0
    dropout: float = 0.0
    shift: bool = False

    def __post_init__(self) -> None:
        for name in ("passes", "batch"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise UserError(f"recipe: {name} is {shown(value)}; give a whole number from 1 up")
        for name in ("lr", "lr_end", "weight_decay", "dropout"):
            value = getattr(self, name)
            if not 0 <= value < FLOAT32:
                raise UserError(f"recipe: {name} is {shown(value)}; give a finite number from 0 up")
        if self.dropout >= 1:
            raise UserError(f"recipe: dropout is {self.dropout}; give a share below 1")
        kinds = get_type_hints(Recipe)
        for name in ("activation", "output", "loss", "optimizer"):
            choice(f"recipe: {name}", getattr(self, name), get_args(kinds[name]))
        if self.weight_decay and self.optimizer == "sgd":
            raise UserError(
                f"recipe: weight_decay is {self.weight_decay} with optimizer 'sgd'; "
                "use optimizer 'adamw' or weight_decay 0"
            )

    @property
    def draws(self) -> bool:
        """Whether learning needs random numbers beyond the initial weights."""
        return self.shift or self.dropout > 0

    def lr_at(self, pass_index: int) -> float:
        """Learning rate of a pass, counted from 0."""
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

RECIPES: Final = {recipe.name: recipe for recipe in (KARPATHY_1989,)}


def named(name: str) -> Recipe:
    """The recipe of that name. Raises UserError listing the known ones."""
    return RECIPES[choice("recipe", name, list(RECIPES))]

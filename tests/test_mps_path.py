"""What the torch engines ask of Apple's GPU, proven without one.

Metal has no float64, and torch refuses a float64 tensor there; so no operation may make one. What
torch can do on mps is in the table of operations that it ships. The arithmetic is the same code on
every device, so the full batch is held to the reference on the CPU.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.conftest import MODERN, random_digits
from zipnet import engines, paper
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989
from zipnet.verify import trajectory, verify

ADAMW_MSE = replace(KARPATHY_1989, name="adamw-mse", optimizer="adamw", weight_decay=0.01)


class Noted(TorchDispatchMode):
    """Every operation and every dtype that went in or came out."""

    def __init__(self):
        super().__init__()
        self.operations, self.dtypes = set(), set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.operations.add(func)
        leaves = tree_leaves((args, kwargs, result))
        self.dtypes |= {leaf.dtype for leaf in leaves if isinstance(leaf, torch.Tensor)}
        return result


def everything(name, recipe, batch):
    """All that the contract offers, noted. compiled's own program is run operation by operation."""
    digits = random_digits(2 * batch)
    torch.compiler.set_stance("force_eager")
    try:
        with Noted() as noted:
            engine = engines.make(name, recipe, "cpu")
            engine.load(Params.init(0))
            placed = engine.place(*digits, batch=batch)
            engine.prepare(placed)
            engine.lr = recipe.lr_end
            engine.numpy(engine.run(placed))
            engine.numpy(engine.predict(placed))
            engine.params()
    finally:
        torch.compiler.set_stance("default")
    return noted


@pytest.fixture(scope="module")
def table():
    """What torch says of each of its operations: name -> its lines."""
    import torchgen

    shipped = Path(torchgen.__file__).parent / "packaged/ATen/native/native_functions.yaml"
    blocks = re.split(r"^- func: ", shipped.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {block.partition("(")[0]: block for block in blocks[1:]}


def runs_on_mps(block, table):
    """Whether the operation has code for mps, is made of others, or is another's functional form.

    An operation without a dispatch line is made of others.
    """
    delegate = re.search(r"structured_delegate: (\S+)", block)
    if delegate:
        return runs_on_mps(table[delegate[1]], table)
    return "dispatch:" not in block or bool(re.search(r"\bMPS\b|Composite", block))


WAYS = [
    pytest.param(name, recipe, batch, id=f"{name}-{recipe.name}-{batch}")
    for name in ("eager", "compiled")
    for recipe in (KARPATHY_1989, MODERN, ADAMW_MSE)
    for batch in (1, 5)
]


@pytest.mark.parametrize(("name", "recipe", "batch"), WAYS)
def test_no_operation_sees_float64_and_every_one_runs_on_mps(name, recipe, batch, table):
    noted = everything(name, recipe, batch)
    assert noted.dtypes <= {torch.float32, torch.int64, torch.bool}
    assert torch.ops.aten.constant_pad_nd.default in noted.operations
    for operation in noted.operations:
        written = str(operation).removeprefix("aten.").removesuffix(".default")
        assert runs_on_mps(table[written], table), operation


def test_the_table_knows_what_mps_lacks(table):
    assert not runs_on_mps(table["linalg_eig.out"], table)
    assert runs_on_mps(table["tanh"], table)


@pytest.mark.parametrize("name", ["eager", "compiled"])
def test_borders_of_background_are_right_at_full_batch(name, start):
    """A constant of -1 around every plane, for all training digits in one step."""
    engine = engines.make(name, KARPATHY_1989, "cpu")
    digits = random_digits(paper.TRAIN_DIGITS)
    verify(engine, trajectory(start, KARPATHY_1989, *digits, batch=paper.TRAIN_DIGITS))

"""Parameters: Karpathy's names, one seed one start, copies that are copies."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from zipnet import paper
from zipnet.errors import UserError
from zipnet.net import Net
from zipnet.params import NAMES, Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989, named


def test_there_are_as_many_as_the_article_says(start):
    assert start.count() == paper.PARAMS


@given(seed=st.integers(0, 2**63 - 1))
@example(seed=92658792373)  # its largest weight of H2 is the bound as float32 rounds it, upwards
def test_start_lies_in_the_bounds_of_the_recipe(seed):
    params = Params.init(seed)
    for array, fan_in in (
        (params.H1w, 25),
        (params.H2w, 200),
        (params.H3w, 192),
        (params.outw, 30),
    ):
        assert np.abs(array).max() <= np.float32(2.4 / np.sqrt(fan_in))
    assert not params.H1b.any()
    assert (params.outb == -1).all()
    assert params.distance(Params.init(seed))[1] == 0


def test_the_articles_start_is_karpathys_without_root_and_output_bias():
    printed, karpathys = Params.init(4, AS_PRINTED), Params.init(4)
    for name, fan_in in (("H1w", 25), ("H2w", 200), ("H3w", 192), ("outw", 30)):
        np.testing.assert_allclose(
            getattr(printed, name) * np.sqrt(fan_in), getattr(karpathys, name), rtol=3e-7
        )
        assert np.abs(getattr(printed, name)).max() <= np.float32(2.4 / fan_in)
    assert not printed.outb.any()


@pytest.mark.parametrize("recipe", [KARPATHY_1989, named("dropout")], ids=["repro", "modern"])
def test_the_start_of_2022_is_what_torch_draws_to_the_bit(recipe):
    torch_before = torch.random.get_rng_state()
    torch.manual_seed(1337)
    shapes = {25: (12, 1, 5, 5), 200: (12, 8, 5, 5), 192: (192, 30), 30: (30, 10)}
    weights = [
        (torch.rand(*shape) - 0.5) * 2 * 2.4 / fan_in**0.5 for fan_in, shape in shapes.items()
    ]
    torch.random.set_rng_state(torch_before)
    start = Params.of_2022(recipe)
    for ours, theirs in zip((start.H1w, start.H2w, start.H3w, start.outw), weights, strict=True):
        np.testing.assert_array_equal(ours, theirs.numpy())
    assert not any(bias.any() for bias in (start.H1b, start.H2b, start.H3b))
    assert (start.outb == (-1 if recipe is KARPATHY_1989 else 0)).all()


def test_output_biases_start_where_the_recipe_says():
    for name in ("1989", "softmax"):
        recipe = named(name)
        assert (Params.init(5, recipe).outb == recipe.output_bias).all()
    np.testing.assert_array_equal(Params.init(5, named("softmax")).H3w, Params.init(5).H3w)


def test_a_state_dict_of_karpathys_net_loads(start):
    state = {name: torch.tensor(array) for name, array in start.items()}
    assert Params.from_mapping(state).distance(start)[1] == 0
    assert list(Net(start, KARPATHY_1989).state_dict()) == list(NAMES)


def test_copies_share_nothing(start):
    twin = start.copy()
    twin.H2w[3, 2, 1, 0] += 0.5
    assert start.distance(twin) == ("H2w", pytest.approx(0.5))


def test_broken_parameters_are_far_from_everything(start):
    broken = start.copy()
    broken.outb[3] = np.nan
    assert broken.distance(start) == ("outb", float("inf"))


def test_saving_and_loading_changes_nothing(start, tmp_path):
    start.save(tmp_path / "p.npz")
    assert Params.load(tmp_path / "p.npz").distance(start)[1] == 0
    assert [p.name for p in tmp_path.iterdir()] == ["p.npz"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"H1w": None}, "H1w is missing"),
        ({"H2b": np.zeros((12, 4))}, r"H2b has shape \(12, 4\)"),
        ({"H3w": np.full((192, 30), np.nan)}, "H3w is not all finite"),
        ({"outb": np.array(["x"] * 10)}, "outb is not all finite"),
    ],
)
def test_a_wrong_mapping_is_refused_by_the_arrays_name(start, change, message):
    arrays = {**dict(start.items()), **change}
    arrays = {name: array for name, array in arrays.items() if array is not None}
    with pytest.raises(UserError, match=message):
        Params.from_mapping(arrays)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 truncated"])
def test_a_file_that_is_no_parameters_is_named(tmp_path, content):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"bad\.npz cannot be used"):
        Params.load(path)


def test_negative_seed_is_refused():
    with pytest.raises(UserError, match="seed is -1"):
        Params.init(-1)

"""The laws of the engine contract, each one test over every registered engine that runs here.

An engine that does not is one skip with its reason. The tolerances are in zipnet/verify.py.
"""

import functools
import os
from dataclasses import replace

import numpy as np
import pytest

from tests import ptx_on_cpu
from tests.conftest import MODERN, random_digits
from tests.simulated_graphs import SimulatedCuda
from zipnet import devices, engines
from zipnet.engines.base import by_blocks, first_order, narrow
from zipnet.engines.graphed import Graphed
from zipnet.errors import UserError
from zipnet.params import NAMES, Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.reference import Reference
from zipnet.verify import Strayed, fresh_trajectory, trajectory, verify, verify_outputs


def case(name, device, *more, marks=()):
    """A law's parameters; `pytest -m cuda` selects those on an NVIDIA GPU."""
    marks = [*marks, pytest.mark.cuda] if device == "cuda" else marks
    label = "-".join(map(str, (name, device, *more)))
    return pytest.param((name, device), *more, id=label, marks=marks)


# `bench node` names those that it looks at, so that no others are loaded.
ASKED = os.environ.get("ZIPNET_LAWS")
EVERYWHERE = [
    (name, device)
    for name in engines.names()
    for device in devices.KINDS
    if ASKED is None or f"{name}-{device}" in ASKED.split(",")
]
ABSENT = {
    place: reason
    for place in EVERYWHERE
    if (reason := engines.why_not(place[0], KARPATHY_1989, place[1], tried=False)) is not None
}
HERE = [place for place in EVERYWHERE if place not in ABSENT]
# On a machine without a GPU the laws hold graphed to account through a simulator of CUDA graphs,
# and fused_cuda through the PTX of its kernels.
if ASKED is None:
    HERE.append(("graphed", "simulated"))
    if ("fused_cuda", "cuda") in ABSENT and ptx_on_cpu.why_not() is None:
        HERE.append(("fused_cuda", "simulated"))
CASES = [case(*place) for place in HERE]
# Where each shape is compiled by a library, which takes long, few stand for all.
COMPILED = {"compiled": [3], "xla": [3, 16]}
BATCHES = [
    case(*place, batch) for place in HERE for batch in COMPILED.get(place[0], [1, 2, 3, 16, 17])
]


@pytest.mark.parametrize(
    "pair",
    [
        case(*place, marks=[pytest.mark.skip(ABSENT[place])] if place in ABSENT else [])
        for place in EVERYWHERE
    ],
)
def test_an_engine_is_here_or_says_why_not(pair):
    assert pair in HERE


def make(name, device, recipe=KARPATHY_1989):
    if (name, device) == ("fused_cuda", "simulated"):
        if (reason := first_order(recipe) or by_blocks(recipe) or narrow(recipe)) is not None:
            raise engines.Unavailable(reason)
        return engines.kind(name)(recipe, "cpu")
    if device == "simulated":
        engine = Graphed(recipe, "cpu", threads=1)
        engine.cuda = SimulatedCuda()
        return engine
    return engines.make(name, recipe, device, threads=2 if device == "cpu" else None)


@pytest.fixture(scope="module", autouse=True)
def gpu():
    """The one that fused_cuda finds where there is none."""
    with pytest.MonkeyPatch.context() as patch:
        if ("fused_cuda", "simulated") in HERE:
            ptx_on_cpu.SimulatedGpu().take_the_place(patch)
        yield


@pytest.fixture(scope="module")
def shared():
    """Engines made once for each recipe: compiling takes seconds."""
    made = functools.cache(make)

    def get(name, device, recipe=KARPATHY_1989):
        engine = made(name, device, recipe)
        engine.claim()
        engine.lr = recipe.lr
        return engine

    return get


@pytest.fixture(params=CASES)
def engine(request, shared, start):
    engine = shared(*request.param)
    engine.load(start)
    return engine


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("recipe", [KARPATHY_1989, MODERN, AS_PRINTED], ids=lambda r: r.name)
def test_losses_and_parameters_follow_the_reference(case, recipe, shared, start, few):
    try:
        engine = shared(*case, recipe)
    except engines.Unavailable as reason:
        pytest.skip(str(reason))
    found = verify(engine, trajectory(start, recipe, *few, batch=1))
    assert found.steps == 48


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("width", [2, 4])
def test_wider_networks_keep_the_laws(case, width, shared):
    recipe, (x, y) = KARPATHY_1989.at_width(width), random_digits(6)
    try:
        engine = shared(*case, recipe)
    except engines.Unavailable as reason:
        pytest.skip(str(reason))
    path = fresh_trajectory(recipe, 0, x, y, batch=2)
    engine.load(path.start)
    placed = engine.place(x, y, 2)
    engine.prepare(placed)
    assert engine.params().distance(path.start)[1] == 0
    verify_outputs(engine, placed, Reference.start(path.start, recipe).predict(x))
    assert verify(engine, path).steps == 3
    engine.run(engine.place(x[::-1].copy(), y[::-1].copy(), 2))
    assert engine.params().distance(path.end)[1] > 1e-4


FIRST_ORDER = [place for place in HERE if place[0] in ("xla", "mlx")]


@pytest.mark.parametrize("case", [case(*place) for place in FIRST_ORDER])
def test_engines_of_first_order_know_the_scaled_tanh_and_refuse_second_derivatives(
    case, shared, start, few
):
    assert "second derivatives" in engines.why_not(case[0], AS_PRINTED, case[1])
    recipe = replace(KARPATHY_1989, activation="scaled_tanh", output="scaled_tanh", lr=0.01)
    verify(shared(*case, recipe), trajectory(start, recipe, *few, batch=1))


@pytest.mark.parametrize("case", CASES)
def test_other_schemes_follow_the_reference_or_are_refused(case, shared, start, few):
    of_first_order = case[0] in ("xla", "mlx", "fused_cuda")
    recipe = replace(KARPATHY_1989 if of_first_order else AS_PRINTED, scheme="random")
    if case[0] in ("eager", "fused_cuda"):
        with pytest.raises(engines.Unavailable, match="blocks of 2022"):
            shared(*case, recipe)
        return
    engine = shared(*case, recipe)
    verify(engine, trajectory(start, recipe, *few, batch=1))
    if case[0] == "fused":  # the same code, where others compile anew: examples side by side
        verify(engine, trajectory(start, recipe, *few, batch=16))
    engine.load(start)
    expected = Reference.start(start, recipe).predict(few[0])
    verify_outputs(engine, engine.place(*few, batch=1), expected)


@pytest.mark.parametrize(("case", "batch"), BATCHES)
def test_batches_follow_the_reference(case, batch, shared, start):
    engine, digits = shared(*case), random_digits(48 // batch * batch)
    verify(engine, trajectory(start, KARPATHY_1989, *digits, batch=batch))


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_extreme_digits_follow_the_reference(engine, start, value):
    x, y = random_digits(24)  # as many as the law of halves compiles
    verify(engine, trajectory(start, KARPATHY_1989, np.full_like(x, value), y, batch=1))


@pytest.mark.parametrize("name", ["H1b", "H2b", "H3b", "outb"])
def test_saturated_units_follow_the_reference(engine, start, name):
    """A layer whose every tanh is flat at +-1: no slope must come out as anything but zero."""
    bias = getattr(start, name)
    bias[...] = np.where(np.random.default_rng(2).random(bias.shape) < 0.5, -30, 30)
    verify(engine, trajectory(start, KARPATHY_1989, *random_digits(24), batch=1))


def test_outputs_follow_the_reference(engine, start, few):
    expected = Reference.start(start, KARPATHY_1989).predict(few[0])
    verify_outputs(engine, engine.place(*few, batch=1), expected)


def test_two_halves_equal_the_whole(engine, start, few):
    x, y = few
    engine.run(engine.place(x, y, 1))
    whole = engine.params()
    engine.load(start)
    engine.run(engine.place(x[:24], y[:24], 1))
    engine.run(engine.place(x[24:], y[24:], 1))
    assert engine.params().distance(whole)[1] == 0


def test_a_run_can_be_repeated(engine, start, few):
    placed = engine.place(*few, batch=1)
    losses = engine.numpy(engine.run(placed))
    first = engine.params()
    engine.load(start)
    np.testing.assert_array_equal(engine.numpy(engine.run(placed)), losses)
    assert engine.params().distance(first)[1] == 0


def test_steps_are_sequential(engine, start, few):
    """Summed gradients would not care about order; steps do."""
    x, y = few
    engine.run(engine.place(x, y, 1))
    forwards = engine.params()
    engine.load(start)
    engine.run(engine.place(x[::-1].copy(), y[::-1].copy(), 1))
    assert engine.params().distance(forwards)[1] > 1e-4


def test_prepare_leaves_parameters_unchanged(engine, start, few):
    engine.prepare(engine.place(*few, batch=1))
    assert engine.params().distance(start)[1] == 0


def test_predicting_leaves_parameters_unchanged(engine, start, few):
    engine.predict(engine.place(*few, batch=1))
    assert engine.params().distance(start)[1] == 0


def test_engine_keeps_no_alias(engine, start, few):
    """What the caller does to its arrays afterwards is the caller's affair, and the reverse."""
    x, y = few[0].copy(), few[1].copy()
    mine = start.copy()
    engine.load(mine)
    placed = engine.place(x, y, 1)
    for array in (x, y, *(array for _, array in mine.items())):
        array[...] = np.nan
    engine.run(placed)
    out = engine.params()
    assert all(np.isfinite(array).all() for _, array in out.items())
    out.H1w[...] = 0
    assert engine.params().H1w.any()


def test_outputs_live_on_the_stated_device(engine, few):
    placed = engine.place(*few, batch=3)  # a shape that the law of batches compiles too
    assert placed.device.partition(":")[0] == engine.device
    assert (placed.steps, placed.batch, placed.presentations) == (16, 3, 48)
    assert engine.numpy(engine.run(placed)).shape == (16,)
    assert engine.numpy(engine.predict(placed)).shape == (48, 10)


def test_a_learning_rate_of_zero_learns_nothing(engine, start, few):
    engine.lr = 0.0
    engine.run(engine.place(*few, batch=1))
    assert engine.params().distance(start)[1] == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda x, y: (x[:, :, :15], y, 1), "shapes"),
        (lambda x, y: (x, y[:, :9], 1), "shapes"),
        (lambda x, y: (x[:0], y[:0], 1), "batch is 1 for 0 digits"),
        (lambda x, y: (x, y, 5), "batch is 5 for 48 digits"),
        (lambda x, y: (np.where(x > 0.99, np.nan, x), y, 1), "NaN or infinity"),
        (lambda x, y: (x, y * np.inf, 1), "NaN or infinity"),
    ],
)
def test_digits_that_make_no_sense_are_refused(engine, few, spoil, message):
    with pytest.raises(UserError, match=message):
        engine.place(*spoil(*few))


def test_an_engine_that_strays_is_refused_with_tensor_and_distance(engine, start, few):
    path = trajectory(start, KARPATHY_1989, *few, batch=1)
    path.end.H2w[0, 0, 0, 0] += 0.01
    with pytest.raises(Strayed, match=rf"{engine.name} on {engine.device}.*H2w 1\.00e-02"):
        verify(engine, path)


def test_unknown_engine_and_device_are_answered_with_the_known_ones():
    with pytest.raises(UserError, match="engine 'warp' is not known; choose one of: eager"):
        engines.make("warp", KARPATHY_1989, "cpu")
    with pytest.raises(UserError, match="device 'tpu' is not known; choose one of: cpu"):
        engines.make("eager", KARPATHY_1989, "tpu")
    assert set(NAMES) == {name for name, _ in Params.init(0).items()}

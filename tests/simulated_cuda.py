"""The laws of the engine contract for fused_cuda in numba's CUDA simulator, on a CPU.

tests/test_fused_cuda.py runs this file in a process of its own, because numba decides when it is
imported whether it simulates. There a thread of the GPU is a thread of Python, and a presentation
takes most of a second: every law is held on as few digits as can show it. What is tested is the
kernels' own source; tests/test_engine_laws.py holds the compiled kernels to the same laws, and
more of them, where there is a GPU.
"""

from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import MODERN, random_digits
from zipnet import engines
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.fused_cuda.cuda_compiling import SIMULATED
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989
from zipnet.reference import Reference
from zipnet.replicas import Replica, train_replicas
from zipnet.training import train
from zipnet.verify import trajectory, verify, verify_outputs


def make(recipe=KARPATHY_1989):
    return engines.make("fused_cuda", recipe, "cuda")


@pytest.fixture
def engine(start):
    engine = make()
    engine.load(start)
    return engine


@pytest.mark.parametrize("recipe", [KARPATHY_1989, MODERN], ids=lambda r: r.name)
def test_losses_and_parameters_follow_the_reference(recipe, start):
    found = verify(make(recipe), trajectory(start, recipe, *random_digits(3), batch=1))
    assert found.steps == 3
    assert found.param_distance < 2e-6


def test_batches_follow_the_reference(start):
    verify(make(), trajectory(start, KARPATHY_1989, *random_digits(4), batch=2))


@pytest.mark.parametrize("name", ["H1b", "H2b", "H3b", "outb"])
def test_saturated_units_follow_the_reference(start, name):
    bias = getattr(start, name)
    bias[...] = np.where(np.random.default_rng(2).random(bias.shape) < 0.5, -30, 30)
    verify(make(), trajectory(start, KARPATHY_1989, *random_digits(1), batch=1))


def test_outputs_follow_the_reference_and_change_nothing(engine, start):
    x, y = random_digits(3)
    x[1:] = np.array([-1, 1], np.float32).reshape(2, 1, 1, 1)
    placed = engine.place(x, y, 1)
    verify_outputs(engine, placed, Reference.start(start, KARPATHY_1989).predict(x))
    assert engine.params().distance(start)[1] == 0


def test_two_halves_equal_the_whole_repeatedly_and_in_this_order_only(engine, start):
    x, y = random_digits(2)
    ends, losses = [], []
    for parts in (slice(0, 2), slice(0, 2)), (slice(0, 1), slice(1, 2)), (slice(None, None, -1),):
        engine.load(start)
        run = parts if parts[0] != parts[-1] else parts[:1]
        losses.append([engine.numpy(engine.run(engine.place(x[p], y[p], 1))) for p in run])
        ends.append(engine.params())
    np.testing.assert_array_equal(*(np.concatenate(some) for some in losses[:2]))
    assert ends[0].distance(ends[1])[1] == 0
    assert ends[0].distance(ends[2])[1] > 1e-4


def test_preparing_leaves_parameters_unchanged_whatever_the_batch(engine, start):
    for batch in (1, 2):
        engine.prepare(engine.place(*random_digits(2), batch))
        assert engine.params().distance(start)[1] == 0


def test_the_engine_keeps_no_alias_and_its_device_is_the_gpu(engine, start):
    x, y = random_digits(1)
    mine = start.copy()
    engine.load(mine)
    engine.lr = 0.0
    placed = engine.place(x, y, 1)
    for array in (x, y, *(array for _, array in mine.items())):
        array[...] = np.nan
    assert placed.device == "cuda:0"
    assert engine.numpy(engine.run(placed)).shape == (1,)
    assert engine.params().distance(start)[1] == 0  # a learning rate of zero learns nothing
    engine.params().H1w[...] = 0
    assert engine.params().H1w.any()


def test_replicas_end_where_they_would_have_ended_alone():
    """Three of them, two to a launch, with seeds and learning rates of their own."""
    recipe = replace(KARPATHY_1989, passes=2, batch=1, lr=0.05, lr_end=0.01)
    x, y = random_digits(1, seed=1)
    labels = y.argmax(axis=1).astype(np.uint8)
    digits = Digits.of("random", Splits(x, labels, x, labels))
    wanted = [Replica(0), Replica(1, lr=0.2), Replica(1)]
    told = []
    finished = train_replicas(
        "fused_cuda", recipe, digits, wanted, device="cuda", after_each=lambda *n: told.append(n)
    )
    assert [done for done, _ in told] == [1, 2, 3]
    for replica, training in list(zip(wanted, finished.trainings, strict=True))[1:]:  # one of each
        lr = {} if replica.lr is None else {"lr": replica.lr, "lr_end": replica.lr}
        alone = train(make(replace(recipe, **lr)), digits, Params.init(replica.seed))
        assert (training.train, training.test) == (alone.train, alone.test)
        assert training.presentations == alone.presentations == 2


def test_this_file_is_run_in_the_simulator():
    assert SIMULATED

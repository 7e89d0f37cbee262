"""graphed: what it captures, how often it replays, and what a capture must not do.

No GPU is needed: tests/simulated_graphs.py stands in for CUDA graphs. The laws of the contract run
through it as well, in tests/test_engine_laws.py.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.conftest import random_digits
from tests.simulated_graphs import Graph, SimulatedCuda
from zipnet.engines.graphed import DIGITS, STEPS, Graphed, stretches
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.reference import Reference

ADAMW = replace(KARPATHY_1989, name="adamw", optimizer="adamw", lr=1e-3, weight_decay=0.01)


def simulated(recipe=KARPATHY_1989):
    engine = Graphed(recipe, "cpu", threads=1)
    engine.cuda = SimulatedCuda()
    return engine


@pytest.mark.parametrize(
    ("steps", "batch", "expected"),
    [
        (1, 1, [(1, 1)]),
        (STEPS, 1, [(1, STEPS)]),
        (2 * STEPS + 3, 1, [(2, STEPS), (3, 1)]),
        (7, DIGITS // 4, [(1, 4), (3, 1)]),
        (23, 7291, [(23, 1)]),
    ],
)
def test_long_replays_come_first_and_single_steps_take_the_rest(steps, batch, expected):
    assert stretches(steps, batch) == expected
    assert sum(replays * size for replays, size in expected) == steps


def test_graphs_are_captured_in_prepare_and_replayed_in_run(start):
    engine = simulated()
    engine.load(start)
    placed = engine.place(*random_digits(STEPS + 2), batch=1)
    engine.prepare(placed)
    long, single = engine.cuda.graphs
    assert (long.replays, single.replays) == (0, 0)
    engine.run(placed)
    engine.run(placed)
    assert engine.cuda.graphs == [long, single]
    assert (long.replays, single.replays) == (2, 4)


def test_another_batch_size_is_captured_anew_and_the_first_one_stays(start, few):
    engine = simulated()
    engine.load(start)
    for batch in (24, 48, 24):
        engine.run(engine.place(*few, batch=batch))
    assert len(engine.cuda.graphs) == 2


def test_a_capture_leaves_the_optimizers_memory_as_it_was(start, few):
    engine = simulated(ADAMW)
    engine.load(start)
    engine.run(engine.place(few[0][:4], few[1][:4], 1))
    memory = [engine.optimizer.steps, *engine.optimizer.means, *engine.optimizer.squares]
    before = [m.clone() for m in memory]
    assert before[0] == 4
    engine.prepare(engine.place(*few, batch=2))
    assert len(engine.cuda.graphs) == 2
    assert all(torch.equal(m, was) for m, was in zip(memory, before, strict=True))


@pytest.mark.parametrize("recipe", [KARPATHY_1989, ADAMW, AS_PRINTED], ids=lambda r: r.name)
def test_a_new_learning_rate_reaches_graphs_that_are_captured_already(recipe, start, few):
    engine, reference = simulated(recipe), Reference.start(start, recipe)
    engine.load(start)
    placed = engine.place(*few, batch=4)
    engine.prepare(placed)
    for lr in (recipe.lr, recipe.lr / 3, 2 * recipe.lr):
        engine.lr = lr
        found = engine.numpy(engine.run(placed))
        batches = zip(few[0].reshape(-1, 4, 1, 16, 16), few[1].reshape(-1, 4, 10), strict=True)
        expected = [reference.step(x, y, lr) for x, y in batches]
        np.testing.assert_allclose(found, expected, rtol=2e-5)
    assert engine.params().distance(reference.params())[1] < 2e-5


def test_loading_again_starts_captured_graphs_from_the_new_weights(start, few):
    engine = simulated(ADAMW)
    engine.load(start)
    placed = engine.place(*few, batch=1)
    first = engine.numpy(engine.run(placed))
    engine.load(start)
    np.testing.assert_array_equal(engine.numpy(engine.run(placed)), first)


def test_losses_of_a_run_survive_the_next_run(start, few):
    """A graph writes to the same memory at every replay; what run() returns is the caller's."""
    engine = simulated()
    engine.load(start)
    placed = engine.place(*few, batch=1)
    losses = engine.run(placed)
    kept = losses.clone()
    engine.run(placed)
    assert torch.equal(losses, kept)


def test_off_cuda_there_is_a_reason():
    assert Graphed.why_not(KARPATHY_1989, "cpu") == "CUDA graphs need a cuda device"
    assert Graphed.cuda is torch.cuda


# --- the simulator itself: it must refuse what CUDA refuses -----------------------------------


def capture(body, warm=True, mode="thread_local"):
    cuda = SimulatedCuda()
    side, graph = cuda.Stream(), cuda.CUDAGraph()
    side.wait_stream(cuda.current_stream())
    with cuda.stream(side):
        if warm:
            body()
    cuda.current_stream().wait_stream(side)
    with cuda.graph(graph, stream=side, capture_error_mode=mode):
        made = body()
    return graph, made


def test_a_capture_computes_nothing_until_it_is_replayed():
    a, total = torch.ones(3), torch.zeros(3)

    def body():
        total.add_(a)
        return total * 2

    graph, made = capture(body)
    assert torch.equal(total, torch.ones(3))  # the warm-up's, and nothing of the capture
    assert made.isnan().all()
    a.fill_(5.0)
    graph.replay()
    assert torch.equal(total, torch.full((3,), 6.0))
    assert torch.equal(made, torch.full((3,), 12.0))


@pytest.mark.parametrize(
    "body", [lambda: torch.ones(1).item(), lambda: torch.tensor([1.0]) + 1], ids=["item", "tensor"]
)
def test_waiting_and_copying_from_the_host_are_refused_in_a_capture(body):
    with pytest.raises(RuntimeError, match="not permitted when stream is capturing"):
        capture(body)


def test_a_capture_without_a_warm_up_is_refused():
    with pytest.raises(AssertionError, match="never ran before the capture"):
        capture(lambda: torch.ones(2) * 3, warm=False)


def test_a_capture_that_would_mind_other_threads_is_refused():
    with pytest.raises(AssertionError, match="another thread"):
        capture(lambda: torch.ones(2) * 3, mode="global")


def test_a_graph_without_a_capture_is_not_replayed():
    with pytest.raises(AssertionError, match="after its capture"):
        Graph().replay()

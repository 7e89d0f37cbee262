"""CUDA graphs on the CPU: a simulator that records torch's operations and executes them again.

It keeps to what CUDA does with a captured graph, so that code which is wrong there fails here:

- operations inside a capture leave no trace: what they wrote in tensors from outside is undone, and
  what they made is filled with NaN until a replay computes it;
- a replay runs the same operations on the same memory, whatever Python's names stand for by then;
- what needs an answer from the device, or a copy from the host's memory, is refused in a capture;
- a capture takes place on a side stream, and only after the same operations ran there before;
- it minds what its own thread does: the process has others, which it must not forbid anything.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

aten = torch.ops.aten
REFUSED = (aten._local_scalar_dense.default, aten.lift_fresh.default)


def tensors(tree):
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, torch.Tensor)]


def memory_of(tensor):
    return tensor.untyped_storage().data_ptr()


class Notes(TorchDispatchMode):
    """The names of the operations that ran."""

    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(func)
        return func(*args, **(kwargs or {}))


class Recorder(TorchDispatchMode):
    """Executes operations, notes them, and keeps whatever a later replay will need."""

    def __init__(self):
        super().__init__()
        self.operations = []  # (func, args, kwargs, tensors to copy the results to)
        self.made = {}  # memory -> a tensor made inside; kept, as a graph's private pool is
        self.before = {}  # memory from outside -> (a tensor on it, its content before)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func in REFUSED:
            raise RuntimeError(f"operation not permitted when stream is capturing: {func}")
        inputs = tensors((args, kwargs))
        mutates = func._schema.is_mutable
        if mutates:
            for tensor in inputs:
                self._remember(tensor)
        result = func(*args, **kwargs)
        known = {memory_of(tensor) for tensor in inputs}
        fresh = [t for t in tensors(result) if memory_of(t) not in known]
        assert not fresh or (not mutates and len(fresh) == len(tensors(result))), func
        if mutates or fresh:  # a view is computed once: it stays a view of the same memory
            self.operations.append((func, args, kwargs, fresh))
        for tensor in fresh:
            self.made.setdefault(memory_of(tensor), tensor)
        return result

    def _remember(self, tensor):
        where = memory_of(tensor)
        if where not in self.made and where not in self.before:
            whole = tensor.detach().as_strided(
                (tensor.untyped_storage().nbytes() // tensor.element_size(),), (1,), 0
            )
            self.before[where] = (whole, whole.clone())

    def leave_no_trace(self):
        for whole, content in self.before.values():
            whole.copy_(content)
        for tensor in self.made.values():
            if tensor.is_floating_point():
                tensor.detach().fill_(float("nan"))


class Graph:
    """In place of torch.cuda.CUDAGraph."""

    def __init__(self):
        self.recorder = None
        self.replays = 0

    def replay(self):
        assert self.recorder is not None, "a graph is replayed after its capture"
        self.replays += 1
        with torch.no_grad():
            for func, args, kwargs, targets in self.recorder.operations:
                result = func(*args, **kwargs)
                if targets:
                    for target, value in zip(targets, tensors(result), strict=True):
                        target.copy_(value)


class Stream:
    """In place of torch.cuda.Stream: order of work, and which operations ran here."""

    def __init__(self):
        self.waited_for = []
        self.ran = set()

    def wait_stream(self, other):
        self.waited_for.append(other)


class SimulatedCuda:
    """In place of torch.cuda, for an engine whose tensors live on the CPU."""

    Stream = Stream

    def __init__(self):
        self.main = Stream()
        self.now = self.main
        self.graphs = []

    def CUDAGraph(self):
        self.graphs.append(Graph())
        return self.graphs[-1]

    def device(self, device):
        return nullcontext()

    def current_stream(self):
        return self.now

    @contextmanager
    def stream(self, stream):
        assert self.main in stream.waited_for, "work before it may not have finished"
        before, self.now = self.now, stream
        with Notes() as notes:
            yield
        stream.ran |= notes.seen
        self.now = before

    @contextmanager
    def graph(self, graph, stream, capture_error_mode="global"):
        assert capture_error_mode == "thread_local", "another thread's allocation would break it"
        assert graph.recorder is None, "a graph is captured once"
        assert stream is not self.main, "the default stream cannot be captured"
        assert stream in self.main.waited_for, "the warm-up may not have finished"
        recorder = Recorder()
        with recorder:
            yield
        graph.recorder = recorder
        with torch.no_grad():
            recorder.leave_no_trace()
        captured = {func for func, *_ in recorder.operations}
        loss_kept = {aten.copy_.default}  # each loss is kept, which is not a part of a step
        cold = captured - stream.ran - loss_kept
        assert not cold, f"never ran before the capture: {cold}"

"""fused_cuda without a GPU: its laws in numba's simulator, its machine code, its reasons.

On a GPU, `pytest -m cuda` holds the compiled kernels to the laws (tests/test_engine_laws.py).
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.commands import ROOT
from tests.conftest import random_digits
from zipnet import devices, engines
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.params import SHAPES, Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.replicas import Replica, train_replicas
from zipnet.training import train

pytest.importorskip("numba_cuda", reason="numba-cuda is not installed")

from numba import cuda

from zipnet.fused_cuda import cuda_layout, gpu
from zipnet.fused_cuda.cuda_compiling import SIMULATED, THREADS
from zipnet.fused_cuda.kernels import ANSWER, LEARN, KernelChoices, answerer, learner

MULTIPROCESSOR = 65_536  # registers of one, since Kepler: CUDA C++ Programming Guide
MODERN = KernelChoices("relu", "identity", "cross_entropy", "adamw", one_by_one=False)
KERNELS = {
    "learn": (lambda: learner(KernelChoices()), LEARN),
    "learn-batches": (lambda: learner(KernelChoices(one_by_one=False)), LEARN),
    "learn-modern": (lambda: learner(MODERN), LEARN),
    "answer": (lambda: answerer(KernelChoices()), ANSWER),
}


def simulate(*arguments, **environment):
    """Run a module with numba's CUDA simulator, on one core: its threads take turns anyway."""
    hidden = {"NUMBA_ENABLE_CUDASIM": "1", "CUDA_VISIBLE_DEVICES": ""}
    pinned = "import os, sys; hasattr(os, 'sched_setaffinity') and os.sched_setaffinity(0, "
    pinned += "{min(os.sched_getaffinity(0))}); import runpy; sys.argv = sys.argv[1:]; "
    pinned += "runpy.run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
    return subprocess.run(
        [sys.executable, "-c", pinned, *arguments],
        cwd=ROOT,
        env={**os.environ, **hidden, **environment},
        capture_output=True,
        text=True,
        timeout=600,
    )


def test_the_laws_hold_in_the_simulator():
    done = simulate("pytest", "-q", "-p", "no:cacheprovider", "tests/simulated_cuda.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_simulator_is_never_taken_for_a_gpu(monkeypatch):
    """Where there is a GPU, the simulator's times would pass for the GPU's."""
    from zipnet.engines import fused_cuda

    monkeypatch.setattr(fused_cuda, "SIMULATED", True)
    monkeypatch.setattr(devices, "why_not", lambda device: None)
    assert "only simulates" in engines.why_not("fused_cuda", KARPATHY_1989, "cuda")


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (AS_PRINTED, "scaled tanh"),
        (replace(KARPATHY_1989, activation="scaled_tanh"), "scaled tanh"),
        (replace(AS_PRINTED, activation="tanh", output="tanh"), "second derivatives"),
        (replace(KARPATHY_1989, shift=True), "at random"),
    ],
)
def test_what_its_kernels_have_not_is_refused_with_the_reason(recipe, reason, monkeypatch):
    monkeypatch.setattr(devices, "why_not", lambda device: None)
    monkeypatch.setattr(gpu, "why_not", lambda: None)
    assert reason in engines.why_not("fused_cuda", recipe, "cuda")


@pytest.mark.parametrize(
    ("device", "reason"),
    [
        ("cpu", "made for CUDA GPUs"),
        ("mps", "made for CUDA GPUs"),
        ("cuda:1", "CUDA_VISIBLE_DEVICES"),
    ],
)
def test_other_devices_are_refused_with_the_reason(device, reason):
    assert reason in engines.why_not("fused_cuda", KARPATHY_1989, device)


@pytest.mark.parametrize(
    ("capability", "shared", "reason"),
    [
        ((7, 0), 98_304, r"compute capability 7\.0, and it needs 7\.5"),
        ((8, 6), 49_152, f"needs {cuda_layout.SHARED_BYTES:,} bytes .* this GPU offers 49,152"),
        ((7, 5), 65_536, None),
        ((9, 0), 232_448, None),
    ],
)
def test_a_gpu_that_will_not_do_is_refused_with_both_numbers(capability, shared, reason):
    found = gpu.lacking(capability, shared)
    assert found is None if reason is None else re.search(reason, found)


def test_an_absent_compiler_is_named_with_the_remedy(monkeypatch):
    def load(library):
        if library == "nvrtc":
            raise gpu.DynamicLibNotFoundError

    monkeypatch.setattr(gpu, "load_nvidia_dynamic_lib", load)
    assert "finds no libnvrtc: pip install 'numba-cuda[cu13]'" in gpu.why_not()


def test_a_kernel_opts_in_to_the_shared_memory_that_it_needs(monkeypatch):
    from numba.cuda.cudadrv import driver

    told = []
    fake = SimpleNamespace(cuKernelSetAttribute=lambda *arguments: told.append(arguments))
    monkeypatch.setattr(driver, "driver", fake)
    gpu.allow_shared_memory(SimpleNamespace(handle="kernel", device=SimpleNamespace(id=0)))
    [(attribute, size, handle, device)] = told
    assert attribute.name == "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES"
    assert (size, handle, device) == (cuda_layout.SHARED_BYTES, "kernel", 0)


@pytest.mark.cuda
def test_on_a_gpu_replicas_end_where_they_would_have_ended_alone():
    """More of them than the GPU holds at a time, so that a second launch has one."""
    reason = engines.why_not("fused_cuda", KARPATHY_1989, "cuda")
    if reason is not None:
        pytest.skip(reason)
    x, y = random_digits(60, seed=1)
    labels = y.argmax(axis=1).astype(np.uint8)
    digits = Digits.of("random", Splits(x, labels, x[:20], labels[:20]))
    recipe = replace(KARPATHY_1989, passes=3, lr=0.05, lr_end=0.01)
    wanted = [Replica(seed) for seed in range(gpu.blocks_at_once())] + [Replica(1, lr=0.02)]
    finished = train_replicas("fused_cuda", recipe, digits, wanted, device="cuda").trainings
    for i in (0, 1, len(wanted) // 2, len(wanted) - 2, len(wanted) - 1):
        lr = {} if wanted[i].lr is None else {"lr": wanted[i].lr, "lr_end": wanted[i].lr}
        engine = engines.make("fused_cuda", replace(recipe, **lr), "cuda")
        alone = train(engine, digits, Params.init(wanted[i].seed))
        assert (finished[i].train, finished[i].test) == (alone.train, alone.test)


# --- where things lie ---------------------------------------------------------------------------


def test_every_parameter_has_a_place_of_its_own_and_comes_back(start):
    assert len(set(cuda_layout.PLACES)) == len(cuda_layout.PLACES) == 9760
    back = Params.from_mapping(cuda_layout.unpack(cuda_layout.pack(start)))
    assert back.distance(start)[1] == 0
    assert {name: array.shape for name, array in back.items()} == SHAPES


def test_weights_and_working_values_fit_where_turing_has_room():
    assert cuda_layout.SHARED_BYTES <= 64 * 1024
    assert (
        gpu.EACH * (cuda_layout.SHARED_BYTES + 1024) <= 164 * 1024
    )  # A100; each block costs 1 kB more


@pytest.mark.parametrize(
    "places",
    [
        pytest.param([p * 25 for p in range(6)], id="H1w by plane"),
        pytest.param(
            [4 * g * cuda_layout.PLANE2 + s * 25 for g in range(3) for s in range(8)],
            id="H2w by input",
        ),
        pytest.param([c * cuda_layout.A1_PLANE for c in range(12)], id="H1 by plane"),
        pytest.param([r * cuda_layout.ROW3 for r in range(32)], id="H3w by row"),
        pytest.param([n * cuda_layout.SUMS3 for n in range(30)], id="sums for H3 by unit"),
        pytest.param([y * cuda_layout.D1_ROW for y in range(8)], id="deltas of H1 by row"),
        pytest.param([2 * y * cuda_layout.IMAGE_ROW + 8 * h for y in range(3) for h in range(2)],
                     id="the image by unit"),
    ],
)  # fmt: skip
def test_lanes_of_a_warp_meet_in_different_banks(places):
    assert max(Counter(place % 32 for place in places).values()) == 1


# --- machine code -------------------------------------------------------------------------------


@pytest.fixture(params=["8.0", "9.0"])
def capability(request, monkeypatch):
    """An architecture to compile for, which numba-cuda would read off the GPU."""
    from numba.cuda import dispatcher

    if SIMULATED:
        pytest.skip("the simulator compiles nothing")
    found = tuple(int(part) for part in request.param.split("."))
    here = SimpleNamespace(compute_capability=found)
    monkeypatch.setattr(dispatcher, "get_current_device", lambda: here)
    return found


def compiled(name, capability):
    """The kernel's PTX, or a skip where numba-cuda finds no compiler."""
    missing = gpu.compiler_missing()
    if missing is not None:
        pytest.skip(missing)
    make, signature = KERNELS[name]
    make.__globals__["learner"].cache_clear()
    make.__globals__["answerer"].cache_clear()
    kernel = make().py_func
    ptx, _ = cuda.compile_ptx(kernel, signature, cc=capability, launch_bounds=THREADS)
    return ptx


def assembler():
    """Where ptxas is: in a wheel of NVIDIA's, as libnvvm is, or else on the path."""
    wheels = [str(p) for folder in sys.path for p in Path(folder).glob("nvidia/*/bin/ptxas")]
    return wheels[0] if wheels else shutil.which("ptxas")


@pytest.mark.parametrize("name", KERNELS)
def test_the_kernel_compiles_to_float32_in_registers_and_shared_memory(name, capability):
    ptx = compiled(name, capability)
    assert ".local" not in ptx  # nothing is indexed that should be in a register
    assert ".f64" not in ptx
    assert len(re.findall(r"fma\.rn\.f32", ptx)) > 200
    assert len(re.findall(r"ld\.shared\.", ptx)) > 150
    assert not re.search(r"\sld\.[fb]32", ptx)  # every address is known to be shared or global
    assert "atom" not in ptx


def test_a_step_has_twelve_barriers(capability):
    once = 2  # before the first step and after the last
    assert compiled("learn", capability).count("bar.sync") == 12 + once


@pytest.mark.parametrize("name", KERNELS)
def test_the_assembler_spills_nothing(name, capability, tmp_path):
    ptxas = assembler()
    if ptxas is None:
        pytest.skip("no ptxas: pip install nvidia-cuda-nvcc")
    source = tmp_path / "kernel.ptx"
    source.write_text(compiled(name, capability))
    target = f"-arch=sm_{capability[0]}{capability[1]}"
    done = subprocess.run(
        [ptxas, "-v", target, str(source), "-o", str(tmp_path / "kernel.cubin")],
        capture_output=True,
        text=True,
    )
    said = done.stdout + done.stderr
    if "Unsupported .version" in said:
        pytest.skip(f"{ptxas} is older than libnvvm")
    assert done.returncode == 0, said
    assert "0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads" in said
    registers = int(re.search(r"Used (\d+) registers", said)[1])
    blocks = gpu.EACH if name == "learn" else 1
    assert blocks * registers * THREADS <= MULTIPROCESSOR


def test_numbers_that_numba_must_take_for_float32_are():
    from zipnet.fused_cuda import cuda_functions, cuda_loss, cuda_update

    for module, names in (
        (cuda_functions, "ZERO ONE TWO"),
        (cuda_loss, "TENTH"),
        (cuda_update, "SMALL"),
    ):
        assert all(isinstance(getattr(module, name), np.float32) for name in names.split())

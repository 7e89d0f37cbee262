"""fused_cuda without a GPU: its compiled kernels on a CPU, their registers and banks, its reasons.

The laws of the contract hold the same PTX to account (tests/test_engine_laws.py); on a GPU,
`pytest -m cuda` holds the GPU itself.
"""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import ptx_on_cpu
from tests.conftest import MODERN, random_digits
from tests.ptx_on_cpu import SimulatedGpu, bank_cycles
from zipnet import devices, engines
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.errors import UserError
from zipnet.fused_cuda import cuda_layout
from zipnet.params import SHAPES, Params
from zipnet.recipe import AS_PRINTED, KARPATHY_1989
from zipnet.replicas import Replica, train_replicas
from zipnet.training import train
from zipnet.verify import trajectory, verify

pytest.importorskip("cuda.bindings.nvrtc", reason="cuda-bindings is not installed")

from zipnet.engines.fused_cuda import FusedCuda
from zipnet.fused_cuda import cuda_compiling, gpu
from zipnet.fused_cuda.cuda_compiling import LEARNERS, KernelChoices, source
from zipnet.fused_cuda.cuda_layout import SHARED_BYTES, THREADS

REGISTERS = 65_536  # of one multiprocessor, since Kepler: CUDA C++ Programming Guide
CHOICES = {
    "one": KernelChoices(),
    "batches": KernelChoices(one_by_one=False),
    "modern": KernelChoices("relu", "identity", "cross_entropy", "adamw"),
    "modern batches": KernelChoices("relu", "identity", "cross_entropy", "adamw", one_by_one=False),
}
SCALED = replace(KARPATHY_1989, activation="scaled_tanh", output="scaled_tanh", lr=0.01)


@pytest.fixture
def compiler():
    missing = cuda_compiling.compiler_missing()
    if missing is not None:
        pytest.skip(missing)


@pytest.fixture
def simulated(monkeypatch):
    """Kernels on the CPU."""
    missing = ptx_on_cpu.why_not()
    if missing is not None:
        pytest.skip(missing)
    stand_in = SimulatedGpu()
    stand_in.take_the_place(monkeypatch)
    return stand_in


# --- where it runs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recipe", "reason"),
    [
        (AS_PRINTED, "second derivatives"),
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
        ((8, 6), 49_152, f"needs {SHARED_BYTES:,} bytes .* this GPU offers 49,152"),
        ((7, 5), 65_536, None),
        ((9, 0), 232_448, None),
    ],
)
def test_a_gpu_that_will_not_do_is_refused_with_both_numbers(capability, shared, reason):
    found = gpu.lacking(capability, shared)
    assert found is None if reason is None else re.search(reason, found)


def test_an_absent_compiler_is_named_with_the_remedy(monkeypatch):
    def load(library):
        raise cuda_compiling.DynamicLibNotFoundError

    monkeypatch.setattr(cuda_compiling, "load_nvidia_dynamic_lib", load)
    monkeypatch.setenv("PATH", "")
    assert "pip install 'nvidia-cuda-nvrtc==" in gpu.why_not()
    cuda_compiling.compiled.cache_clear()
    with pytest.raises(UserError, match="no libnvrtc"):
        cuda_compiling.compiled(KernelChoices(), "sm_90")


def test_the_compiler_of_a_toolkit_is_found_through_its_nvcc(compiler, tmp_path):
    """nvcc may be a script that calls one elsewhere, and CUDA_HOME need not be set."""
    found = Path(cuda_compiling.load_nvidia_dynamic_lib("nvrtc").abs_path)
    toolkit, nvcc = tmp_path / "cuda", tmp_path / "path" / "nvcc"
    for folder in (toolkit / "bin", toolkit / "lib64", nvcc.parent):
        folder.mkdir(parents=True)
    for library in found.parent.glob("libnvrtc*"):
        (toolkit / "lib64" / library.name).symlink_to(library)
    nvcc.write_text(f"#!/bin/sh\necho '#$ _SPACE_= \n#$ TOP={toolkit}/bin/..' >&2\n")
    nvcc.chmod(0o755)
    hidden = (  # a process whose pathfinder finds only what is loaded already
        "import ctypes, os\n"
        "from zipnet.fused_cuda import cuda_compiling as c\n"
        "def load(name):\n"
        "    try: ctypes.CDLL(f'lib{name}.so.13', os.RTLD_NOLOAD)\n"
        "    except OSError: raise c.DynamicLibNotFoundError from None\n"
        "c.load_nvidia_dynamic_lib = load\n"
        "print(c.compiler_missing())\n"
    )
    home = {"CUDA_HOME": "", "CUDA_PATH": ""}
    for path, said in ((nvcc.parent, "None\n"), (toolkit, "no libnvrtc of CUDA")):
        done = subprocess.run(
            [sys.executable, "-c", hidden],
            capture_output=True,
            text=True,
            env={**os.environ, **home, "PATH": f"{path}:/usr/bin:/bin"},
        )
        assert done.stdout.startswith(said), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("capability", "target"),
    [((9, 0), "sm_90"), ((7, 5), "sm_75"), ((99, 0), r"compute_\d+")],
)
def test_a_gpu_newer_than_the_compiler_gets_the_newest_ptx(compiler, capability, target):
    assert re.fullmatch(target, cuda_compiling.target_for(capability))


def test_what_was_compiled_is_kept_and_another_source_is_compiled_anew(
    compiler, monkeypatch, tmp_path
):
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path))
    compiled = cuda_compiling.compiled.__wrapped__
    calls = []
    monkeypatch.setattr(cuda_compiling, "_compile", lambda *asked: calls.append(asked) or b"code")
    assert compiled(KernelChoices(), "sm_90") == compiled(KernelChoices(), "sm_90") == b"code"
    assert len(calls) == 1
    compiled(KernelChoices(), "sm_80")
    compiled(KernelChoices("relu"), "sm_90")
    monkeypatch.setattr(cuda_compiling, "source", lambda choices: source(choices) + " ")
    compiled(KernelChoices(), "sm_90")
    assert len(calls) == 4
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path / next(iter(tmp_path.rglob("*")))))
    assert compiled(KernelChoices("relu", "identity"), "sm_90") == b"code"


def test_what_does_not_compile_is_said_in_the_compilers_words(compiler, monkeypatch):
    monkeypatch.setattr(cuda_compiling, "source", lambda choices: "__device__ int f = nonsense;")
    with pytest.raises(UserError, match=r'for sm_90: .*"nonsense" is undefined'):
        cuda_compiling._compile(KernelChoices(), "sm_90")


HOST = """
from dataclasses import replace
from types import SimpleNamespace
import torch
from zipnet.engines.fused_cuda import FusedCuda, ManyFusedCuda
from zipnet.fused_cuda import gpu
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989
import numpy as np
torch.cuda.get_device_capability = lambda device: (9, 0)
torch.cuda.get_device_properties = lambda device: SimpleNamespace(multi_processor_count=132)
torch.cuda.current_stream = lambda device: SimpleNamespace(cuda_stream=0)
gpu.DEVICE = torch.device("cpu")
print(gpu.why_not(), FusedCuda.at_once(KARPATHY_1989, 'cuda', None))
many = ManyFusedCuda(KARPATHY_1989)
many.load([Params.init(0)] * 3)
many._state.weights.fill_(1); many._state.learn.taken = 7
many._state.moments[0].fill_(2); many._state.moments[1].fill_(3)
many.rates = [0.5, 0.25, 0.125]
x = np.arange(4.0).reshape(-1, 1, 1, 1) + np.zeros((4, 1, 16, 16))
for batch in (2, 1):
    placed = many.place(x, -x[:, 0, 0, :10], batch)
    placed.x.losses[:], placed.x.outputs[:] = torch.arange(4 // batch) + 10, 20
    if batch == 2:
        many.run(replace(placed, x=replace(placed.x, steps=0)))
        many._state.slices.sums.fill_(30)
    many.run(placed)
many.predict(placed)
"""


def test_the_driver_is_asked_for_what_the_kernels_take(compiler, tmp_path):
    """The host's side for real, down to a libcuda that prints what a GPU would be given."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("the stand-in for libcuda is built by gcc, for Linux")
    library = tmp_path / "libcuda.so.1"
    made = Path(__file__).with_name("fake_libcuda.c")
    subprocess.run(["gcc", "-w", "-shared", "-fPIC", "-o", library, made, "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-c", HOST],
        capture_output=True,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    said, *launches = done.stdout.splitlines()
    alone, batches = (CHOICES[name].shared_bytes for name in ("one", "batches"))
    assert said == f"None {232_448 // alone * 132}"
    blocks, decay = cuda_layout.WEIGHTS // 32 + 1, f"{KARPATHY_1989.weight_decay:g}"
    assert launches == [
        f"slice<<<(2, 3, 1), {THREADS}, {batches}>>> 1 0 -0 30 2",
        f"descend<<<({blocks}, 3, 1), {THREADS}, {batches}>>> 1 2 3 30 0.5 10 2 2 {decay} 8",
        f"slice<<<(2, 3, 1), {THREADS}, {batches}>>> 1 2 -2 30 2",
        f"descend<<<({blocks}, 3, 1), {THREADS}, {batches}>>> 1 2 3 30 0.5 11 2 2 {decay} 9",
        f"learn<<<(3, 1, 1), {THREADS}, {alone}>>> 1 2 3 0 -0 0.5 10 4 {decay} 9",
        f"answer<<<(4, 3, 1), {THREADS}, {alone}>>> 1 0 20 4",
    ]


# --- replicas, and where things lie ---------------------------------------------------------------


def ends_as_alone(wanted, looked_at, batch=1):
    x, y = random_digits(12, seed=1)
    labels = y.argmax(axis=1).astype(np.uint8)
    digits = Digits.of("random", Splits(x, labels, x[:5], labels[:5]))
    recipe = replace(KARPATHY_1989, passes=2, lr=0.05, lr_end=0.01, batch=batch)
    finished = train_replicas("fused_cuda", recipe, digits, wanted, device="cuda").trainings
    for i in looked_at:
        lr = {} if wanted[i].lr is None else {"lr": wanted[i].lr, "lr_end": wanted[i].lr}
        engine = engines.make("fused_cuda", replace(recipe, **lr), "cuda")
        alone = train(engine, digits, Params.init(wanted[i].seed))
        assert (finished[i].train, finished[i].test) == (alone.train, alone.test)


@pytest.mark.parametrize("batch", [1, 6])
def test_replicas_end_where_they_would_have_ended_alone(batch, simulated, monkeypatch):
    """Three of them, two to a launch, with seeds and learning rates of their own."""
    monkeypatch.setattr(FusedCuda, "why_not", classmethod(lambda *_: None))
    monkeypatch.setattr(gpu, "blocks_at_once", lambda choices: 2)
    ends_as_alone([Replica(0), Replica(1, lr=0.2), Replica(1)], range(3), batch)


def test_digits_are_learnt_by_as_many_networks_as_they_were_placed_for(simulated, start):
    many = FusedCuda.many(KARPATHY_1989, "cuda")
    many.load([start, start])
    placed = many.place(*random_digits(2), 1)
    many.load([start] * 3)
    for call in (many.run, many.predict):
        with pytest.raises(ValueError, match="placed for 2 networks, and 3 are loaded"):
            call(placed)


@pytest.mark.cuda
def test_on_a_gpu_replicas_end_where_they_would_have_ended_alone():
    """More of them than the GPU holds at a time, so that a second launch has one."""
    reason = engines.why_not("fused_cuda", KARPATHY_1989, "cuda")
    if reason is not None:
        pytest.skip(reason)
    at_once = FusedCuda.at_once(KARPATHY_1989, "cuda", None)
    wanted = [Replica(seed) for seed in range(at_once)] + [Replica(1, lr=0.02)]
    ends_as_alone(wanted, (0, 1, len(wanted) // 2, len(wanted) - 2, len(wanted) - 1))


def test_every_parameter_has_a_place_of_its_own_and_comes_back(start):
    assert len(set(cuda_layout.PLACES)) == len(cuda_layout.PLACES) == 9760
    back = Params.from_mapping(cuda_layout.unpack(cuda_layout.pack(start)))
    assert back.distance(start)[1] == 0
    assert {name: array.shape for name, array in back.items()} == SHAPES


def test_weights_and_working_values_fit_where_turing_and_consumers_gpus_have_room():
    assert SHARED_BYTES <= 64 * 1024
    alone = CHOICES["one"].shared_bytes
    assert alone <= 48 * 1024  # for the asking
    assert LEARNERS * (alone + cuda_layout.RESERVED) <= 100 * 1024  # compute capability 8.6 to 12.0


# --- machine code ---------------------------------------------------------------------------------

# Registers a thread at most, in the eights in which they are given out, by NVRTC and ptxas 13.5.
# Nothing lies on the stack, nothing is spilled.
ARCHITECTURES = (75, 80, 86, 89, 90, 100, 120)
TABLE = {
    ("one", "learn"): (80, 80, 80, 80, 80, 80, 80),
    ("modern", "learn"): (112, 112, 112, 112, 112, 128, 128),
    ("one", "answer"): (80, 80, 80, 80, 80, 80, 80),
    ("modern", "answer"): (80, 80, 80, 80, 80, 80, 80),
    ("batches", "slice"): (112, 112, 120, 120, 120, 128, 128),
    ("modern batches", "slice"): (104, 104, 120, 120, 120, 128, 128),
    ("batches", "descend"): (32, 32, 32, 32, 32, 32, 32),
    ("modern batches", "descend"): (32, 32, 32, 32, 32, 32, 32),
}


def assembler():
    """Where ptxas is: in a wheel of NVIDIA's, as NVRTC is, or else on the path."""
    wheels = [str(p) for folder in sys.path for p in Path(folder).glob("nvidia/*/bin/ptxas")]
    return wheels[0] if wheels else shutil.which("ptxas")


def assembled(ptx, architecture, folder):
    """Each kernel's (registers, bytes of stack, of spills stored and loaded, of shared memory)."""
    ptxas = assembler()
    if ptxas is None:
        pytest.skip("no ptxas: pip install nvidia-cuda-nvcc")
    path = folder / "kernels.ptx"
    path.write_text(ptx)
    options = ["-v", f"-arch=sm_{architecture}", "-o", str(folder / "kernels.cubin")]
    done = subprocess.run([ptxas, *options, str(path)], capture_output=True, text=True)
    said = done.stdout + done.stderr
    if "Unsupported .version" in said:
        pytest.skip(f"{ptxas} is older than NVRTC")
    assert done.returncode == 0, said
    found = {}
    for about in said.split("Function properties for ")[1:]:
        stack = re.search(r"(\d+) bytes stack frame, (\d+) .*stores, (\d+) .*loads", about)
        used = re.search(r"Used (\d+) registers", about)
        shared = re.search(r"(\d+) bytes smem", about)
        numbers = [used[1], *stack.groups(), shared[1] if shared else 0]
        found[about.split()[0]] = tuple(map(int, numbers))
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", CHOICES)
def test_registers_and_memory_keep_to_the_table(compiler, name, architecture, tmp_path):
    ptx = ptx_on_cpu.compiled(CHOICES[name], f"compute_{architecture}")
    for kernel, (registers, *memory) in assembled(ptx, architecture, tmp_path).items():
        assert memory == [0, 0, 0, 0]  # shared memory is asked for at the launch
        assert registers <= TABLE[name, kernel][ARCHITECTURES.index(architecture)]
        blocks = LEARNERS if (name, kernel) == ("one", "learn") else 1
        assert blocks * registers * THREADS <= REGISTERS


@pytest.mark.parametrize("name", CHOICES)
def test_a_kernel_is_float32_in_registers_and_shared_memory(compiler, name):
    ptx = ptx_on_cpu.compiled(CHOICES[name])
    assert ".local" not in ptx  # nothing is indexed that should be in a register
    assert ".f64" not in ptx
    assert "atom" not in ptx
    assert not re.search(r"\s(ld|st)\.(v\d\.)?[fbu]32", ptx)  # each is known as shared or global
    once = 2  # before the first step and after the last
    updates = name == "modern"  # after a step, from its gradients
    barriers = {"learn": 7 + once + updates, "slice": 7 + once, "descend": 1, "answer": 3 + 2}
    for kernel in re.findall(r"\.entry (\w+)\(", ptx):
        body = "\n".join(ptx_on_cpu.entry(ptx, kernel)[1])
        assert body.count("bar.sync") == barriers[kernel]


# --- the compiled kernels on a CPU ----------------------------------------------------------------


@pytest.mark.parametrize("target", ["compute_75", "compute_100", "compute_120"])
@pytest.mark.parametrize(
    ("recipe", "batch"),
    [(KARPATHY_1989, 1), (KARPATHY_1989, 4), (MODERN, 1), (MODERN, 4), (SCALED, 1)],
    ids=[*CHOICES, "scaled"],
)
def test_code_for_other_gpus_follows_the_reference(simulated, start, recipe, batch, target):
    """The laws are held by that for compute_90."""
    simulated.compiler = lambda choices: ptx_on_cpu.compiled(choices, target)
    recipe = replace(recipe, batch=batch)
    path = trajectory(start, recipe, *random_digits(8), batch=batch)
    found = verify(FusedCuda(recipe, "cpu"), path)
    assert found.param_distance < 2e-6


def spoilt(spoil):
    """A compiler whose PTX of learn() has been spoilt: the simulator must see it."""

    def compiler(choices):
        head, learn = ptx_on_cpu.compiled(choices).split(".entry learn(")
        assert spoil(learn) != learn
        return f"{head}.entry learn({spoil(learn)}"

    return compiler


def nth(pattern, n, text):
    """Replace the nth match."""

    def spoil(ptx):
        match = list(re.finditer(pattern, ptx, re.DOTALL))[n]
        return ptx[: match.start()] + match.expand(text) + ptx[match.end() :]

    return spoil


TID = r"mov\.u32\s+(%r\d+), %tid\.x;"


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        # The third barrier stands between H2 and those who read it.
        (nth(r"bar\.sync\s+0;", 3, ""), "'races': [1-9]"),
        (nth(r"bar\.warp\.sync[^;]*;", 0, ""), "'races': [1-9]"),
        (
            nth(rf"({TID}.*?)bar\.sync", 0, r"\1setp.lt.s32 %p1, \2, 99;\n@%p1 bar.sync"),
            "'divergent': [1-9]",
        ),
        (
            nth(rf"({TID}.*?)shfl", 0, r"\1setp.lt.s32 %p1, \2, 9;\n@%p1 shfl"),
            "'divergent': [1-9]",
        ),
        (nth(r"((?:bar\.sync.*?){3})st\.shared[^;]*;", 0, r"\1"), "'unwritten': [1-9]"),
        (nth(r"(ld\.shared\.f32\s+%f\d+, \[%r\d+\+)(\d\d)", 0, r"\g<1>999\2"), "'outside': [1-9]"),
        (nth(r"(ld\.shared\.f32\s+%f\d+, \[%r\d+)", 0, r"\g<1>+2]; //"), "'unaligned': [1-9]"),
    ],
    ids=[
        *("race", "race in a warp", "divergent barrier", "divergent shuffle"),
        *("uninitialised", "outside", "unaligned"),
    ],
)
def test_the_simulator_finds_what_is_wrong(simulated, start, spoil, fault):
    simulated.compiler = spoilt(spoil)
    engine = FusedCuda(KARPATHY_1989, "cpu")
    engine.load(start)
    with pytest.raises(AssertionError, match=fault):
        engine.run(engine.place(*random_digits(2), 1))


def test_an_instruction_that_is_not_known_is_named(simulated, start):
    simulated.compiler = spoilt(nth(r"fma\.rn\.f32", 0, "fma.rz.f32"))
    engine = FusedCuda(KARPATHY_1989, "cpu")
    engine.load(start)
    with pytest.raises(OSError, match="undefined symbol: fma_rz_f32"):
        engine.run(engine.place(*random_digits(2), 1))


# --- banks ----------------------------------------------------------------------------------------


def accesses(*rows):
    """(thread, word, words) each, of one instruction."""
    return np.array([(1, 5, 0, t, w, n, 0) for t, w, n in rows], ptx_on_cpu.ACCESS)


@pytest.mark.parametrize(
    ("rows", "cycles", "least"),
    [
        ([(t, t, 1) for t in range(32)], 1, 1),
        ([(t, 7, 1) for t in range(32)], 1, 1),  # one word for all
        ([(t, 2 * t, 1) for t in range(32)], 2, 1),
        ([(t, 32 * t, 1) for t in range(32)], 32, 1),
        ([(t, 25 * t, 1) for t in range(32)], 1, 1),
        ([(t, 4 * t, 4) for t in range(32)], 4, 4),  # 128 words: a quarter of the warp a cycle
        ([(t, 8 * t, 4) for t in range(32)], 8, 4),
        ([(t, 0, 4) for t in range(8)], 1, 1),
    ],
)  # fmt: skip
def test_cycles_of_a_warps_access_are_counted_by_banks(rows, cycles, least):
    found = bank_cycles(accesses(*rows))
    assert (found["cycles"].sum(), found["least"].sum()) == (cycles, least)


# What bounds one presentation, counted from the PTX for compute_90 that tox.ini's NVRTC writes; at
# most, as compilers differ. Cycles of shared memory, a shuffle being one; what they would be if
# lanes never met in a bank; instructions of the busiest of four schedulers, that issue one a cycle.
CYCLES = {
    "H1": (450, 378, 485),
    "H2": (480, 456, 668),
    "H3, sums": (204, 204, 273),
    "H3, outputs, their deltas; outw learns": (90, 86, 240),
    "deltas of H2; H3w, H2b learn": (240, 240, 192),
    "deltas of H1; H1b learns; the next image": (635, 579, 647),
    "H2w, H1w learn": (880, 838, 925),
}


def test_cycles_of_a_presentation_keep_to_the_table(simulated, start):
    """Phase 1 fills the memory, 2 brings the first image: the second presentation is looked at."""
    first = 3 + len(CYCLES)
    simulated.log = range(first, first + len(CYCLES))
    engine = FusedCuda(KARPATHY_1989, "cpu")
    engine.load(start)
    engine.run(engine.place(*random_digits(3), 1))
    found = bank_cycles(simulated.accesses)
    assert set(found["phase"]) == set(simulated.log)
    phases = [found[found["phase"] == phase] for phase in simulated.log]
    schedulers = simulated.issued.reshape(len(CYCLES), -1, 4).sum(axis=1)  # warp i is of i % 4
    for (name, most), phase, issued in zip(CYCLES.items(), phases, schedulers, strict=True):
        counted = int(phase["cycles"].sum()), int(phase["least"].sum()), int(issued.max())
        assert all(n <= bound for n, bound in zip(counted, most, strict=True)), f"{name}: {counted}"

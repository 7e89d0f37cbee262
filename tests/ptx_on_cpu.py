"""PTX on a CPU: what CUDA's compiler made of a kernel, translated to C and run, a fibre a thread.

It is a debugger as much as a processor. Shared memory begins as NaN, and reading what nobody wrote
is a fault, as are two threads at one word between the same barriers, an address outside or not
aligned, and a barrier that some threads do not reach. Global memory is the host's. Every access of
a warp to shared memory can be logged, from which bank_cycles() counts what it costs.

Only what NVRTC makes of zipnet's kernels is understood; another instruction is a function that the
linker misses, and names. Approximate instructions are exact here, so results agree with
a GPU's to rounding, not to the bit.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import torch

from zipnet.fused_cuda.cuda_layout import THREADS

try:
    from zipnet.fused_cuda import cuda_compiling, gpu
except ModuleNotFoundError as error:
    ABSENT = f"{error.name} is not installed"
else:
    ABSENT = None

TARGET = "compute_90"
RUNTIME = Path(__file__).with_name("ptx_runtime.h")
REGISTERS = {"pred": "pred", "b16": "u16", "b32": "u32", "f32": "u32", "b64": "u64"}
UNISSUED = ("mov", "cvta", "ld.param", "bar.sync")  # what costs a warp nothing, or is no work
FAULTS = ("races", "unwritten", "outside", "divergent", "unaligned", "site")
ACCESS = np.dtype(
    [(n, "u4") for n in ["phase", "site", "turn", "thread", "word", "words", "store"]]
)


def why_not():
    """None where kernels can be compiled and run here; otherwise what is missing."""
    if sys.platform != "linux" or not shutil.which("gcc"):
        return "PTX is translated for Linux, and by gcc"
    return ABSENT or cuda_compiling.compiler_missing()


def compiled(choices, target=TARGET):
    return cuda_compiling.compiled(choices, target).rstrip(b"\0").decode()


# --- translation ----------------------------------------------------------------------------------


def entry(ptx, name):
    """The lines of a kernel's body, and of its head."""
    head, body = re.search(rf"\.entry {name}\((.*?)\n\{{(.*?)\n\}}", ptx, re.DOTALL).groups()
    return head, [line.partition("//")[0].strip() for line in body.splitlines()]


def operand(text):
    """A register, a special one, a number, or the address of the block's shared memory, in C."""
    if text.startswith("%"):
        name = text[1:].replace(".", "_")
        return f"t->{name}" if name.startswith(("tid", "ntid", "ctaid", "nctaid")) else name
    if text.startswith("0f"):
        return f"0x{text[2:]}u"
    return "0" if text == "a" else text


def address(text):
    base, _, offset = text.strip("[]").partition("+")
    return f"{operand(base)}+({offset or 0})"


def instruction(line, site, used):
    """One instruction as statements in C. used: the words of a wide load that count, as bits."""
    mnemonic, _, rest = line.rstrip(";").replace("\t", " ").partition(" ")
    parts = re.findall(r"\{[^}]*\}|\[[^\]]*\]|[^,\s]+", rest)
    kind, space, *_ = [*mnemonic.split("."), ""]
    if kind == "bra":
        return f"goto {parts[0].lstrip('$')};"
    if kind == "ret":
        return "return;"
    if mnemonic == "bar.sync":
        return f"wait_for(BLOCK, {site});"
    if mnemonic == "bar.warp.sync":
        return f"warp_sync({operand(parts[0])}, {site});"
    if mnemonic == "shfl.sync.bfly.b32":
        taken, bit, mask = parts[1], operand(parts[2]), operand(parts[4])
        to = operand(parts[0].partition("|")[0])
        return f"{to} = shuffle({operand(taken)}, {bit}, {mask}, {site});"
    if mnemonic.startswith("ld.param"):
        size, number = mnemonic[-2:], parts[1].strip("[]").rpartition("_")[2]
        return f"memcpy(&{operand(parts[0])}, params[{number}], {size} / 8);"
    if kind in ("ld", "st"):
        store = kind == "st"
        values = parts[1] if store else parts[0]
        where = address(parts[0] if store else parts[1])
        names = [operand(name) for name in re.split(r",\s*", values.strip("{}"))]
        moves = [
            f"store_{space}({where}, {i}, {name});"
            if store
            else f"{name} = load_{space}({where}, {i});"
            for i, name in enumerate(names)
        ]
        if space == "shared":
            moves.insert(0, f"touch({where}, {site}, {len(names)}, {used}, {int(store)});")
        return " ".join(moves)
    if mnemonic.startswith("mov.b") and parts[1].startswith("{"):
        mnemonic = f"pack{mnemonic[5:]}"
        parts = [parts[0], *re.split(r",\s*", parts[1].strip("{}"))]
    arguments = ", ".join(map(operand, parts[1:]))
    return f"{operand(parts[0])} = {mnemonic.replace('.', '_')}({arguments});"


def translated(ptx, name):
    """The kernel in C; an instruction's site is its line in the body."""
    _, body = entry(ptx, name)
    lines = [f"#define SITES {len(body) + 1}", f'#include "{RUNTIME}"']
    lines.append("static void body(Thread *t) {")
    used = 15
    for site, line in enumerate(body):
        if declared := re.match(r"\.reg \.(\w+)\s+%(\w+)<(\d+)>", line):
            kind, prefix, count = declared.groups()
            names = ", ".join(f"{prefix}{i} = 0" for i in range(int(count)))
            lines.append(f"{REGISTERS[kind]} {names};")
        elif label := re.match(r"\$(\w+):", line):
            lines.append(f"{label[1]}:;")
        elif mask := re.match(r'\.pragma "used_bytes_mask (\w+)"', line):
            used = sum(1 << word for word in range(4) if int(mask[1], 0) >> 4 * word & 15)
        elif line and not line.startswith((".", "{", "}")):
            guard = re.match(r"@(!?)%(p\d+)\s+", line)
            condition = f"if ({guard[1]}{guard[2]}) " if guard else ""
            rest = line[guard.end() if guard else 0 :]
            counted = "" if rest.startswith(UNISSUED) else f"issue({site}); "
            lines.append(f"{condition}{{ {counted}{instruction(rest, site, used)} }}")
            used = 15
    return "\n".join([*lines, "}"])


@cache
def built(ptx, name, watched):
    """The kernel as a function of this process; watched, it counts what it issues."""
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder, "kernel.c"), Path(folder, "kernel.so")
        source.write_text(translated(ptx, name))
        options = ["-DWATCHED"] * watched + ["-O0", "-w", "-march=native", "-Wl,-z,now"]
        options += ["-ffp-contract=off", "-shared", "-fPIC", "-o", str(library), str(source), "-lm"]
        subprocess.run(["gcc", *options], check=True)
        return ctypes.CDLL(str(library)).run


# --- running --------------------------------------------------------------------------------------


class SimulatedGpu:
    """In place of the GPU: launches run at once, and a fault is an AssertionError.

    log: the phases, counted from 1, of which two things are kept: `accesses` to shared memory, and
    what was `issued`, instructions by (phase, warp).
    """

    def __init__(self, log=range(0), compiler=compiled):
        self.log, self.compiler, self.accesses, self.issued = log, compiler, None, None

    def launch(self, name, choices, grid, arguments):
        run = built(self.compiler(choices), name, bool(self.log))
        faults, used = np.zeros(len(FAULTS), np.uint32), ctypes.c_uint64()
        self.issued = np.zeros((len(self.log), THREADS // 32), np.uint32)
        room = np.empty(1 << 20 if self.log else 0, ACCESS)
        run(
            ctypes.c_void_p(arguments.address), *grid, THREADS, choices.shared_bytes,
            faults.ctypes.data_as(ctypes.c_void_p),
            room.ctypes.data_as(ctypes.c_void_p), ctypes.c_uint64(len(room)), self.log.start,
            self.log.stop, ctypes.byref(used), self.issued.ctypes.data_as(ctypes.c_void_p),
        )  # fmt: skip
        assert used.value < max(1, len(room)), "the log is full"
        self.accesses = room[: used.value]
        found = dict(zip(FAULTS, faults.tolist(), strict=True))
        assert not faults.any(), f"{name}: {found}, line of the kernel's PTX: {found['site']}"

    def take_the_place(self, monkeypatch):
        """Of the GPU that fused_cuda finds, with room for three blocks; arrays are the CPU's."""
        monkeypatch.setattr(gpu, "DEVICE", torch.device("cpu"))
        monkeypatch.setattr(gpu, "launch", self.launch)
        monkeypatch.setattr(gpu, "blocks_at_once", lambda choices: 3)


def bank_cycles(accesses):
    """What each access of a warp costs: (phase, site, turn, warp, cycles, least cycles).

    32 banks give a word each a cycle, one word to any many lanes. Wider accesses are served in
    halves or quarters of a warp.
    """
    found = []
    warps = accesses["thread"] // 32
    keys = np.stack([accesses[k] for k in ("phase", "site", "turn")] + [warps], axis=1)
    order = np.lexsort(keys.T[::-1])
    accesses, keys = accesses[order], keys[order]
    ends = np.flatnonzero(np.any(np.diff(keys, axis=0), axis=1)) + 1
    for key, group in zip(keys[[0, *ends]], np.split(accesses, ends), strict=True):
        width = int(group["words"][0])
        lanes = group["thread"] % 32 // (32 // width)
        cycles = least = 0
        for part in range(width):
            first = group["word"][lanes == part]
            touched = np.unique(first[:, None] + np.arange(width))
            if len(touched):
                cycles += int(np.bincount(touched % 32).max())
                least += -(-len(touched) // 32)
        found.append((*map(int, key), cycles, least))
    return np.array(found, [(n, int) for n in ["phase", "site", "turn", "warp", "cycles", "least"]])

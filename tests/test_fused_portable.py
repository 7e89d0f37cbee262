"""The fused kernel is generic LLVM: it lowers for other machines, with their vectors."""

import re

import numpy as np
import pytest
from llvmlite import binding
from numba import njit, typeof, types

from zipnet.fused.choices import Choices
from zipnet.fused.example import learn
from zipnet.fused.lanes import address


@pytest.fixture(scope="module")
def kernel():
    """LLVM's own text of one step of SGD."""
    addresses = (types.intp,) * 4

    @njit(
        (typeof(Choices()), *addresses, types.float32),
        error_model="numpy",
        no_cpython_wrapper=True,
        _nrt=False,  # nothing to count references of: no call into numba's runtime
    )
    def step(choices, w, s, x, y, rate):
        t = address(w)
        return learn(
            choices, t, address(s), address(x), address(y), 1, np.float32(1), t, -rate, 0, 0
        )

    return step.inspect_llvm(step.signatures[0])


def lower(kernel, triple, cpu, features=""):
    """Assembly of the kernel for a machine that need not be this one."""
    binding.initialize_all_targets()
    binding.initialize_all_asmprinters()
    try:
        target = binding.Target.from_triple(triple)
    except RuntimeError as error:
        pytest.skip(f"this llvmlite cannot make code for {triple}: {error}")
    machine = target.create_target_machine(cpu=cpu, features=features, opt=3)
    text = re.sub("target triple = .*", f'target triple = "{triple}"', kernel)
    text = re.sub("target datalayout = .*", f'target datalayout = "{machine.target_data}"', text)
    return machine.emit_assembly(binding.parse_assembly(text))


def test_nothing_in_the_kernel_belongs_to_one_kind_of_machine(kernel):
    assert not re.search(r"llvm\.(x86|aarch64|arm)\.", kernel)
    assert "target-cpu" not in kernel
    assert "llvm.fmuladd.v8f32" in kernel
    assert "llvm.fmuladd.v16f32" in kernel


@pytest.mark.parametrize("triple", ["aarch64-unknown-linux-gnu", "arm64-apple-macosx"])
def test_the_kernel_lowers_to_neon(kernel, triple):
    assembly = lower(kernel, triple, "generic", "+neon")
    assert len(re.findall(r"\tfmla(?:\.4s)?\tv\d+", assembly)) > 1000
    assert "fmaf" not in assembly


def test_the_kernel_lowers_to_sse_without_avx(kernel):
    assembly = lower(kernel, "x86_64-unknown-linux-gnu", "x86-64")
    assert "ymm" not in assembly
    assert len(re.findall(r"\tmulps\t", assembly)) > 1000
    assert "fmaf" not in assembly  # two instructions instead of one, not a call for each lane


def test_the_kernel_lowers_to_avx2(kernel):
    assembly = lower(kernel, "x86_64-unknown-linux-gnu", "haswell")
    assert len(re.findall(r"\tvfmadd\d+ps\t.*ymm", assembly)) > 300
    assert "zmm" not in assembly


def test_the_kernel_lowers_to_avx512(kernel):
    assembly = lower(kernel, "x86_64-unknown-linux-gnu", "skylake-avx512")
    assert re.search(r"\tvfmadd\d+ps\t.*zmm", assembly)

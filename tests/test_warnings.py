"""What libraries remark about themselves breaks no law; what our own lines cause does.

Which remarks there are hangs on versions and on the machine: on a GPU there are others than here.
"""

import warnings

import pytest
import torch

from zipnet import engines
from zipnet.recipe import KARPATHY_1989


def test_inductors_advice_on_tensorfloat32_is_no_error(monkeypatch):
    from torch._inductor import compile_fx  # takes seconds, which every worker would spend

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (9, 0))
    assert torch.backends.cuda.matmul.fp32_precision != "tf32"
    compile_fx._warn_tf32_disabled()


@pytest.mark.parametrize("module", ["numba.cuda.dispatcher", "torch._inductor.fx", "zipnets.other"])
@pytest.mark.parametrize("category", [UserWarning, DeprecationWarning, FutureWarning])
def test_a_librarys_remark_is_no_error(module, category):
    warnings.warn_explicit("Grid size 1 will likely ...", category, "file.py", 1, module=module)


@pytest.mark.parametrize("module", ["zipnet", "zipnet.engines.eager", "bench.measuring.session"])
def test_what_our_lines_cause_is_an_error(module):
    with pytest.raises(DeprecationWarning):
        warnings.warn_explicit("gone soon", DeprecationWarning, "file.py", 1, module=module)
    with pytest.raises(UserWarning, match="of a test"):
        warnings.warn("of a test", stacklevel=1)


def test_a_library_that_breaks_on_import_is_an_absence_with_its_reason(monkeypatch):
    """Whatever it raises: numpy 2.5 has no row_stack, and who uses it fails in its own way."""

    def load(name):
        raise AttributeError("module 'numpy' has no attribute 'row_stack'")

    monkeypatch.setattr(engines, "kind", load)
    reason = engines.why_not("fused_cuda", KARPATHY_1989, "cuda")
    assert reason == "its library does not load: module 'numpy' has no attribute 'row_stack'"

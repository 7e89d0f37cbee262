"""xla's programs for a GPU are to repeat themselves; that JAX knows the options, a CPU shows."""

import pytest

from tests.conftest import random_digits
from zipnet import schemes
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989
from zipnet.verify import trajectory, verify

jax = pytest.importorskip("jax")
xla = pytest.importorskip("zipnet.engines.xla")


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_programs_for_a_gpu_are_told_to_repeat_themselves(monkeypatch, start, device):
    cpu, jit, told = jax.devices("cpu"), jax.jit, []
    monkeypatch.setattr(jax, "devices", lambda platform: cpu)
    monkeypatch.setattr(jax, "jit", lambda f, **options: told.append(options) or jit(f, **options))
    engine = xla.Xla(KARPATHY_1989, device)
    wanted = xla.REPEATABLE if device == "cuda" else None
    assert told == [{"compiler_options": wanted}] * 2
    verify(engine, trajectory(start, KARPATHY_1989, *random_digits(4), batch=1))
    assert engine.numpy(engine.predict(engine.place(*random_digits(4), 1))).shape == (4, 10)


@pytest.mark.parametrize("by_taps", [False, True])
def test_the_gradient_needs_no_scatter(by_taps):
    """On a GPU that must repeat itself it would be the slowest operation of a step."""
    w = dict(Params.init(0).items())
    w["H2w"] = schemes.spread(w["H2w"], "blocks")
    x, y = random_digits(2)
    gradient = jax.make_jaxpr(jax.grad(xla._loss), static_argnums=(3, 4))
    program = gradient(w, x, y, KARPATHY_1989, by_taps)
    assert "scatter" not in str(program)
    assert "gather" not in str(program)

"""Out of memory: whoever runs out loses one row, and nobody else loses anything."""

import json
import weakref

import pytest
import torch

from bench.measuring import memory
from tests.test_bench_session import measure
from zipnet import devices


@pytest.fixture(autouse=True)
def released(monkeypatch):
    """Counts how often memory is given back."""
    calls = []
    monkeypatch.setattr(devices, "release_memory", lambda: calls.append("released"))
    return calls


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        MemoryError("Unable to allocate 1.00 TiB for an array"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 5.00 GB)"),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory"
        ),
        RuntimeError("RESOURCE_EXHAUSTED: Failed to allocate request for 8.00GiB"),
        RuntimeError("[metal::malloc] Unable to allocate 17179869184 bytes."),
        Exception("[2] Call to cuMemAlloc results in CUDA_ERROR_OUT_OF_MEMORY"),
    ],
    ids=lambda e: str(e)[:24] or "MemoryError",
)
def test_every_librarys_words_for_it_are_understood(error):
    assert memory.shortage(error).startswith("out of memory: ")


@pytest.mark.parametrize(
    "error",
    [RuntimeError("CUDA error: an illegal memory access"), AssertionError("'out of memory' in x")],
    ids=lambda e: type(e).__name__,
)
def test_other_failures_are_no_shortage(error):
    assert memory.shortage(error) is None


def test_the_reason_says_what_the_process_held(monkeypatch):
    monkeypatch.setattr(devices, "held_memory", lambda k: 3 * 2**29 if k == "cuda" else None)
    reason = memory.shortage(torch.OutOfMemoryError("CUDA out of memory. Tried 20 GiB."))
    assert reason == (
        "out of memory (this process held 1.50 GiB on cuda): CUDA out of memory. Tried 20 GiB."
    )


def test_what_the_failed_row_held_is_let_go(released):
    kept = []

    def row():
        large = torch.zeros(8)
        kept.append(weakref.ref(large))
        try:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        except RuntimeError as error:
            raise ValueError("while placing digits: out of memory") from error

    with pytest.raises(ValueError, match="out of memory") as caught:
        row()
    assert kept[0]() is not None
    memory.let_go(caught.value)
    assert kept[0]() is None
    assert released == ["released"]


def test_a_row_out_of_memory_is_absent_and_the_session_goes_on(tmp_path):
    bad = tmp_path / "bench_bad.py"
    bad.write_text(
        "import pytest, torch\n"
        "from zipnet.results.schema import Row\n"
        "ERRORS = [torch.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB.'),\n"
        "    RuntimeError('MPS backend out of memory (MPS allocated: 5 GB)'), MemoryError()]\n"
        "@pytest.mark.parametrize('n', [0, 1, 2])\n"
        "def bench_large(bench, n):\n"
        "    if n == 1: raise ERRORS[n]\n"
        "    def work():\n"
        "        raise ERRORS[n]\n"
        "    bench.measure(work, Row(question='floor-sync', device='cpu'), lambda: None)\n"
        "laps = iter([None, None])  # to plan, and the first lap\n"
        "def again():\n"
        "    for _ in laps: return\n"
        "    raise MemoryError\n"
        "def bench_later(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-launch', device='cpu'), again)\n"
        "def bench_small(bench):\n"
        "    bench.measure(lambda: None, Row(question='floor-empty', device='cpu'), lambda: None)\n"
    )
    # Loaded by a conftest, as in the project: the order of hooks depends on it.
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bench.measuring.plugin"]\n')
    done = measure(tmp_path / "results", str(bad), "-c", "pyproject.toml", "--engines=eager")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 3 skipped" in done.stdout
    (path,) = (tmp_path / "results").glob("*/*.json")
    about = json.loads(path.read_text())
    assert about["status"] == "complete"
    assert [row["name"] for row in about["benchmarks"]] == ["bench_small"]
    absent = {a["question"]: a["reason"] for a in about["absent"] if a["question"]}
    assert list(absent) == [
        "floor-launch", "bench_large[0]", "bench_large[1]", "bench_large[2]"
    ]  # fmt: skip
    assert absent["bench_large[0]"].startswith("out of memory: CUDA out of memory. Tried")
    assert absent["bench_large[2]"] == "out of memory: MemoryError"

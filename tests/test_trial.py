"""An engine that is called ready has taken a step; one that cannot is left out, with the reason."""

import pytest

from bench.measuring.environment import HIDDEN, refuse_fewer_threads, settings_in_force
from bench.measuring.node import Wanted, _missed
from tests.commands import run
from zipnet import doing, engines
from zipnet.engines import trial
from zipnet.engines.eager import Eager
from zipnet.engines.trial import BROKEN
from zipnet.errors import UserError
from zipnet.recipe import KARPATHY_1989


@pytest.fixture
def fresh():
    for cached in (trial.failure, trial.perished):
        cached.cache_clear()
    yield
    for cached in (trial.failure, trial.perished):
        cached.cache_clear()


def why_not(name):
    return engines.why_not(name, KARPATHY_1989, "cpu")


def test_what_takes_a_step_is_ready_and_is_tried_once(fresh, monkeypatch):
    assert why_not("eager") is None
    monkeypatch.setattr(Eager, "step", lambda *_: 1 / 0)
    assert why_not("eager") is None


def test_what_raises_is_not_ready_and_says_why_in_a_line_without_paths(fresh, monkeypatch):
    def step(*_):
        raise RuntimeError(
            "C++ compile error\n\nCommand:\n/usr/bin/g++ -o /tmp/someone/x.so\n\n"
            "/tmp/someone/x.cpp: fatal error: no such header\nand 90 lines more"
        )

    monkeypatch.setattr(Eager, "step", step)
    why = f"{BROKEN}RuntimeError: C++ compile error: x.cpp: fatal error: no such header"
    assert why_not("eager") == why


def test_an_engine_that_is_made_is_not_tried(fresh, monkeypatch):
    monkeypatch.setattr(trial, "failure", lambda *_: pytest.fail("tried"))
    engines.make("eager", KARPATHY_1989, "cpu")


def test_a_folder_that_takes_no_programs_is_replaced(fresh, monkeypatch, capsys):
    def step(self, x, y):
        if trial.os.environ.get("PLACE") == "bad":
            raise OSError("no room")
        return self.step_by_autograd(x, y)

    monkeypatch.setattr(Eager, "step", step)
    monkeypatch.setattr(Eager, "folders", ("PLACE",))
    monkeypatch.setenv("PLACE", "bad")
    assert why_not("eager") is None
    assert "compiles in a temporary folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("engine", "name"), [(e, n) for e, names in trial.SWITCHES.items() for n in names]
)
def test_a_switch_that_makes_it_another_engine_is_refused(engine, name, monkeypatch):
    monkeypatch.setenv(name, "1")
    assert f"{name} is set" in why_not(engine)


def test_a_library_that_ends_the_process_is_a_line_of_the_list():
    done = run(
        "zipnet", "engines", "xla", "compiled", "eager", XLA_FLAGS="--nonsense", CXX="/nowhere/g++"
    )
    assert done.returncode == 0, done.stderr
    listed = {tuple(line.split()[:2]): line for line in done.stdout.splitlines()}
    assert "Unknown flag in XLA_FLAGS: --nonsense" in listed["xla", "cpu"]
    assert listed["compiled", "cpu"].endswith("g++, as CXX says, does not run")
    assert listed["eager", "cpu"].endswith("ready")


def test_the_next_best_engine_is_not_taken_in_silence(fresh, monkeypatch, capsys):
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    monkeypatch.setattr(trial, "failure", lambda *_: None)
    assert engines.fastest(KARPATHY_1989, "cpu") != "fused"
    assert "engine fused is passed over" in capsys.readouterr().err


def test_a_node_says_what_it_leaves_out(tmp_path):
    listed = [("eager", "cpu", "ready"), ("compiled", "cpu", BROKEN + "no compiler"),
              ("mlx", "cpu", "mlx is not installed"), ("eager", "cuda", "no cuda")]  # fmt: skip

    def missed(*named):
        wanted = Wanted(None, list(named) or None, "quick", 60.0, tmp_path)
        rows = [row for row in listed if not named or row[0] in named]
        return [line.partition(" ")[0] for line in _missed(rows, [("eager", "cpu")], wanted)]

    assert missed() == ["compiled"]
    assert missed("eager", "mlx") == ["mlx"]


# --- what is told meanwhile, and of the environment ----------------------------------------------


def test_what_takes_long_is_told_at_once_and_again(monkeypatch, capsys):
    monkeypatch.setattr(doing, "FIRST", 0.05)
    monkeypatch.setattr(doing, "AGAIN", 0.05)
    with doing.doing("outer", always=True), doing.doing("inner", always=True) as news:
        while "inner" not in (err := capsys.readouterr().err):
            pass
        news.what = "later"
        while "later" not in (err := err + capsys.readouterr().err):
            pass
    assert "outer" not in err
    with doing.doing("no terminal"):
        pass
    assert capsys.readouterr().err == ""


def test_settings_are_stored_without_a_path_or_a_person():
    found = settings_in_force({
        "NUMBA_OPT": "0", "XLA_FLAGS": "--xla_dump_to=/home/jo/x --xla_cpu_use_mkl_dnn=true",
        "LD_PRELOAD": "/opt/libx.so", "TORCH_LOGS": "+dynamo", "HOME": "/home/jo", "USER": "jo",
        "OMP_PLACES": "{0:4},{4:4}", "MALLOC_CHECK_": "jo", "NUMBA_CPU_NAME": "",
        "KMP_AFFINITY": "granularity=fine,compact,1,0", "GLIBC_TUNABLES": "glibc.malloc.check=3",
    })  # fmt: skip
    assert found == {
        "GLIBC_TUNABLES": HIDDEN, "KMP_AFFINITY": "granularity=fine,compact,1,0",
        "LD_PRELOAD": HIDDEN, "MALLOC_CHECK_": HIDDEN, "NUMBA_OPT": "0",
        "OMP_PLACES": "{0:4},{4:4}", "TORCH_LOGS": "+dynamo",
        "XLA_FLAGS": f"--xla_dump_to={HIDDEN} --xla_cpu_use_mkl_dnn=true",
    }  # fmt: skip


def test_fewer_threads_than_a_row_says_are_refused(monkeypatch):
    monkeypatch.setenv("OMP_THREAD_LIMIT", "1")
    refuse_fewer_threads([1])
    with pytest.raises(UserError, match="OMP_THREAD_LIMIT is '1'"):
        refuse_fewer_threads([1, 2])

"""python -m bench node: laws before benchmarks, a time that is kept, a file to bring home."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bench.measuring import node
from tests.commands import (
    ROOT,
    assert_one_line_and_exit_code_2,
    born_with_sigint,
    command,
    ended,
    run,
    run_here,
)
from zipnet import data
from zipnet.errors import UserError

LISTED = [
    ("eager", "cpu", "ready"),
    ("fused", "cpu", "ready"),
    ("eager", "cuda", "ready"),
    ("fused", "cuda", "the fused engine is made for the CPU"),
    ("eager", "mps", "no mps device"),
    ("fused", "mps", "the fused engine is made for the CPU"),
]


def listed(named):
    return [row for row in LISTED if not named or row[0] in named]


LAW = "import pytest\n@pytest.mark.parametrize('e', ['law-test'])\ndef test(e): pass\n"


def wanted(tmp_path, devices=None, engines=None, seconds=60.0):
    return node.Wanted(devices, engines, "quick", seconds, tmp_path)


@pytest.fixture
def stages(monkeypatch, tmp_path):
    """Laws and benchmarks of one line each, to be changed by a test."""
    laws = tmp_path / "test_laws.py"
    laws.write_text(LAW)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["bench.measuring.plugin"]\n')
    monkeypatch.setattr(node, "LAWS", str(laws))
    monkeypatch.setattr(node, "_engines", listed)
    monkeypatch.setattr(node, "_chosen", lambda listed, wanted: [("law", "test")])
    monkeypatch.setattr(data, "without_network", lambda: "fonts")
    return laws


def benchmarks(monkeypatch, code):
    monkeypatch.setattr(node, "_benchmarks", lambda *_: [sys.executable, "-c", code])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "fastest"], ["--profile 'fastest'", "quick, standard, full"]),
        (["--minutes", "0"], ["--minutes is 0", "above 0"]),
        (["--minutes", "nan"], ["--minutes is nan"]),
        (["--engines", "warp"], ["--engines 'warp'", "eager"]),
        (["--devices", "tpu"], ["--devices 'tpu'", "cuda"]),
        (
            ["--engines", "fused", "--devices", "mps"],
            ["fused on mps: the fused engine is made for"],
        ),
    ],
)
def test_bad_options_are_one_line_and_exit_code_2(arguments, words, monkeypatch):
    monkeypatch.setattr(node, "_engines", listed)
    assert_one_line_and_exit_code_2(run_here("bench", "node", *arguments), *words)


def test_a_refusal_reaches_the_shell():
    done = run("bench", "node", "--engines", "graphed", "--devices", "mps")
    assert_one_line_and_exit_code_2(done, "graphed on mps: ")


def test_accelerators_are_measured_unless_devices_are_named(tmp_path):
    assert node._chosen(LISTED, wanted(tmp_path)) == [("eager", "cuda")]
    assert node._chosen(LISTED, wanted(tmp_path, ["cpu"])) == [("eager", "cpu"), ("fused", "cpu")]
    assert node._chosen(listed(["fused"]), wanted(tmp_path)) == [("fused", "cpu")]
    with pytest.raises(UserError, match=r"nothing .* can run here: eager on mps: no mps device"):
        node._chosen(LISTED, wanted(tmp_path, ["mps"]))


def test_engines_are_asked_of_a_process_of_its_own():
    found = node._engines(["eager", "graphed"])
    assert ("eager", "cpu", "ready") in found
    assert {row[0] for row in found} == {"eager", "graphed"}
    assert all(len(row) == 3 for row in found)


def test_a_broken_law_stops_everything(stages, monkeypatch, tmp_path, capfd):
    stages.write_text(stages.read_text().replace("pass", "assert False, 'law broken'"))
    benchmarks(monkeypatch, "raise SystemExit('measured all the same')")
    assert node.measure_node(wanted(tmp_path)) == 1
    out, err = capfd.readouterr()
    assert "node: laws of law: failed, code 1" in out
    assert "node: law is not measured: it broke a law" in out
    assert "law broken" in out
    assert "no benchmark is run" in out
    assert "measured all the same" not in err


def test_an_engine_that_breaks_a_law_is_left_out_and_the_others_are_measured(
    stages, monkeypatch, tmp_path, capfd
):
    held = "['eager-cpu', 'eager_too-cpu', 'compiled-cpu']"
    law = LAW.replace("['law-test']", held)
    stages.write_text(law.replace("pass", "assert e != 'eager-cpu', 'broken'"))
    pairs = [(name, "cpu") for name in ("compiled", "eager", "eager_too")]
    monkeypatch.setattr(node, "_chosen", lambda listed, wanted: pairs)
    measured = []
    monkeypatch.setattr(node, "_benchmarks", lambda _, *more: measured.extend(more) or ["true"])
    assert node.measure_node(wanted(tmp_path)) == 1
    assert measured[0] == [("compiled", "cpu"), ("eager_too", "cpu")]
    told = [line for line in capfd.readouterr().out.splitlines() if line.startswith("node: ")]
    assert told[:2] == [
        "node: compiled,eager,eager_too on cpu, digits: fonts, 1 min 00 s in all",
        "node: plan: the laws, engine by engine, 36 s at most",
    ]
    assert told[2].startswith("node: plan: benchmarks, profile quick, while time is left: sgd, ")


def test_laws_have_even_shares_of_their_time_and_slow_compilers_the_last(monkeypatch):
    """Each has an even share of what is left, and what one leaves over is the others'."""
    shares = []

    def stage(name, command, until, **environment):
        shares.append(until - time.monotonic())
        return None if "slow" in name else 0

    monkeypatch.setattr(node, "_stage", stage)
    pairs = [("compiled", "cpu"), ("slow", "cpu"), ("eager", "cpu"), ("slow", "mps")]
    held = node._held_to_the_laws(pairs, time.monotonic() + 600)
    assert list(held.items()) == [("slow", None), ("eager", True), ("compiled", True)]
    assert shares == pytest.approx([200, 300, 600], abs=30)


def test_an_engine_whose_laws_took_too_long_is_measured_but_not_called_sound(
    stages, monkeypatch, tmp_path, capfd
):
    monkeypatch.setattr(node, "_held_to_the_laws", lambda ready, end: {"law": None})
    (tmp_path / "machine").mkdir()
    code = f"import pathlib; pathlib.Path({str(tmp_path)!r}, 'machine', 'a.json').touch()"
    benchmarks(monkeypatch, code)
    assert node.measure_node(wanted(tmp_path)) == 1
    assert "node: benchmarks: ok" in capfd.readouterr().out


def test_laws_whose_time_is_up_end_by_themselves_and_say_so(stages, monkeypatch, capfd):
    """Interrupted in the midst of something, a library may answer with a hundred lines."""
    monkeypatch.setattr(node, "MARGIN", 0.999)
    names = [f"law-test-{at}" for at in range(9)]
    law = LAW.replace("['law-test']", str(names)).replace("pass", "import time; time.sleep(1)")
    stages.write_text(law)
    held = node._held_to_the_laws([("law", "test")], time.monotonic() + 300)
    assert held == {"law": None}
    told = capfd.readouterr()
    assert "the time is up (--within)" in told.out
    assert "laws of law: stopped, the time is up" in told.out
    assert "Traceback" not in told.out + told.err


def test_laws_are_run_of_the_engines_that_were_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(node, "_stage", lambda *stage, **also: asked.append((stage[1], also)) or 0)
    pairs = [("fused", "cpu"), ("eager", "cpu")]
    node._held_to_the_laws(pairs, time.monotonic() + 60)
    (command, environment), (_, _) = asked
    listed = subprocess.run(
        [*command, "--collect-only"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    laws = [line for line in listed.stdout.splitlines() if "::" in line]
    assert laws
    assert all("eager-cpu" in law for law in laws)


def test_benchmarks_end_before_the_node_does(tmp_path):
    command = node._benchmarks(wanted(tmp_path), [("eager", "cpu")], "fonts", time.monotonic() + 50)
    within = next(float(word.partition("=")[2]) for word in command if "--within" in word)
    assert 40 < within < 50 - node.MARGIN * 60 + 1


def test_laws_that_nobody_was_held_to_are_no_laws_kept(stages, monkeypatch, tmp_path, capfd):
    monkeypatch.setattr(node, "_chosen", lambda listed, wanted: [("none", "such")])
    assert node.measure_node(wanted(tmp_path)) == 1
    assert "node: laws of none: failed, code 5" in capfd.readouterr().out


def test_benchmarks_without_a_file_are_a_failure(stages, monkeypatch, tmp_path, capfd):
    benchmarks(monkeypatch, "pass")
    assert node.measure_node(wanted(tmp_path)) == 1
    assert "there is no result file" in capfd.readouterr().out


def test_a_stage_over_its_time_is_interrupted_once_and_may_save(tmp_path, capfd):
    saved = tmp_path / "saved"
    code = (
        "import time, pathlib\n"
        "try: time.sleep(60)\n"
        f"except KeyboardInterrupt: time.sleep(0.5); pathlib.Path({str(saved)!r}).touch()\n"
    )
    assert node._stage("slow", [sys.executable, "-c", code], time.monotonic() + 3) is None
    assert saved.exists()
    assert "slow: stopped, the time is up (--minutes)" in capfd.readouterr().out


def test_a_stage_in_a_long_round_is_told_twice_and_may_save(monkeypatch, tmp_path):
    monkeypatch.setattr(node, "PATIENCE", 1.0)
    saved = tmp_path / "saved"
    code = (
        "import pathlib, time\n"
        "from bench.measuring.interrupts import INTERRUPTS\n"
        "INTERRUPTS.begin(print)\n"
        "try: time.sleep(60)\n"
        f"except KeyboardInterrupt: time.sleep(0.5); pathlib.Path({str(saved)!r}).touch()\n"
    )
    began = time.monotonic()
    assert node._stage("long", [sys.executable, "-c", code], began + 3) is None
    assert saved.exists()


def test_a_stage_that_does_not_listen_is_killed(monkeypatch):
    monkeypatch.setattr(node, "PATIENCE", 0.5)
    monkeypatch.setattr(node, "GRACE", 0.5)
    code = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
    began = time.monotonic()
    assert node._stage("deaf", [sys.executable, "-c", code], began + 1.0) is None
    assert time.monotonic() - began < 20


def test_a_batch_scripts_background_job_still_stops_its_stages_in_time(tmp_path):
    """Its parent ignores Ctrl-C and hands that on; a stage must hear of it all the same."""
    chosen = ("--devices", "cpu", "--engines", "eager", "--minutes", "0.05")
    with born_with_sigint(signal.SIG_IGN):
        process = subprocess.Popen(
            command("bench", "node", *chosen, "--results", str(tmp_path)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    while process.stdout.readline() != "node: laws of eager ...\n":
        assert process.poll() is None
    began = time.monotonic()
    out, _ = ended(process)
    assert process.returncode == 1
    assert "node: laws of eager: stopped, the time is up" in out
    # It was not killed for being deaf.
    assert time.monotonic() - began < node.PATIENCE + node.GRACE


def test_digits_of_a_node_are_those_at_hand(monkeypatch, tmp_path):
    monkeypatch.setenv("ZIPNET_CACHE", str(tmp_path))
    monkeypatch.delenv("ZIPNET_DATA", raising=False)
    assert data.without_network() == "fonts"

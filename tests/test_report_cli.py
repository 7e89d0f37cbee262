"""python -m bench as a person meets it: real processes, exit codes, one line for each mistake."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.report import outputs
from tests import records_factory as factory
from zipnet.errors import UserError

ROOT = Path(__file__).resolve().parents[1]


def bench(*arguments, cwd=ROOT, **variables):
    command = [sys.executable, "-m", "bench", *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def main(monkeypatch, capsys):
    """A command in this process, as its own process would run it: exit code, stdout, stderr."""
    from bench.__main__ import main as bench_main

    def command(*arguments, cwd=None):
        if cwd is not None:
            monkeypatch.chdir(cwd)
        monkeypatch.setattr(sys, "argv", ["python -m bench", *map(str, arguments)])
        try:
            code = bench_main()
        except SystemExit as ended:
            code = ended.code
        out, err = capsys.readouterr()
        return SimpleNamespace(returncode=code, stdout=out, stderr=err)

    return command


def environment():
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}


def one_line(text):
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert "Traceback" not in text
    return text


def told_without(heavy, *arguments, cwd=ROOT):
    """A command, in a process which then asks for what it loaded and did not need."""
    program = f"""
import sys
sys.argv = {["bench", *map(str, arguments)]!r}
from bench.__main__ import main
assert main() == 0
heavy = {heavy!r} & set(sys.modules)
ours = {{name for name in sys.modules if name.startswith("zipnet.") and "results" not in name}}
assert not heavy, heavy
assert ours <= {{"zipnet.paper", "zipnet.errors", "zipnet.atomic", "zipnet.births"}}, ours
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=cwd, env=environment(), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_report_writes_all_it_promises_and_loads_nothing_that_measures(tmp_path):
    factory.write(tmp_path / "results", factory.result())
    heavy = {"torch", "numba", "pytest", "_pytest", "jax", "psutil"}
    told = told_without(heavy, "report", cwd=tmp_path)  # results and reports are the defaults
    assert "trains the network of 1989 in 102 s" in told
    assert "122 test and 29 training misses" in told
    assert (tmp_path / "reports" / "index.html").is_file()
    assert not list((tmp_path / "reports").glob(".*"))


def test_bad_files_are_named_and_the_good_ones_reported_with_their_cautions(
    tmp_path, main, without_figures
):
    factory.write(tmp_path / "r", factory.result(profile="quick"))
    factory.write(tmp_path / "r", factory.result("newer", schema=3))
    (tmp_path / "r" / "half.json").write_text('{"schema": 1,')
    done = main("report", tmp_path / "r", tmp_path / "gone", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 3
    assert "Traceback" not in done.stderr
    assert "newer than the 2" in done.stderr
    assert "Quick profile" in done.stdout
    assert "xeon-6982p-2c-8gib" in (tmp_path / "out" / "summary.csv").read_text()
    assert "Not reported" in (tmp_path / "out" / "index.html").read_text()


def test_nothing_readable_writes_nothing(tmp_path, main):
    (tmp_path / "bad.json").write_text("[]")
    done = main("report", tmp_path / "bad.json", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "nothing was written" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_reports_folder_that_is_a_file_is_said_in_one_line(tmp_path, main, without_figures):
    factory.write(tmp_path / "r", factory.result())
    (tmp_path / "out").write_text("mine")
    done = main("report", tmp_path / "r", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "choose another with --out" in one_line(done.stderr)
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize("page", ["README.md", "index.html"])
def test_a_page_of_somebody_else_is_not_written_over(tmp_path, main, without_figures, page):
    """As a project's own is, where its folder is taken for that of the reports."""
    factory.write(tmp_path / "r", factory.result())
    (tmp_path / page).write_text("# Mine")
    done = main("report", tmp_path / "r", "--out", tmp_path)
    assert done.returncode == 2
    assert "is no report and would be written over" in one_line(done.stderr)
    assert (tmp_path / page).read_text() == "# Mine"
    (tmp_path / page).unlink()
    for _ in range(2):
        assert main("report", tmp_path / "r", "--out", tmp_path).returncode == 0


@pytest.mark.parametrize("page", ["README.md", "index.html"])
def test_only_a_page_that_begins_as_ours_is_written_over(tmp_path, page):
    for text in (b"# Mine\n\n## What the machines said\n", "# Mine".encode("utf-16"), b"\xff"):
        (tmp_path / page).write_bytes(text)
        with pytest.raises(UserError, match="is no report"):
            outputs.make_for_report(tmp_path)
    outputs.make(tmp_path)  # where a figure of another name comes
    (tmp_path / page).write_bytes(b"")
    outputs.make_for_report(tmp_path)
    (tmp_path / page).unlink()
    (tmp_path / page).mkdir()
    with pytest.raises(UserError, match="is no report"):
        outputs.make_for_report(tmp_path)


def test_a_reports_folder_below_a_file_is_said_in_one_line(tmp_path, main):
    factory.write(tmp_path / "r", factory.result())
    (tmp_path / "file").write_text("mine")
    done = main("report", tmp_path / "r", "--out", tmp_path / "file" / "out")
    assert done.returncode == 2
    assert "cannot be written" in one_line(done.stderr)


def test_an_output_that_cannot_be_replaced_is_said_in_one_line(tmp_path, main, without_figures):
    factory.write(tmp_path / "r", factory.result())
    (tmp_path / "out" / "summary.csv").mkdir(parents=True)
    done = main("report", tmp_path / "r", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "cannot be written" in one_line(done.stderr)


def test_check_says_ok_or_what_is_wrong_file_by_file(tmp_path, main):
    factory.write(tmp_path, factory.result("fine"))
    edited = factory.result("edited")
    edited["benchmarks"][0]["stats"]["median"] = 1e-6
    factory.write(tmp_path, edited)
    (tmp_path / "bad.json").write_text("{}")
    done = main("check", tmp_path)
    assert done.returncode == 2
    assert "stats.median is 1e-06" in done.stdout.splitlines()[0]
    assert done.stdout.splitlines()[1].endswith("fine/20261121T020000Z_0123456.json: ok")
    assert "schema is missing" in one_line(done.stderr)


def test_a_name_that_the_terminal_cannot_show_is_no_failure(tmp_path):
    content = factory.result("\u65e5\u672c")
    content["benchmarks"][0]["fullname"] += "\u672c"
    content["benchmarks"][0]["stats"]["rounds"] = 1
    path = tmp_path / "\u65e5.json"
    factory.write(tmp_path, content).rename(path)
    done = bench("check", path, PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr == ""
    assert "stats.rounds is 1" in done.stdout


def test_check_of_sound_files_is_fine(tmp_path, main):
    factory.write(tmp_path, factory.result())
    done = main("check", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


WRONG_USAGE = [
    "",
    "reprot",
    "report --out",
    "check --fast",
    "machine extra",
    "report --outt x",
    "compare",
    "compare a b --json --csv",
    "trials --trials",
]


@pytest.mark.parametrize("arguments", WRONG_USAGE)
def test_usage_errors_are_one_line_and_exit_2(arguments, main):
    done = main(*arguments.split())
    assert done.returncode == 2
    assert "--help" in one_line(done.stderr)


def test_machine_says_what_identifies_it(monkeypatch, capsys):
    from bench import measuring
    from bench.__main__ import main

    stub = SimpleNamespace(identity=lambda: {"name": "small", "cpu": {"model": "x"}, "gpus": []})
    monkeypatch.setattr(measuring, "machine", stub, raising=False)  # the real one loads torch
    monkeypatch.setattr(sys, "argv", ["bench", "machine"])
    assert main() == 0
    assert capsys.readouterr().out == 'name: small\ncpu: {"model": "x"}\ngpus: []\n'
    monkeypatch.setattr(sys, "argv", ["bench", "machine", "--json"])
    assert main() == 0
    assert json.loads(capsys.readouterr().out) == stub.identity()


def test_help_names_the_commands(main):
    done = main("--help")
    assert done.returncode == 0
    for command in ("report", "compare", "check", "trials", "machine"):
        assert command in done.stdout


def test_compare_as_a_person_types_it(tmp_path, main):
    factory.write(tmp_path / "results", factory.result("laptop"))
    factory.write(tmp_path / "results", factory.result("station", 0.5))
    done = main("compare", "laptop", "station", "--fail-if-slower", "5%", cwd=tmp_path)
    assert done.returncode == 1
    assert "slower by more than 5%: sgd-synced" in one_line(done.stderr)
    assert done.stdout.startswith("B is 0.500x as fast as A")
    done = main("compare", "laptop", "station", "--fail-if-slower", "0.05", cwd=tmp_path)
    assert done.returncode == 2
    assert "write a percentage, such as 5%" in one_line(done.stderr)
    done = main("compare", "laptop", "stat", cwd=tmp_path)
    assert done.returncode == 2
    assert "did you mean: station, laptop?" in one_line(done.stderr)


def test_compare_draws_the_same_figure_each_time(tmp_path, main):
    for name, speed in (("laptop", 1.0), ("station", 1.5), ("node", 3.0)):
        factory.write(tmp_path / "results", factory.result(name, speed))
    drawn = []
    for out in ("one", "two"):
        done = main("compare", "laptop", "station", "node", "--out", out, "--json", cwd=tmp_path)
        assert done.returncode == 0
        assert json.loads(done.stdout)["baseline"] == "laptop"
        assert "compare.svg" in one_line(done.stderr)
        drawn.append({path.name: path.read_bytes() for path in (tmp_path / out).iterdir()})
    assert set(drawn[0]) == {"compare.svg", "compare.png", "compare-narrow.svg"}
    assert drawn[0] == drawn[1]
    (tmp_path / "file").write_text("mine")
    done = main("compare", "laptop", "station", "--out", "file", cwd=tmp_path)
    assert done.returncode == 2
    assert "cannot be written" in one_line(done.stderr)


def test_compare_explains_its_exit_codes(main):
    done = main("compare", "--help")
    for code in ("1  --fail-if-slower", "3  nothing comparable", "4  --fail-if-slower"):
        assert code in done.stdout


def test_compare_loads_no_figures_and_nothing_that_measures(tmp_path):
    paths = [factory.write(tmp_path, factory.result(name, 2.0)) for name in ("a", "b")]
    heavy = {"torch", "numba", "pytest", "matplotlib", "jinja2", "pandas", "scipy"}
    assert told_without(heavy, "compare", *paths)


def test_a_reader_who_goes_away_is_no_error(tmp_path):
    factory.write(tmp_path, factory.result())
    command = f"{sys.executable} -m bench check {tmp_path} | true"
    done = subprocess.run(
        command, shell=True, cwd=ROOT, env=environment(), capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr

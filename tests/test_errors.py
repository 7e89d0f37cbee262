"""Messages of one line whatever went in, and files that are whole or not there."""

import importlib
import re
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.commands import ROOT, assert_one_line_and_exit_code_2
from zipnet.atomic import replacing
from zipnet.errors import EXTRAS, Parser, UserError, choice, one_line, run_command, shown


@given(st.text(max_size=3000))
def test_a_message_is_one_printable_line(text):
    line = one_line(text)
    assert len(line) <= 400
    assert not line or line.isprintable()


@given(st.one_of(st.text(max_size=3000), st.binary(max_size=3000), st.integers(), st.floats()))
def test_a_value_found_is_shown_short(value):
    assert len(shown(value)) <= 60


def test_a_ten_megabyte_name_makes_a_short_message():
    with pytest.raises(UserError) as caught:
        choice("engine", "x" * 10_000_000, ["eager"])
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (UserError("engine 'x'"), 2, "prog: engine 'x'"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (ModuleNotFoundError(name="jax.lib"), 2, "prog: jax is not installed"),
        (MemoryError(), 2, "prog: out of memory: MemoryError; ask for less"),
        (RuntimeError("RESOURCE_EXHAUSTED: 28 GB"), 2, "prog: out of memory: RESOURCE_EXHAUSTED"),
    ],
)
def test_a_command_turns_what_went_wrong_into_a_line_and_a_code(raised, code, said, capsys):
    def body():
        raise raised

    assert run_command("prog", body) == code
    assert said in capsys.readouterr().err


def test_without_a_stderr_nothing_is_said_on_stdout(capsys, monkeypatch):
    """Where there is none, print() takes the other, and JSON would be none."""
    monkeypatch.setattr(sys, "stderr", None)
    assert run_command("prog", lambda: print("news", file=sys.stderr) or 0) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("words", [["--to", ""], ["--to="], ["a", ""]])
def test_an_empty_value_is_bad_input(words, capsys):
    """As of a shell variable that is not set: nothing is meant by it."""
    parser = Parser(prog="prog")
    parser.add_argument("--to")
    parser.add_argument("from", nargs="*")
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(words)
    assert caught.value.code == 2
    assert " is empty; give it a value, or leave it out; see 'prog --help'" in (
        capsys.readouterr().err
    )


def test_our_own_mistakes_keep_their_traceback():
    with pytest.raises(ModuleNotFoundError):
        run_command("prog", lambda: importlib.import_module("zipnet.nowhere"))
    with pytest.raises(ZeroDivisionError):
        run_command("prog", lambda: 1 // 0)


def test_each_library_is_named_with_an_extra_that_brings_it():
    """By the names that pip knows, which has a dash where Python needs an underscore."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for library, extra in EXTRAS.items():
        wanted = extras["dependencies"] + extras["optional-dependencies"][extra]
        brought = [re.match(r"[\w-]+", text)[0] for text in wanted]
        assert library.replace("_", "-") in brought


SESSION = "pytest --benchmark-only --profile smoke --digits fonts --engines eager --devices cpu"
NEEDED = {"msgspec": "results", "pandas": "results", "matplotlib": "report"}


@pytest.mark.parametrize(
    ("library", "command", "extra"),
    [
        ("torch", "zipnet engines", "engines"),
        ("torch", "bench machine", "engines"),
        ("matplotlib", "bench report --out {}/out", "report"),
        # A session asks before its first row, also for what only its end needs.
        *((library, f"{SESSION} --results={{}}", extra) for library, extra in NEEDED.items()),
    ],
)
def test_a_library_that_is_not_there_is_one_line_with_what_to_install(
    library, command, extra, tmp_path
):
    words = command.format(tmp_path).split()
    hidden = f"import runpy, sys; sys.modules[{library!r}] = None; sys.argv = {words}; "
    start = f"runpy.run_module({words[0]!r}, run_name='__main__', alter_sys=True)"
    done = subprocess.run(
        [sys.executable, "-c", hidden + start], cwd=ROOT, capture_output=True, text=True
    )
    assert_one_line_and_exit_code_2(done, f"{library} is not installed", f"[{extra}]'")
    assert not list(tmp_path.rglob("*.json"))


def test_a_block_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "f.json"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), replacing(path) as file:
        file.writelines([b"half", None])
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_whole_and_readable_as_any_other(tmp_path):
    path = tmp_path / "f.json"
    with replacing(path) as file:
        file.write(b"new")
        assert not path.exists()
    other = tmp_path / "other"
    other.write_bytes(b"")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode == other.stat().st_mode


def test_an_earlier_file_is_kept_where_overwriting_is_not_wanted(tmp_path):
    path = tmp_path / "f.json"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError), replacing(path, overwrite=False) as file:
        file.write(b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]

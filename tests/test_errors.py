"""Messages of one line whatever went in, and files that are whole or not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zipnet.atomic import replacing
from zipnet.errors import UserError, choice, one_line, run_command, shown


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
    [(UserError("engine 'x'"), 2, "prog: engine 'x'"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_a_command_turns_what_went_wrong_into_a_line_and_a_code(raised, code, said, capsys):
    def body():
        raise raised

    assert run_command("prog", body) == code
    assert said in capsys.readouterr().err


def test_our_own_mistakes_keep_their_traceback():
    with pytest.raises(ZeroDivisionError):
        run_command("prog", lambda: 1 // 0)


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

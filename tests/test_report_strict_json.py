"""The quick parser reads what Python's reads, and hides no key that appears twice."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report.files import strict_json
from zipnet.errors import UserError

# Text of what a file's look is judged by, as well as of anything.
TEXT = st.text(max_size=8) | st.text('a": \\\n{}[],', max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
)
STYLES = st.sampled_from(
    [{"indent": 1}, {"separators": (",", ":")}, {"separators": (" , ", " : ")}, {}]
)


class Twice(dict):
    """An object as it is written, pair by pair, whatever its keys are."""

    def __init__(self, pairs):
        super().__init__(pairs)
        self.pairs = pairs

    def items(self):
        return self.pairs


def objects(values):
    return st.lists(st.tuples(TEXT, values), max_size=4).map(Twice)


VALUES = st.recursive(SCALARS, lambda some: st.lists(some, max_size=4) | objects(some))


def has_a_key_twice(value):
    if isinstance(value, Twice):
        return len(value) < len(value.pairs) or any(has_a_key_twice(v) for _, v in value.pairs)
    return isinstance(value, list) and any(map(has_a_key_twice, value))


@given(VALUES, STYLES, st.booleans())
def test_a_value_is_read_as_python_reads_it_and_a_key_twice_is_refused(value, style, ascii_only):
    written = json.dumps(value, ensure_ascii=ascii_only, **style)
    try:
        content = written.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no file can hold it
        return
    if has_a_key_twice(value):
        with pytest.raises(UserError, match="appears twice"):
            strict_json.parse(content, "it")
    else:
        found = strict_json.parse(content, "it")
        assert found == json.loads(written)
        assert repr(found) == repr(json.loads(written))  # 1 is 1.0, but not the same


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "a": 1}',
        b'{"a" : 1, "a"\t:2}',
        b'{"a": 1, "a": ":"}',
        b'{"a": ": b", "c": {"d": 1, "d": "x : y"}}',
        b'{"a": 1, "a": 2, "b": "\\u0022:"}',  # an escape that makes up for the lost colon
    ],
)
def test_a_key_twice_is_refused_however_it_is_written(content):
    with pytest.raises(UserError, match="appears twice"):
        strict_json.parse(content, "it")


def test_what_is_in_order_is_read_once(monkeypatch):
    monkeypatch.delattr(strict_json, "_strictly")
    value = {"a": [1.5, {"b": "12:30", "c": None}], "d": {}}
    assert strict_json.parse(json.dumps(value, indent=1).encode(), "it") == value


@pytest.mark.parametrize("depth", [200, 300, 900])
def test_depth_alone_is_no_fault(depth):
    value = strict_json.parse(b'{"a":' * depth + b"1" + b"}" * depth, "it")
    for _ in range(depth):
        value = value["a"]
    assert value == 1


@pytest.mark.parametrize("beside", ['"plain"', '"\\\\"'])  # which one parser or the other reads
def test_an_integer_beyond_64_bits_is_the_number_it_says(beside):
    for integer in (2**64, -(2**63) - 1, 10**40):
        (found, _) = strict_json.parse(f"[{integer}, {beside}]".encode(), "it")
        assert (type(found), found) == (float, float(integer))

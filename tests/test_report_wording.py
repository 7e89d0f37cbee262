"""Numbers as a person reads them."""
# ruff: noqa: RUF001

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.report import wording


@pytest.mark.parametrize(
    ("seconds", "says"),
    [
        (259_200, "3 days"), (7200, "2 h"), (1759, "29.3 min"), (420, "7 min"), (119, "119 s"),
        (90, "90.0 s"), (0.75, "0.750 s"), (0.0995, "99.5 ms"), (1e-3, "1.00 ms"),
        (9.3e-4, "930 µs"), (4.5e-6, "4.50 µs"), (3e-7, "0.300 µs"), (2e-8, "20.0 ns"), (0, "0 ns"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_unit_that_suits_it(seconds, says):
    assert wording.duration(seconds) == says


@pytest.mark.parametrize(
    ("value", "says"),
    [(12.5e6, "12.5 M"), (107e9, "107 G"), (2.4e13, "24.0 T"), (39_500, "39.5 k"), (1234, "1,230"),
     (0.647, "0.647"), (0, "0")],
)  # fmt: skip
def test_a_quantity_has_the_letter_of_its_size(value, says):
    assert wording.quantity(value) == says


@pytest.mark.parametrize(
    ("ratio", "says"), [(2880, "2,900×"), (1.0, "1.0×"), (345_600, "350,000×"), (0.5, "0.50×")]
)
def test_times_have_two_digits(ratio, says):
    assert wording.times(ratio) == says


@given(st.floats(0, 1e300), st.integers(1, 5))
def test_no_number_is_long(value, digits):
    assert len(wording.significant(value, digits)) <= 20


def test_names_are_cut_and_joined():
    assert wording.cut("abcdef", 4) == "abc…"
    assert wording.cut("abcd", 4) == "abcd"
    assert wording.joined(("a", None, "", "b")) == "a · b"
    assert [wording.counted(n, "rank") for n in (None, 1, 2)] == ["", "1 rank", "2 ranks"]


def test_a_question_that_the_schema_does_not_know_is_said_to_be_unknown():
    assert wording.question("sgd-synced") == "per-example SGD, a wait after each step"
    assert wording.question("weather") == "unknown question: weather"
    assert wording.question("bench_sgd", "") == "bench_sgd"


@pytest.mark.parametrize(
    ("value", "unit", "says"),
    [
        (5.4, "s", "5.40 s"), (1.25 * 2**30, "B", "1.25 GiB"), (512, "B", "512 B"),
        (3 * 2**20, "B", "3.00 MiB"), (2**41, "B", "2.00 TiB"), (1e-7, "", "1e-07"),
        (5, "W", "5 W"), (16_200, "J", "16.2 kJ"),
    ],
)  # fmt: skip
def test_an_amount_is_in_the_unit_of_its_row(value, unit, says):
    assert wording.amount(value, unit) == says


def test_an_interval_has_two_ends_or_says_why_it_has_none():
    assert wording.interval(1.0, 2.0) == "1.00 s to 2.00 s"
    assert wording.interval(1024, 2048, "B") == "1.00 KiB to 2.00 KiB"
    assert wording.interval(None, None) == "too few rounds"


def test_a_long_name_of_a_machine_keeps_the_end_that_tells_it_apart():
    one, other = (f"{'long-' * 20}{end}" for end in ("3fa2b1", "9c71aa"))
    assert wording.called(one) != wording.called(other)
    assert len(wording.called(one)) == 44
    assert wording.called("short") == "short"
    assert [wording.cut("abcdef", limit) for limit in (6, 5, 1)] == ["abcdef", "abcd…", "…"]

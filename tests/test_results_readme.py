"""results/README.md says what the schema says."""

from tests import results_readme


def test_the_tables_are_those_of_the_schema():
    text = results_readme.PAGE.read_text("utf-8")
    assert text == results_readme.page(text), "run: python -m tests.results_readme"


def test_every_field_and_every_question_has_words():
    rows = [
        line for line in results_readme.PAGE.read_text("utf-8").splitlines() if line[:3] == "| `"
    ]
    assert len(rows) > 100
    assert not [row for row in rows if "|  |" in row]

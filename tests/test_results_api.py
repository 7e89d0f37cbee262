"""zipnet.results as a notebook meets it: documented columns, tables that other tools take."""

import fnmatch
import re

import numpy as np
import pytest

from tests import records_factory as factory
from zipnet import results
from zipnet.errors import UserError
from zipnet.results.schema import ResultFile


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    fine, edited = factory.result("fine", gpu=True), factory.result("edited", 2.0)
    edited["benchmarks"][0]["stats"]["median"] *= 2
    factory.write(folder, fine)
    factory.write(folder, edited)
    (folder / "bad.json").write_text("{")
    return results.read(str(folder))


@pytest.mark.parametrize("table", ["files", "rows", "timings", "absent", "refused"])
def test_every_column_is_documented(runs, table):
    """In the API, or in results/README.md, which a test holds to the schema's words."""
    words = re.findall(r"[a-z0-9_]+[*]?|[*][a-z]+", results.__doc__)
    words += ResultFile.__struct_fields__ if table == "files" else []
    for column in getattr(runs, table).columns:
        assert any(fnmatch.fnmatch(column, word) for word in words), column


def test_an_invalid_row_carries_its_name_and_no_number(runs):
    (row,) = runs.rows[~runs.rows.sound].to_dict("records")
    assert (row["machine"], row["question"]) == ("edited", "sgd-synced")
    assert "stats.median" in row["invalid"]
    numbers = {n for n, v in row.items() if isinstance(v, float) and not np.isnan(v)}
    assert numbers <= {"threads", "memory_gib"}


def test_a_table_of_rows_is_tidy_and_small(runs):
    rows = runs.rows
    assert len(rows) == len(runs.columns["question"])
    assert [str(rows[name].dtype) for name in ("machine", "question")] == ["category"] * 2
    assert rows.value.dtype == rows.threads.dtype == "float64"
    medians = runs.timings.groupby(["source", "fullname"]).value.median()
    sound = rows[rows.sound].set_index(["source", "fullname"])
    assert np.allclose(medians.loc[sound.index], sound.value)


def test_what_could_not_be_read_is_a_line(runs):
    assert len(runs.refused) == 1
    assert "bad.json" in runs.refused.reason[0]
    assert len(runs.files) == 2


def test_nothing_readable_is_an_error_in_one_line(tmp_path):
    with pytest.raises(UserError, match="holds no result file"):
        results.read(str(tmp_path))


def test_two_machines_are_compared_in_a_table(runs):
    found = results.compare(runs, "fine", "edited")
    assert set(found.verdict) <= {"faster", "slower", "same", "unclear"}
    assert (found.verdict == "faster").any()
    for column in found.columns:
        assert column in results.compare.__doc__, column
    with pytest.raises(UserError, match="did you mean"):
        results.compare(runs, "fine", "edit")


def test_the_null_test_of_every_machine_is_a_table(runs):
    found = results.noise(runs)
    assert sorted(found.machine) == ["edited", "fine"]
    for column in found.columns:
        assert column in results.noise.__doc__, column


def test_rows_go_to_parquet_and_back(runs, tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow", reason="parquet needs pyarrow, which is the reader's to install")
    runs.rows.to_parquet(tmp_path / "rows.parquet")
    back = pandas.read_parquet(tmp_path / "rows.parquet")
    assert back.value.equals(runs.rows.value)


@pytest.mark.parametrize(
    "content",
    [
        factory.result(benchmarks=[], absent=[]),
        factory.learned_result([]),
        factory.learned_result([factory.trained("softmax", "usps", [(20, 120)])]),
        factory.result(environment={"OMP_NUM_THREADS": "1"}),
    ],
)
def test_tables_have_their_types_whatever_is_missing(tmp_path, content):
    """Those of a file that leaves nothing open, and so go to one Parquet data set."""
    for row in content["benchmarks"]:
        for learned in row["extra_info"].get("learned", []):
            learned["test"] = {"misses": 120, "loss": 1e-2}
    factory.write(tmp_path / "one", content, "run.json")
    runs = results.read(tmp_path / "one")
    tables = {name: getattr(runs, name) for name in ("files", "timings", "trainings", "absent")}
    tables |= {"noise": results.noise(runs)}
    tables |= {"compare": results.compare(runs, runs.files.source[0], runs.runs[0])}
    for name, table in tables.items():
        table.to_parquet(tmp_path / "table.parquet")
        texts = {column for column in table if table[column].dtype == "str"}
        rest = {column: str(table[column].dtype) for column in {*table} - texts}
        assert {*rest.values()} <= {"float64", "int64", "bool"}, (name, rest)
    assert {"lap", "round", "value"} == {*runs.timings} - {*runs.timings.select_dtypes("str")}
    assert {"seed", "train_misses", "test_misses"} <= {*runs.trainings.select_dtypes("int64")}
    assert {"seconds", "test_half_mse"} <= {*runs.trainings.select_dtypes("float64")}
    assert runs.rows.memory_gib.dtype == "float64"


@pytest.mark.parametrize("wrong", [["results"], (n for n in "ab"), None, 3, b"results"])
def test_what_is_no_address_says_what_would_be_one(wrong):
    with pytest.raises(UserError, match=r"give text or paths, of a list read\(\*list\)"):
        results.read(wrong)


def test_wrong_arguments_of_a_notebook_are_told_in_one_line(runs, tmp_path):
    for call in (results.compare, results.noise):
        with pytest.raises(UserError, match="runs is a DataFrame; give what"):
            call(runs.rows, *(("fine", "edited") if call is results.compare else ()))
    for wrong in (None, 0, runs.files.iloc[0]):
        with pytest.raises(UserError, match="is no machine and no file"):
            results.compare(runs, wrong, "fine")
    for share in ("5%", None, 0, float("nan")):
        with pytest.raises(UserError, match="give a share above 0"):
            results.compare(runs, "fine", "edited", share)
    alone = results.read(factory.write(tmp_path, factory.result("alone")))
    with pytest.raises(UserError, match="is a Run of other runs; read both together"):
        results.compare(alone, alone.runs[0], runs.runs[0])


def test_a_machine_whose_runs_say_only_what_was_learned_is_known_by_name(tmp_path):
    rows = [factory.trained("1989", "usps", [(20, 120)])]
    factory.write(tmp_path, factory.learned_result(rows), "run.json")
    learned = results.read(tmp_path)
    with pytest.raises(UserError, match="none says how fast it is"):
        results.compare(learned, learned.files.machine[0], learned.files.machine[0])

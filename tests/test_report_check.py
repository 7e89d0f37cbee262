"""The checker: a sound file passes, and each thing that cannot be right is found and named."""

import pytest

from bench.report import reading
from bench.report.cautions import cautions as cautions_of
from bench.report.check import findings
from bench.report.measures import measures
from tests import records_factory as factory


def read(tmp_path, content):
    return reading.read(factory.write(tmp_path, content))


def cautions(file):
    return cautions_of(file, measures(file))


@pytest.mark.parametrize("gpu", [False, True])
def test_a_sound_file_has_no_findings(tmp_path, gpu):
    file = read(tmp_path, factory.result(gpu=gpu))
    assert findings(file) == []
    assert cautions(file) == []


def rehashed(workload):
    from bench.report.check import workload_hash

    return workload | {"hash": workload_hash(workload)}


def change_stat(name, value):
    def change(content):
        content["benchmarks"][0]["stats"][name] = value

    return change


def change_info(**about):
    def change(content):
        content["benchmarks"][0]["extra_info"] |= about

    return change


def change_test_misses(content):
    row = next(r for r in content["benchmarks"] if r["extra_info"]["question"] == "training")
    row["extra_info"]["test"]["misses"] = 2008


def speed_up(content):
    row = content["benchmarks"][1]
    row["stats"] = factory.stats([t / 1e6 for t in row["stats"]["data"]])


WRONG = {
    "hash": (lambda c: c["workload"].update(hash="0" * 64), "workload.hash is not the SHA-256"),
    "count": (
        lambda c: c.update(workload=rehashed(c["workload"] | {"params": 9761})),
        "workload.params is 9761; the network of 1989 has 9760",
    ),
    "count gone": (lambda c: c["workload"].pop("units"), "workload.units is None"),
    "min": (change_stat("min", 1e-9), "stats.min is 1e-09, but stats.data gives"),
    "max": (change_stat("max", 9.0), "stats.max is 9.0"),
    "median": (change_stat("median", 1e-3), "stats.median is 0.001"),
    "rounds": (change_stat("rounds", 3), "stats.rounds is 3, but stats.data holds 200"),
    "presentations": (
        change_info(presentations=7),
        "presentations is 7, but steps x batch is 1 x 1",
    ),
    "macs": (change_info(macs=1), "macs is 1, but 1 presentations need 171780"),
    "dataset": (change_info(dataset="mnist"), "dataset is mnist, not the file's usps"),
    "misses": (change_test_misses, "test.misses is 2008, more than the 2007"),
    "duplicate": (lambda c: c["benchmarks"].append(c["benchmarks"][0]), "appears 2 times"),
    "beyond peak": (speed_up, "is beyond the peak of"),
    "steps": (
        lambda c: c["benchmarks"][3]["extra_info"].update(steps=4),
        "nothing is learned where digits are recognised",
    ),
    "copied timings": (
        lambda c: c["benchmarks"][5].update(stats=c["benchmarks"][0]["stats"]),
        "holds the very timings of",
    ),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_cannot_be_right_is_found(tmp_path, kind):
    change, says = WRONG[kind]
    content = factory.result()
    change(content)
    file = read(tmp_path, content)
    found = findings(file)
    assert any(says in line for line in found), found
    assert any(line.startswith("check: ") for line in cautions(file))


CAUTIONS = {
    "interrupted": ({"status": "interrupted"}, "was interrupted"),
    "quick": ({"profile": "quick"}, "Quick profile"),
    "busy": (
        {"schema": 1, "state": {"before": {"load_1min": 1.9}, "after": {}}},
        "busy before the run",
    ),
    "battery": ({"schema": 1, "state": {"before": {"power": "battery"}}}, "On battery"),
    "clock": (
        {"schema": 1, "state": {"before": {"cpu_mhz": 3000}, "after": {"cpu_mhz": 1200}}},
        "fell from 3000 to 1200 MHz",
    ),
    "fonts": ({"dataset": {"name": "fonts", "sha256": "f"}}, "Trained on fonts"),
}


@pytest.mark.parametrize("kind", CAUTIONS)
def test_a_run_to_be_trusted_less_is_said_so(tmp_path, kind):
    overrides, says = CAUTIONS[kind]
    content = factory.result(**overrides)
    if content["schema"] == 1:
        factory.unwatched(content)
    assert any(says in line for line in cautions(read(tmp_path, content)))


def test_a_load_before_the_run_says_nothing_where_rows_were_watched(tmp_path):
    busy = {"before": {"load_1min": 9.0}, "after": {}}
    assert cautions(read(tmp_path, factory.result(state=busy))) == []


def test_unknown_states_and_no_state_are_no_caution(tmp_path):
    state = {"before": {"load_1min": None, "power": 3, "cpu_mhz": "fast"}, "after": None}
    assert cautions(read(tmp_path, factory.result(state=state))) == []
    assert cautions(read(tmp_path, factory.result(state=None))) == []


def test_a_rows_own_warnings_are_passed_on(tmp_path):
    content = factory.result()
    change_info(warnings=["the loss is not finite"])(content)
    assert any("the loss is not finite" in line for line in cautions(read(tmp_path, content)))

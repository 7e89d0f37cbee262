"""pytest's side of measuring: options, fixtures, and the hooks that save a session.

Which folder is collected when is decided in the top-level conftest.py, which loads this plugin.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from bench.measuring import their_options
from bench.measuring.interrupts import INTERRUPTS
from bench.measuring.profiles import PROFILES
from bench.measuring.progress import BY_WORTH, TIME_UP, Progress, Unbroken, weights
from zipnet.errors import EXIT_USAGE, UserError, muted, not_installed, note, one_line

SESSION: pytest.StashKey[Any] = pytest.StashKey()
PROGRESS: pytest.StashKey[Progress] = pytest.StashKey()
STDOUT: pytest.StashKey[Unbroken] = pytest.StashKey()
PASSED: pytest.StashKey[bool] = pytest.StashKey()
SKIPPED: pytest.StashKey[int] = pytest.StashKey()
END: pytest.StashKey[float] = pytest.StashKey()  # of --within, on time.monotonic()
BENCHMARKS = Path(__file__).resolve().parents[1]
HOW = "they run under: pytest --benchmark-only"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options to pytest's."""
    group = parser.getgroup("zipnet", "zipnet: what to measure, and for how long")
    group.addoption(
        "--profile",
        default="standard",
        help=f"one of: {', '.join(PROFILES)} (default: standard); smoke only shows that it works",
    )
    digits = "data set, as `python -m zipnet data` names it (default: auto)"
    group.addoption("--digits", default="auto", help=digits)
    group.addoption("--engines", help="comma-separated; default: every engine that runs here")
    group.addoption("--devices", help="comma-separated; default: every device that is here")
    group.addoption("--threads", help="comma-separated; default: 1 and all that the CPU has")
    group.addoption(
        "--train-limit",
        type=float,
        metavar="SECONDS",
        help="leave out whole trainings projected to take longer (default: by profile)",
    )
    group.addoption(
        "--within",
        type=float,
        default=math.inf,
        metavar="SECONDS",
        help="begin no row, and no test, for which no time is left; rows go by worth (default: no "
        f"end). Where tests were left out, the exit code is {TIME_UP}",
    )
    group.addoption(
        "--results",
        default="results",
        metavar="FOLDER",
        # Written with a blank, pytest would take the folder for a place to look for tests.
        help="where result files go, a path or an address that fsspec opens, such as "
        "s3://bucket/results; write --results=FOLDER with the equals sign (default: results)",
    )


def _measuring(config: pytest.Config) -> bool:
    return bool(config.getoption("benchmark_only"))


def pytest_configure(config: pytest.Config) -> None:
    """Check the options before minutes are spent, and open the session."""
    with in_one_line():
        their_options.check(config)
        within = config.getoption("within")
        if not within > 0:
            raise UserError(f"--within is {within:g}; give a number of seconds above 0")
        config.stash[END] = time.monotonic() + within
        if not _measuring(config) or config.option.help:
            return
        _without_errors_for_warnings(config)
        config.stash[SESSION] = _open_session(config)


@contextmanager
def in_one_line() -> Iterator[None]:
    """End pytest, with the one line that commands would say, where a person has to do something."""
    try:
        yield
    except UserError as error:
        pytest.exit(str(error), returncode=EXIT_USAGE)
    except ModuleNotFoundError as error:
        if (said := not_installed(error)) is None:
            raise
        pytest.exit(said, returncode=EXIT_USAGE)


def _without_errors_for_warnings(config: pytest.Config) -> None:
    """Let no warning stop what is measured, as it would a test; each is shown in a line, once.

    Of some nobody is told: that a checkout which cannot be written has no cache of pytest's, and
    that Ctrl-C fell between a library's opening a file and its taking hold of it, or between a
    benchmark's beginning and its clock.
    """
    config.option.disable_warnings = True  # pytest's own summary takes many lines for each
    unsaid = ":Benchmark fixture was not used at all", "::ResourceWarning"
    for line in ("default", "ignore::pytest.PytestCacheWarning", *(f"ignore{of}" for of in unsaid)):
        config.addinivalue_line("filterwarnings", line)
    warnings.simplefilter("ignore", ResourceWarning)  # pytest has read its lines for the session


def _open_session(config: pytest.Config) -> Any:
    # Imported here: torch takes seconds to load, and bare `pytest` does not measure.
    from bench.measuring.environment import refuse_fewer_threads
    from bench.measuring.folder import folder
    from bench.measuring.session import Session
    from bench.measuring.settings import chosen, thread_counts
    from zipnet import data, devices, engines, paper
    from zipnet.errors import choice

    option = config.getoption
    profile = PROFILES[choice("--profile", option("profile"), list(PROFILES))]
    wanted_engines = chosen("--engines", option("engines"), engines.names())
    wanted_devices = chosen("--devices", option("devices"), devices.KINDS)
    if option("devices") is not None:
        for device in wanted_devices:
            devices.require(device)
    limit = option("train_limit")
    if limit is not None and not 0 < limit < math.inf:
        raise UserError(f"--train-limit is {limit:g}; give a number of seconds above 0")
    threads = thread_counts(option("threads"))
    if "cpu" in wanted_devices:
        refuse_fewer_threads(threads)
    session = Session(
        profile=profile,
        digits_name=choice("--digits", option("digits"), data.NAMES),
        engines=wanted_engines,
        devices=wanted_devices,
        threads=threads,
        train_limit=profile.train_limit if limit is None else limit,
        results=folder(option("results")),
        end=config.stash[END],
    )
    session.results.probe(session.draft.machine.name)
    if option("engines") is not None and not session.settings:
        reasons = "; ".join(f"{a.engine} on {a.device}: {a.reason}" for a in session.absent)
        raise UserError(f"--engines {option('engines')}: none can run here: {reasons}")
    digits = session.workshop.digits  # a data set that cannot be had is said now, not after minutes
    if len(digits.x_train) != paper.TRAIN_DIGITS:
        raise UserError(
            f"--digits {digits.name} has {len(digits.x_train):,} training digits; "
            f"give one of {paper.TRAIN_DIGITS:,}, which is what the questions are about"
        )
    return session


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One row for every setting (engine in its place), or for every place.

    Parameters are names, because pytest-benchmark stores them whole.
    """
    measured = metafunc.config.stash.get(SESSION, None)
    if "setting" in metafunc.fixturenames:
        named = metafunc.config.getoption("engines") is not None
        names = [] if measured is None else _settings_of(metafunc.function, measured, named)
        metafunc.parametrize("setting", names, indirect=True)
    if "place" in metafunc.fixturenames:
        serves = getattr(metafunc.function, "serves", lambda _: True)
        places = {} if measured is None else measured.places
        names = [name for name, place in places.items() if serves(place)]
        metafunc.parametrize("place", names, indirect=True)


def _settings_of(function: Any, measured: Any, named: bool) -> list[str]:
    """The settings in which a benchmark has a row; for the others the session notes the reason."""
    from bench.measuring.settings import why_left_out

    names, full = [], measured.profile.name == "full"
    for name, setting in measured.settings.items():
        reason = why_left_out(function, setting, full=full, named=named)
        if reason is None:
            names.append(name)
        elif reason:
            measured.left_out(name, function.__name__, reason)
    return names


def _parameter(item: Any, *names: str) -> str | None:
    """The first of these parameters that a benchmark has; None where it has none of them."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    return next((parameters[name] for name in names if name in parameters), None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Go by worth, and what is slow to compile last; drop a benchmark that has a row nowhere.

    Why it has none is noted where settings are chosen. pytest would keep it, with a skip of its
    own, and count it among what will be measured.
    """
    if config.stash.get(SESSION, None) is None:
        benchmarks = [item for item in items if "bench" in getattr(item, "fixturenames", ())]
        for item in benchmarks:  # before pytest-benchmark's fixture, which wants to be used
            item.add_marker(pytest.mark.skip(reason=HOW))
        config.stash[SKIPPED] = len(benchmarks)
        return
    from bench.measuring.settings import slow_to_compile

    def worth(item: pytest.Item) -> tuple[bool, int]:
        setting = config.stash[SESSION].settings.get(_parameter(item, "setting"))
        slow = setting is not None and slow_to_compile(setting)
        file = item.path.stem
        return slow, BY_WORTH.index(file) if file in BY_WORTH else len(BY_WORTH)

    items.sort(key=worth)
    empty = [item for item in items if "NOTSET" in item.name.partition("[")[2]]
    if empty:
        items[:] = [item for item in items if item not in empty]
        config.hook.pytest_deselected(items=empty)


@pytest.fixture
def setting(request: pytest.FixtureRequest) -> Any:
    """The engine in its place that the benchmark is about."""
    return request.config.stash[SESSION].settings[request.param]


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Any:
    """The device and its threads that the benchmark is about."""
    return request.config.stash[SESSION].places[request.param]


@pytest.fixture
def bench(benchmark: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """The session and the row of this benchmark; the row is kept if the benchmark passes."""
    from bench.measuring.session import Bench

    session = request.config.stash[SESSION]
    if session.over:
        reason = f"no time was left for it (--within {request.config.getoption('within'):g})"
        session.cut = True
        where = _parameter(request.node, "setting", "place")
        session.left_out(where, request.node.originalname, reason)
        pytest.skip(reason)
    measuring = Bench(session, benchmark, request.node.nodeid)
    yield measuring
    if request.node.stash.get(PASSED, False) and measuring.timed is not None:
        session.rows.append(measuring.timed)


def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Begin no further test once the time is up; a session of benchmarks has its rows for that."""
    if nextitem and not _measuring(item.config) and time.monotonic() > item.config.stash[END]:
        pytest.exit("the time is up (--within)", returncode=TIME_UP)


@pytest.hookimpl(wrapper=True, trylast=True)  # what we call a skip, pytest-benchmark must too
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, Any]:
    """Remember whether the benchmark itself passed, for the fixture's end and for the file.

    A plugin may run one that failed again: its last attempt counts. One that ran out of memory is
    left out, as a skip with its reason, and the session goes on.
    """
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    measured = item.config.stash.get(SESSION, None)
    if measured is None:
        return report
    if report.when == "setup":
        measured.attempt(item.nodeid)
    if report.when == "call":
        measured.ran.add(item.nodeid)
    # Once it has failed, its fixtures may fail in turn, for the same reason.
    if report.failed and item.nodeid not in measured.failed:
        from bench.measuring.memory import excuse

        short = excuse(report, call)
        crash = getattr(report.longrepr, "reprcrash", None)
        reason = one_line(crash.message if crash else str(report.longrepr), 300)
        where, excused = _parameter(item, "setting", "place"), short is not None
        measured.failure(item.nodeid, where, item.name, short or reason, excused=excused)
    return report


# --- what a person sees -----------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """From here on, let no closed pipe or full disk end what is measured."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if SESSION in session.config.stash and reporter is not None:
        writer = reporter._tw
        writer._file = session.config.stash[STDOUT] = Unbroken(writer._file)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Say what is about to happen, and take the terminal over from pytest's dots."""
    config = session.config
    reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
    measured = config.stash.get(SESSION, None)
    if measured is None or config.getoption("collectonly"):
        return
    measured.everything = _everything(session)
    if reporter is None:
        return
    reporter.showfspath = False
    reporter.write_line(
        f"measuring {measured.draft.machine.name}: {len(session.items)} benchmarks, "
        f"profile {measured.profile.name}"
    )
    code = measured.draft.commit
    if code.id is None or code.dirty:
        unknown = "commit unknown, zipnet is not the top of a repository that holds it"
        why = "uncommitted changes" if code.dirty else unknown
        reporter.write_line(f"{why}: this run is equal to no other")
    config.stash[PROGRESS] = Progress(reporter.write, weights(session.items))


def _everything(session: pytest.Session) -> set[str] | None:
    """Every benchmark that has a row in this session's settings; None where that is not known.

    Collected anew: options, pytest's cache and plugins leave out what they like, and say it or not.
    """
    measured, found = session.config.stash[SESSION], set()
    told = list(measured.absent)
    for path in sorted(BENCHMARKS.glob("bench_*.py")):
        try:
            items = list(pytest.Module.from_parent(session, path=path).collect())
        except Exception:  # pytest has said so, where the file was asked for
            return None
        found |= {item.nodeid for item in items if not item.name.endswith("[NOTSET]")}
    measured.absent = told
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """One line a benchmark."""
    progress = item.config.stash.get(PROGRESS, None)
    if progress is None:
        return (yield)
    progress.starts(item.name.removeprefix("bench_"))
    result = yield
    made = [row for row in item.config.stash[SESSION].rows if row.name == item.nodeid]
    progress.ended(_outcome(made[0]) if made else "left out")
    return result


def _outcome(timed: Any) -> str:
    from zipnet.results.units import amount

    digits = timed.row.unit == "s" and timed.row.presentations
    shown = amount(median(timed.values) / (digits or 1), timed.row.unit)
    return f"{shown:>8s}{' per digit' if digits else ''}"


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """After every benchmark's first lap, the later laps of them all."""
    config = session.config
    measured, progress = config.stash.get(SESSION, None), config.stash.get(PROGRESS, None)
    if measured is None or config.getoption("collectonly"):
        return (yield)
    INTERRUPTS.begin(None if progress is None else progress.say)
    result = yield
    for taken, laps in measured.later_laps(progress and progress.again):
        if progress is not None:
            progress.lap(taken, laps, len(measured.rows))
    session.testsfailed += measured.failures
    measured.finished = True
    return result


def pytest_report_teststatus(
    report: pytest.TestReport, config: pytest.Config
) -> tuple[str, str, str] | None:
    """Our lines stand for pytest's dots."""
    if PROGRESS in config.stash and report.outcome in ("passed", "skipped"):
        return report.outcome if report.when == "call" or report.skipped else "", "", ""
    return None


# --- what is saved ----------------------------------------------------------------------------


def pytest_benchmark_generate_machine_info() -> dict[str, object]:
    """In place of pytest-benchmark's, which holds the host's name."""
    import msgspec

    from bench.measuring.machine import identity

    about: dict[str, object] = msgspec.to_builtins(identity())
    return about


def pytest_benchmark_generate_commit_info() -> dict[str, object]:
    """In place of pytest-benchmark's, which holds branch and remote."""
    import msgspec

    from bench.measuring.commit import commit

    about: dict[str, object] = msgspec.to_builtins(commit())
    return about


# Before fixtures of an interrupted benchmark end, and before pytest-benchmark writes files of its
# own: either may fail.
@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, object, object]:
    """Save what was measured, also when Ctrl-C ended it."""
    measured = session.config.stash.get(SESSION, None)
    if measured is not None and measured.rows:
        _save(session, measured)
    try:
        return (yield)
    except OSError as error:
        if not their_options.writes(session.config):
            raise
        note(f"pytest-benchmark could not write what it was asked for: {error}")
        session.exitstatus = EXIT_USAGE
    return None


def _save(session: pytest.Session, measured: Any) -> None:
    INTERRUPTS.saving()
    config = session.config
    body = config.hook.pytest_benchmark_generate_json(
        config=config,
        benchmarks=[timed.benchmark.stats for timed in measured.rows],
        include_data=True,
        machine_info=None,  # the session's document has its own
        commit_info=None,
    )
    with in_one_line():
        measured.save(body)
    if measured.lost:
        session.exitstatus = EXIT_USAGE


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what was warned of, and how benchmarks are run, where some were without it."""
    if SESSION in config.stash:
        warned = [str(report.message) for report in terminalreporter.stats.get("warnings", ())]
        for line in dict.fromkeys(text.strip().partition("\n")[0] for text in warned):
            terminalreporter.write_line(f"warning: {one_line(line, 200)}")
    if config.stash.get(SKIPPED, 0):
        terminalreporter.write_line(f"{config.stash[SKIPPED]} benchmarks were not run: {HOW}")


@pytest.hookimpl(trylast=True)  # after all that pytest prints
def pytest_unconfigure(config: pytest.Config) -> None:
    """The session is over: Ctrl-C ends this process as any other."""
    INTERRUPTS.end()
    measured, stdout = config.stash.get(SESSION, None), config.stash.get(STDOUT, None)
    if measured is None:
        return
    kept = measured.saved and f"what was measured is kept in {measured.saved}"
    if measured.lost:
        note(measured.lost)
        if kept:
            print(kept, flush=True)
    if stdout is not None:
        stdout.flush()
        if stdout.broken:
            with suppress(OSError):  # of a terminal that is gone
                note("; ".join(filter(None, (f"stdout: {stdout.broken}", kept))))
            muted()


def saved(config: pytest.Config) -> str | None:
    """Where the session's file is, once it is saved."""
    measured = config.stash.get(SESSION, None)
    return None if measured is None else measured.saved

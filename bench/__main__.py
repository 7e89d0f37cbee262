"""python -m bench: report on result files, compare or check them; measure without a network.

Exit codes: 0 fine; 2 usage, no readable file, or some file was bad (the good ones are reported
all the same, the bad ones named on stderr, one line each); 130 interrupted. compare and node have
more: see their --help.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from zipnet.errors import EXIT_USAGE, Parser, UserError, choice, run_command, whole_number

if TYPE_CHECKING:
    from zipnet.results.runs import Runs

PROG = "python -m bench"
NODE_CODES: Final = """\
exit codes:
  0  all laws held, and what fitted into the time was measured
  1  an engine did not go through all its laws, one that was named or is broken was left out,
     a benchmark failed, or a stage had to be stopped; what was measured is saved
  2  bad input, or no engine runs here
"""


def main() -> int:
    """Parse the command line and run one command."""
    return run_command(PROG, _run)


def _run() -> int:
    from bench.measuring.profiles import PROFILES
    from bench.report.compare import add_arguments  # where a library is missing, it is told

    parser = Parser(prog=PROG, description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    report = _command(commands, "report", _report, "figures and pages from result files")
    _takes_results(report)
    report.add_argument("--out", default="reports", metavar="FOLDER", help="default: %(default)s")
    check = _command(commands, "check", _check, "does each file agree with itself?")
    _takes_results(check)
    compare = _command(commands, "compare", _compare, "which is faster, and is that real?")
    add_arguments(compare)
    trials = _command(commands, "trials", _trials, "how often is a verdict of compare wrong?")
    page = "write the page there, into a folder as verdicts.md; default: print it"
    trials.add_argument("--out", metavar="FILE|FOLDER", help=page)
    trials.add_argument(
        "--trials", type=whole_number(1, 1_000_000), default=1000, metavar="N",
        help="of each cell of the tables; default: %(default)s",
    )  # fmt: skip
    trials.add_argument(
        "--seed", type=whole_number(0, 2**32), default=1989, metavar="N",
        help="of their random numbers; default: %(default)s",
    )  # fmt: skip
    machine = _command(commands, "machine", _machine, "what identifies this machine")
    machine.add_argument("--json", action="store_true", help="as one JSON object")
    about_node = "laws, then benchmarks, within minutes and without a network"
    node = _command(commands, "node", _node, about_node)
    node.epilog, node.formatter_class = NODE_CODES, argparse.RawDescriptionHelpFormatter
    node.add_argument("--devices", help="comma-separated; default: accelerators, else the CPU")
    node.add_argument("--engines", help="comma-separated; default: all that run here")
    profiles = f"one of: {', '.join(PROFILES)}; default: %(default)s"
    node.add_argument("--profile", default="quick", help=profiles)
    minutes = "for everything together; default: %(default)g"
    node.add_argument("--minutes", type=float, default=7.0, help=minutes)
    _takes_results_folder(node)
    about_search = "the best learning rate of each batch, for the time to an error"
    search = _command(commands, "search", _search, about_search)
    search.add_argument(
        "--batches", metavar="N,N,...",
        help="digits a step, comma-separated; default: those of the benchmark",
    )  # fmt: skip
    search.add_argument(
        "--out", metavar="FILE", help="default: zipnet/rates.json, which benchmarks read"
    )
    reproduce = _command(commands, "reproduce", _reproduce, "does what was published come out?")
    reproduce.add_argument("--data", help="train on these digits, not on those of each figure")
    reproduce.add_argument("--only", nargs="+", metavar="RECIPE", help="default: every recipe")
    _takes_seeds(reproduce, 5)
    questions = _command(commands, "questions", _questions, "what do the article's choices change?")
    questions.add_argument("--data", default="usps", help="digits; default: %(default)s")
    _takes_seeds(questions, 40)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a machine's name may not fit the terminal
            stream.reconfigure(errors="replace")
    arguments = parser.parse_args()
    body: Callable[[argparse.Namespace], int] = arguments.body
    return run_command(f"{PROG} {arguments.command}", lambda: body(arguments))


def _command(
    commands: argparse._SubParsersAction[Parser],
    name: str,
    body: Callable[[argparse.Namespace], int],
    about: str,
) -> Parser:
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(body=body)
    return parser


def _takes_seeds(parser: Parser, default: int) -> None:
    parser.add_argument(
        "--seeds", type=whole_number(1, 10_000), default=default, metavar="N",
        help="of each training; default: %(default)s",
    )  # fmt: skip
    _takes_results_folder(parser)


def _takes_results_folder(parser: Parser) -> None:
    where = "where result files go; default: %(default)s"
    parser.add_argument("--results", default="results", metavar="FOLDER", help=where)


def _takes_results(parser: Parser) -> None:
    parser.add_argument(
        "results",
        nargs="*",
        default=["results"],
        metavar="RESULT",
        help="result files, folders of them, or globs; default: results",
    )


def _report(arguments: argparse.Namespace) -> int:
    from bench.report.pages.said import announced
    from bench.report.publish import publish
    from bench.report.wording import counted
    from zipnet.results.collect import collect

    runs = collect(arguments.results)
    _name_the_bad(arguments.command, runs)
    if not runs.runs:
        raise UserError("no result file could be read, so nothing was written")
    print(publish(runs, Path(arguments.out)))
    for caution in announced(runs):  # older runs have theirs on the page
        print(f"caution: {caution}")
    rows, machines = int(runs.columns["sound"].sum()), len({run.name for run in runs.runs})
    numbers = {"file": len(runs.runs), "machine": machines, "row": rows}
    read = ", ".join(counted(count, word) for word, count in numbers.items())
    print(f"{read}: {arguments.out}/index.html")
    return EXIT_USAGE if runs.bad else 0


def _check(arguments: argparse.Namespace) -> int:
    from zipnet.results.collect import collect

    runs = collect(arguments.results)
    _name_the_bad(arguments.command, runs)
    sound = not runs.bad
    for run in runs.runs:
        wrong = runs.wrong(run)
        sound = sound and wrong is None
        print("; ".join(filter(None, (f"{run.source}: {wrong or 'ok'}", run.namesake))))
    return 0 if sound else EXIT_USAGE


def _compare(arguments: argparse.Namespace) -> int:
    from bench.report.compare.command import run

    return run(arguments)


def _trials(arguments: argparse.Namespace) -> int:
    from bench.report.outputs import write
    from bench.report.trials_page import to_page
    from zipnet.results.trials import trial_table

    trials, seed = arguments.trials, arguments.seed
    page = to_page(trial_table(trials, seed), seed)
    if arguments.out is None:
        print(page, end="")
    else:
        out = Path(arguments.out)
        write(out / "verdicts.md" if out.is_dir() else out, page.encode())
    return 0


def _node(arguments: argparse.Namespace) -> int:
    from bench.measuring.folder import local
    from bench.measuring.node import Wanted, measure_node
    from bench.measuring.profiles import PROFILES

    if not 0 < arguments.minutes < 24 * 60:
        raise UserError(f"--minutes is {arguments.minutes:g}; give a number above 0, below a day")
    return measure_node(
        Wanted(
            devices=arguments.devices and arguments.devices.split(","),
            engines=arguments.engines and arguments.engines.split(","),
            profile=choice("--profile", arguments.profile, list(PROFILES)),
            seconds=60 * arguments.minutes,
            results=local(arguments.results),
        )
    )


def _search(arguments: argparse.Namespace) -> int:
    from bench.measuring.search import search
    from zipnet import data, rates
    from zipnet.errors import whole

    asked = arguments.batches
    batches = [whole(text, 1, rates.BATCHES[-1]) for text in asked.split(",")] if asked else None
    out = Path(arguments.out) if arguments.out else rates.FILE
    search(sorted(set(batches or rates.BATCHES)), out, data.load("usps"))
    return 0


def _reproduce(arguments: argparse.Namespace) -> int:
    from bench.measuring.folder import local
    from bench.measuring.reproduce import reproduce

    results = local(arguments.results)
    print(reproduce(arguments.seeds, arguments.data, arguments.only, results))
    return 0


def _questions(arguments: argparse.Namespace) -> int:
    from bench.measuring.folder import local
    from bench.measuring.questions import answer

    print(answer(arguments.seeds, arguments.data, local(arguments.results)))
    return 0


def _machine(arguments: argparse.Namespace) -> int:
    import msgspec

    from bench.measuring import machine  # needs torch, which a report does not

    identity = msgspec.to_builtins(machine.identity())
    if arguments.json:
        print(json.dumps(identity, indent=1))
    else:
        for key, value in identity.items():
            print(f"{key}: {json.dumps(value) if isinstance(value, dict | list) else value}")
    return 0


def _name_the_bad(command: str, runs: Runs) -> None:
    for line in runs.bad:
        print(f"{PROG} {command}: {line}", file=sys.stderr)


if __name__ == "__main__":
    # A command reads, prints and ends. Of a fleet it holds millions of objects that all stay, and
    # the collector would walk them again and again for nothing.
    gc.disable()
    sys.exit(main())

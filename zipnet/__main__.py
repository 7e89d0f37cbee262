"""python -m zipnet count | data | engines | train"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from zipnet import paper
from zipnet.cpu import cores
from zipnet.doing import News, doing
from zipnet.errors import Parser, UserError, choice, run_command, whole_number
from zipnet.recipe import KARPATHY_1989, RECIPES, Recipe, named

if TYPE_CHECKING:
    from zipnet.data import Digits
    from zipnet.evaluation import Evaluation

PROG = "python -m zipnet"
STARTS = ("2022",)
MOST_WIDTH = 128  # half a GiB of parameters
MOST_SEED = 2**63 - 1


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code: 0 fine, 2 usage or bad input."""

    def body() -> int:
        arguments = _parser().parse_args(argv)
        return int(arguments.command(arguments))

    return run_command(PROG, body)


def _parser() -> Parser:
    from zipnet import data  # needs numpy: where that is missing, run_command says so

    parser = Parser(prog=PROG, description="The zip-code network of 1989.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    count = commands.add_parser("count", help="parameters, MACs, activations, step MACs")
    count.add_argument("--json", action="store_true", help="totals as one JSON object")
    _with_width(count)
    count.set_defaults(command=_count)

    engines = commands.add_parser("engines", help="engine x device: ready, or the reason why not")
    engines.add_argument("names", nargs="*", metavar="ENGINE", help="default: every engine")
    engines.set_defaults(command=_engines)

    fetch = commands.add_parser("data", help="fetch a data set and say what it is")
    fetch.add_argument("name", metavar="NAME", help=f"one of: {', '.join(data.NAMES)}")
    fetch.set_defaults(command=_data)

    train = commands.add_parser("train", help="train the network and evaluate it")
    train.add_argument("recipe", metavar="RECIPE", help=f"one of: {', '.join(RECIPES)}")
    known = f"one of: {', '.join(data.NAMES)}; default: %(default)s"
    train.add_argument("--data", default="auto", help=known)
    train.add_argument("--engine", help="default: the fastest that can run the recipe")
    train.add_argument(
        "--device", default="cpu", help="cpu, cuda, mps or xpu; default: %(default)s"
    )
    train.add_argument(
        "--threads", type=whole_number(1, cores()), help="CPU threads; default: the library's"
    )
    train.add_argument("--passes", type=whole_number(1, 10**6), help="default: the recipe's")
    train.add_argument(
        "--batch", type=whole_number(1, 10**6), help="digits a step; default: the recipe's"
    )
    train.add_argument("--lr", type=float, help="constant learning rate; default: the recipe's")
    _with_width(train, "; learning rates are divided by as much")
    train.add_argument(
        "--seed",
        type=whole_number(0, MOST_SEED),
        default=0,
        help="of the initial weights, shifts and dropout; default 0",
    )
    train.add_argument(
        "--start",
        help="2022: Karpathy's own initial weights; --seed is then of shifts and dropout alone",
    )
    train.add_argument(
        "--replicas",
        type=whole_number(1, 10**6),
        metavar="N",
        help="train N networks, of seeds --seed and up, side by side; prints their misses",
    )
    train.add_argument("--json", action="store_true", help="print one JSON object at the end")
    train.set_defaults(command=_train)
    return parser


def _with_width(command: argparse.ArgumentParser, more: str = "") -> None:
    words = f"times 1989's planes and units, default 1{more}"
    command.add_argument("--width", type=whole_number(1, MOST_WIDTH), default=1, help=words)


def _count(arguments: argparse.Namespace) -> int:
    from zipnet import count

    width = arguments.width
    totals = count.counted(KARPATHY_1989.at_width(width))
    print(json.dumps(totals.as_dict()) if arguments.json else count.table(totals, width))
    return 0


def _engines(arguments: argparse.Namespace) -> int:
    from zipnet import devices, engines

    for device in devices.KINDS:
        for name in arguments.names or engines.names():
            reason = engines.why_not(name, KARPATHY_1989, device)
            print(f"{name:10s} {device:5s} {'ready' if reason is None else reason}")
    return 0


def _data(arguments: argparse.Namespace) -> int:
    from zipnet import data

    digits = data.load(arguments.name)
    print(f"{digits.name}: {len(digits.x_train)} training digits, {len(digits.x_test)} test digits")
    print(f"sha256 {digits.sha256}")
    return 0


def _train(arguments: argparse.Namespace) -> int:
    recipe = named(arguments.recipe)
    if arguments.start is not None:
        choice("--start", arguments.start, STARTS)
        if arguments.replicas is not None:
            raise UserError("--start 2022 is one network and --replicas many; leave out either")
        if recipe.rival:
            raise UserError(f"--start 2022 is of the network of 1989; {recipe.name} trains another")
    if arguments.seed > MOST_SEED - (arguments.replicas or 1) + 1:
        raise UserError(f"--seed is {arguments.seed}, too high for {arguments.replicas} replicas, "
                        f"whose seeds end at {MOST_SEED}")  # fmt: skip
    if arguments.passes is not None:
        recipe = replace(recipe, passes=arguments.passes)
    if arguments.batch is not None:
        recipe = replace(recipe, batch=arguments.batch)
    if arguments.width > 1:
        recipe = recipe.at_width(arguments.width)
    if arguments.lr is not None:
        recipe = recipe.at_rate(arguments.lr)

    name = arguments.engine
    with doing("loading libraries and trying the engine", always=True):
        from zipnet import data, engines

        if name is None:
            name = "torch" if recipe.rival else engines.fastest(recipe, arguments.device)
        else:
            engines.require(name, recipe, arguments.device)
    about = {
        "recipe": recipe.name,
        "engine": name,
        "device": arguments.device,
        "start": arguments.start or "seed",
        "seed": arguments.seed,
        "width": recipe.width,
        "passes": recipe.passes,
        "batch": recipe.batch,
        "lr": recipe.lr,
        "loss": recipe.loss,
        "threads": arguments.threads,
    }
    with doing(f"loading the digits, {arguments.data}", always=True):
        digits = data.load(arguments.data)
    kind_of_training = _train_one if arguments.replicas is None else _train_replicas
    with doing(f"engine {name}: preparing, then pass 1 of {recipe.passes}", always=True) as news:
        return kind_of_training(arguments, recipe, about, digits, news)


def _train_one(
    arguments: argparse.Namespace,
    recipe: Recipe,
    about: dict[str, object],
    digits: Digits,
    news: News,
) -> int:
    from zipnet import engines
    from zipnet.params import Params
    from zipnet.training import train

    device, threads, seed = arguments.device, arguments.threads, arguments.seed

    def after_pass(number: int, on_train: Evaluation, on_test: Evaluation) -> None:
        news.what = f"engine {about['engine']}: pass {number + 1} of {recipe.passes}"
        out = sys.stderr if arguments.json else sys.stdout
        print(number, on_train.line("train"), on_test.line("test"), sep="\n", file=out, flush=True)

    told = None if arguments.json and not sys.stderr.isatty() else after_pass
    if recipe.rival:
        from zipnet.rivals import train_rival

        training = train_rival(
            recipe, digits, seed, device=device, threads=threads, after_pass=told
        )
    else:
        engine = engines.make(str(about["engine"]), recipe, device, threads)
        start = Params.of_2022(recipe) if arguments.start else Params.init(seed, recipe)
        training = train(engine, digits, start, seed=seed, after_pass=told)
    if arguments.json:
        print(json.dumps(about | {"dataset": digits.name} | training.as_dict()))
        return 0
    print(_beside_the_article(recipe.network, training.train, training.test))
    per = 1e6 * training.seconds / training.presentations
    print(
        f"{training.presentations:,} presentations in {training.seconds:.2f} s, "
        f"{per:.1f} us each: engine {about['engine']} on {device}, {digits.name}, "
        f"loss {recipe.loss}"
    )
    return 0


def _beside_the_article(network: str, on_train: Evaluation, on_test: Evaluation) -> str:
    """What the article prints of a network besides misses, of this one and of its own."""
    own = network if network == "fully-connected" else "as-printed"
    printed = next(one for one in paper.REPORTED if one.recipe == own)
    losses = ""
    if on_train.half_mse is not None and on_test.half_mse is not None:
        losses = f"half MSE: train {on_train.half_mse:.2e}, test {on_test.half_mse:.2e}"
        if printed.train_loss is not None:
            losses += f" (1989: {printed.train_loss:.1e}, {printed.test_loss:.1e})"
        losses += "; "
    return (
        f"{losses}{on_test.rejected:.1f}% of the test digits rejected for "
        f"{paper.ALLOWED_ERROR:g}% error on the rest (1989: {printed.rejected}%)"
    )


def _train_replicas(
    arguments: argparse.Namespace,
    recipe: Recipe,
    about: dict[str, object],
    digits: Digits,
    news: News,
) -> int:
    from zipnet.replicas import Replica, train_replicas
    from zipnet.training import Training

    replicas = [Replica(arguments.seed + i) for i in range(arguments.replicas)]
    news.what = f"engine {about['engine']}: 0 of {len(replicas)} networks are trained"

    def after_each(done: int, training: Training) -> None:
        news.what = f"engine {about['engine']}: {done} of {len(replicas)} networks are trained"
        if not arguments.json:
            seed = arguments.seed + done - 1
            misses = f"misses: train {training.train.misses}, test {training.test.misses}"
            print(f"seed {seed}. {misses}", flush=True)

    finished = train_replicas(
        str(about["engine"]),
        recipe,
        digits,
        replicas,
        device=arguments.device,
        threads=arguments.threads,
        after_each=after_each,
    )
    if arguments.json:
        each = [training.as_dict() for training in finished.trainings]
        print(
            json.dumps(
                about
                | {"dataset": digits.name, "replicas": len(each), "seconds": finished.seconds}
                | {"trainings_per_minute": finished.per_minute, "trainings": each}
            )
        )
        return 0
    misses = [training.test.misses for training in finished.trainings]
    many = "1 training" if len(misses) == 1 else f"{len(misses)} trainings"
    print(
        f"{many} in {finished.seconds:.1f} s, {finished.per_minute:.1f} a minute; "
        f"test misses {min(misses)} to {max(misses)}, mean {sum(misses) / len(misses):.1f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

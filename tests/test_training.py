"""Training: passes, tails, divergence, and evaluation in Karpathy's form."""

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch

from tests.conftest import random_digits
from zipnet import __main__ as commands
from zipnet import engines
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.errors import UserError
from zipnet.evaluation import Evaluation, targets
from zipnet.net import loss_fn
from zipnet.params import Params
from zipnet.recipe import KARPATHY_1989, RECIPES, Loss
from zipnet.reference import Reference
from zipnet.replicas import Replica, train_replicas
from zipnet.training import stage, train


def digits_of(count, seed=1):
    x, y = random_digits(count, seed)
    labels = y.argmax(axis=1).astype(np.uint8)
    return Digits.of("random", Splits(x, labels, x[:20], labels[:20]))


def eager(recipe):
    return engines.make("eager", recipe, "cpu", threads=1)


def test_training_is_what_the_reference_does(start):
    recipe = replace(KARPATHY_1989, passes=2, batch=4, lr=0.05, lr_end=0.01)
    digits = digits_of(30)  # seven batches of 4 and a tail of 2
    reference = Reference.start(start, recipe)
    y = targets(digits.y_train)
    for index in range(recipe.passes):
        for i in range(0, 30, 4):
            reference.step(digits.x_train[i : i + 4], y[i : i + 4], recipe.lr_at(index))
    engine = eager(recipe)
    training = train(engine, digits, start)
    assert training.presentations == 60
    assert engine.params().distance(reference.params())[1] < 2e-6
    expected = np.mean((y - reference.predict(digits.x_train)) ** 2)
    assert training.train.loss == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("loss", get_args(Loss))
def test_the_loss_that_train_prints_is_the_recipes_own(loss, monkeypatch, capsys):
    """Held to the reference's outputs, and for the formula to torch's."""
    output = "tanh" if loss == "mse" else "identity"
    recipe = replace(KARPATHY_1989, name="here", loss=loss, output=output, passes=1, lr_end=0.01)
    digits = digits_of(30)
    monkeypatch.setitem(RECIPES, "here", recipe)
    monkeypatch.setattr("zipnet.data.load", lambda name: digits)
    assert commands.main(["train", "here", "--engine", "eager", "--seed", "3"]) == 0
    printed = dict(re.findall(r"split (\w+) *\. loss (\S+)\. ", capsys.readouterr().out))
    reference = Reference.start(Params.init(3), recipe)
    for i in range(30):
        y = targets(digits.y_train[i : i + 1])
        reference.step(digits.x_train[i : i + 1], y, recipe.lr)
    for split, x, labels in (
        ("train", digits.x_train, digits.y_train),
        ("test", digits.x_test, digits.y_test),
    ):
        out, y = torch.tensor(reference.predict(x)), torch.tensor(targets(labels))
        expected = loss_fn(out, y.double(), recipe).item()
        assert float(printed[split]) == pytest.approx(expected, rel=1e-4)


def test_every_pass_is_evaluated_and_learning_shows(start):
    seen = []
    recipe = replace(KARPATHY_1989, passes=6)
    training = train(
        eager(recipe), digits_of(40), start, after_pass=lambda *told: seen.append(told)
    )
    assert [number for number, _, _ in seen] == [1, 2, 3, 4, 5, 6]
    losses = [on_train.loss for _, on_train, _ in seen]
    assert losses[-1] < 0.7 * losses[0]
    assert seen[-1][1:] == (training.train, training.test)


@pytest.mark.parametrize("engine", ["eager", "fused"])
def test_a_learning_rate_that_diverges_is_named_with_its_step(engine, start):
    recipe = replace(
        KARPATHY_1989, passes=3, lr=1e12, lr_end=1e12, activation="relu", output="identity"
    )
    with pytest.raises(
        UserError, match=r"diverged in pass 1, step \d+: .*learning rate \(now 1e\+12"
    ):
        train(engines.make(engine, recipe, "cpu", threads=1), digits_of(40), start)


def test_a_batch_larger_than_the_data_is_refused():
    with pytest.raises(UserError, match="batch is 64, but random has 40 training digits"):
        stage(eager(replace(KARPATHY_1989, batch=64)), digits_of(40))


def test_evaluation_reads_as_karpathy_prints_it():
    line = Evaluation(loss=4.073383e-3, error=0.6172, misses=45).line("train")
    assert line == "eval: split train. loss 4.073383e-03. error 0.62%. misses: 45"
    assert Evaluation(0.5, 4.0, 82).line("test").startswith("eval: split test . loss 5.0")


def test_targets_are_plus_one_for_the_class_and_minus_one_elsewhere():
    y = targets(np.array([3, 0], np.uint8))
    assert y.dtype == np.float32
    assert (y.sum(axis=1) == -8).all()
    assert y.argmax(axis=1).tolist() == [3, 0]


def test_same_seed_same_training():
    recipe = replace(KARPATHY_1989, passes=1)
    runs = [train(eager(recipe), digits_of(20), Params.init(5)) for _ in range(2)]
    assert runs[0].train == runs[1].train


def test_replicas_end_where_they_would_have_ended_alone():
    recipe = replace(KARPATHY_1989, passes=3)
    digits = digits_of(60)
    wanted = [Replica(0), Replica(1), Replica(0, lr=0.01), Replica(7)]
    told = []
    finished = train_replicas(
        "fused", recipe, digits, wanted, threads=3, after_each=lambda *news: told.append(news)
    )
    for replica, training in zip(wanted, finished.trainings, strict=True):
        lr = recipe.lr if replica.lr is None else replica.lr
        alone = engines.make("fused", replace(recipe, lr=lr, lr_end=lr), "cpu", threads=1)
        single = train(alone, digits, Params.init(replica.seed), seed=replica.seed)
        assert (training.train, training.test) == (single.train, single.test)
    assert [done for done, _ in told] == [1, 2, 3, 4]
    assert finished.per_minute == pytest.approx(60 * 4 / finished.seconds)

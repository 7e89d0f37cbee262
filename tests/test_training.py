"""Training: passes, tails, divergence, and evaluation in Karpathy's form."""

import re
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import random_digits
from zipnet import __main__ as commands
from zipnet import engines
from zipnet.data import Digits
from zipnet.data.digits import Splits
from zipnet.errors import UserError
from zipnet.evaluation import Evaluation, reject_rate, targets
from zipnet.net import loss_fn
from zipnet.params import Params
from zipnet.recipe import AS_PRINTED, AS_PRINTED_1998, KARPATHY_1989, RECIPES, Loss
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


@pytest.mark.parametrize("recipe", [AS_PRINTED, AS_PRINTED_1998], ids=lambda r: r.name)
@pytest.mark.parametrize("engine", ["eager", "fused"])
def test_sigma_is_measured_before_the_start_or_before_every_pass(engine, recipe, start):
    """On the first digits as one batch, at learning rate 0; the steps come after."""
    recipe = replace(recipe, passes=3, estimate=20)
    digits, y = digits_of(30), targets(digits_of(30).y_train)
    reference = Reference.start(start, recipe)
    for index in range(recipe.passes):
        if index == 0 or recipe.gamma == 0:
            reference.gamma = 1.0
            reference.step(digits.x_train[:20], y[:20], 0.0)
            reference.gamma = recipe.gamma
        for i in range(30):
            reference.step(digits.x_train[i : i + 1], y[i : i + 1], recipe.lr_at(index))
    trained = engines.make(engine, recipe, "cpu", threads=1)
    training = train(trained, digits, start)
    assert trained.params().distance(reference.params())[1] < 2e-6
    assert training.presentations == 90
    assert training.train.half_mse == training.train.mse / 2 == training.train.loss / 2


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


@given(
    gaps=st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.3, 0.5, 1.0]), min_size=1, max_size=30),
    data=st.data(),
    allowed=st.sampled_from([0.0, 1.0, 10.0, 50.0, 100.0]),
)
def test_no_threshold_rejects_fewer_digits(gaps, data, allowed):
    """Against every threshold tried one by one, equal margins on one side of each."""
    wrong = data.draw(st.lists(st.booleans(), min_size=len(gaps), max_size=len(gaps)))
    outputs = np.full((len(gaps), 10), -1.0, np.float32)
    outputs[:, 3], outputs[:, 7] = 0.0, -np.array(gaps)
    outputs[:, 7] -= 1e-6  # the answer is 3 even where the gap is 0
    labels = np.where(wrong, 7, 3)
    best = 0
    for threshold in [-1.0, *gaps]:
        kept = [bad for gap, bad in zip(gaps, wrong, strict=True) if gap > threshold]
        if 100 * sum(kept) <= allowed * len(kept):
            best = max(best, len(kept))
    expected = 100 * (1 - best / len(gaps))
    assert reject_rate(outputs, labels, allowed) == pytest.approx(expected)


def test_rejecting_takes_the_two_highest_outputs_and_one_per_cent():
    outputs = np.tile(np.linspace(-1, 0, 10, dtype=np.float32), (200, 1))
    outputs[:, 0] = np.linspace(0.01, 1, 200)  # the more certain the later
    labels = np.zeros(200)
    labels[[0, 1, 50, 100]] = 5
    assert reject_rate(outputs, labels) == pytest.approx(
        0.5 * 51
    )  # 1 of 149 is wrong, 2 of 150 not
    assert reject_rate(outputs, np.full(200, 5)) == 100.0
    assert reject_rate(outputs, np.zeros(200)) == 0.0


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

"""Scoring with real models and processes."""

import onnx
import pytest
from builders import small_model
from workmodels import endless

from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import gather
from edgekit.gate.judge import judge
from edgekit.gate.scored import score_sides
from edgekit.gate.verdict import Outcome
from edgekit.gate.wanted import Wanted
from edgekit.task import load_task

TASK = """
import numpy as np
metrics = {{"first": lambda p, l: sum(x == 0 for x in p) / len(p)}}
def samples(split):
    random = np.random.default_rng(0)
    for i in range(40):
        yield random.standard_normal({shape}).astype(np.float32), i % 3, str(i)
def predict(run, input):
    return int(run({{"x": input}})["y"].argmax())
def score(predictions, labels):
    return sum(p == l for p, l in zip(predictions, labels)) / len(labels)
"""

EXPLAINED = parse_budget({"explanation": {"min_rank_agreement": 0.9}}, "budget")
SCORED = parse_budget({"metrics": {"first": {"max_drop": 0.5}}}, "budget")


def save(model, path):
    onnx.save(model, path)
    return path


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(TASK.format(shape=(1, 8)))
    return path


@pytest.fixture
def files(tmp_path):
    return {seed: save(small_model(seed), tmp_path / f"{seed}.onnx") for seed in (0, 1)}


def test_everything_a_task_says_is_told_against_every_baseline(files, task):
    wanted = Wanted(files[0], (files[0], files[1]), task)
    found = score_sides(wanted, SCORED, load_task(task))
    same, other = found.against
    assert (same.drop.point, same.drop.agreement) == (0.0, 1.0)
    assert same.discordance.p_value == 1.0
    assert other.drop.agreement < 1.0
    assert other.discordance.only_baseline + other.discordance.only_candidate > 0
    assert len(found.metrics["first"].drops) == 2
    assert found.fidelity.recall.point == pytest.approx(same.fidelity.recall.point)
    assert same.rank_agreement is None


def test_explanations_are_compared_where_the_budget_asks(files, task):
    wanted = Wanted(files[0], (files[0], files[1]), task)
    same, other = score_sides(wanted, EXPLAINED, load_task(task)).against
    assert same.rank_agreement.point == pytest.approx(1.0)
    assert other.rank_agreement.point < 0.9


def test_a_candidate_that_hangs_while_it_is_scored_fails_the_gate(tmp_path, task):
    """Without a clock nothing else runs it before."""
    hanging = save(endless(), tmp_path / "hanging.onnx")
    task.write_text(TASK.format(shape=(1, 1)))
    wanted = Wanted(hanging, task=task, devices=(), timeout_s=3.0)
    found = gather(wanted, SCORED)
    assert "no answer in 3 s" in found.crash
    assert judge(SCORED, found)[0].outcome is Outcome.FAIL

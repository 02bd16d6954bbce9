from dataclasses import replace

import numpy as np
import pytest

from edgekit.errors import UsageError
from edgekit.measure import accuracy
from edgekit.measure.accuracy import (
    Predictions,
    alike,
    compare_scores,
    discordance,
    drop_p_value,
    predict_all,
    same,
)
from edgekit.task import load_task

TASK = """
import numpy as np
from pathlib import Path
calls = []
def samples(split):
    for i in range(6):
        yield np.full(3, i, np.float32), i % 3, f"speaker{i // 2}"
def predict(run, input):
    return int(run({"x": input})["y"][0]) % 3
def score(predictions, labels):
    calls.append(len(labels))
    return sum(p == l for p, l in zip(predictions, labels)) / len(labels)
"""


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(TASK)
    return load_task(path)


def answers(task, right, groups=None):
    predictions = [1 if ok else 0 for ok in right]
    labels = [1] * len(predictions)
    groups = groups or [str(i) for i in range(len(predictions))]
    return Predictions(predictions, labels, groups, task.score(predictions, labels))


def test_every_sample_is_predicted_and_scored_and_progress_is_told(task):
    seen = []
    result = predict_all(task, lambda feeds: {"y": feeds["x"]}, "evaluation", seen.append)
    assert result.predictions == result.labels == [0, 1, 2, 0, 1, 2]
    assert result.groups == ["speaker0"] * 2 + ["speaker1"] * 2 + ["speaker2"] * 2
    assert result.score == 1.0
    assert seen == [1, 2, 3, 4, 5, 6]


def test_the_drop_is_reference_minus_candidate_inside_its_interval(task):
    random = np.random.default_rng(0)
    reference = random.random(400) < 0.9
    candidate = reference & (random.random(400) < 0.95)
    drop = compare_scores(task, answers(task, reference), answers(task, candidate), seed=1)
    assert drop.point == pytest.approx(reference.mean() - candidate.mean())
    assert drop.low < drop.lower < drop.point < drop.upper < drop.high
    assert drop.agreement == pytest.approx((reference == candidate).mean())
    assert (drop.samples, drop.groups) == (400, 400)
    assert drop.method == "bootstrap over groups, 1000 resamples"
    again = compare_scores(task, answers(task, reference), answers(task, candidate), seed=1)
    assert again == drop


def test_groups_that_fail_together_widen_the_interval(task):
    reference = np.ones(400, bool)
    candidate = np.ones(400, bool)
    candidate[:20] = False
    together = [str(i // 10) for i in range(400)]
    alone = compare_scores(task, answers(task, reference), answers(task, candidate))
    grouped = compare_scores(
        task, answers(task, reference, together), answers(task, candidate, together)
    )
    assert grouped.groups == 40
    assert grouped.upper - grouped.point > 2 * (alone.upper - alone.point)


def test_few_groups_are_judged_by_the_jackknife(task):
    reference = np.ones(12, bool)
    candidate = np.arange(12) > 0
    drop = compare_scores(task, answers(task, reference), answers(task, candidate))
    assert drop.method == "jackknife over 12 folds of groups: fewer than 20 groups"
    assert drop.low < 0 < drop.point < drop.high


def test_a_slow_score_is_called_for_at_most_fifty_folds(task, monkeypatch):
    monkeypatch.setattr(accuracy, "SLOW_SCORE_MS", 0.0)
    reference = np.ones(300, bool)
    candidate = np.arange(300) > 5
    one, other = answers(task, reference), answers(task, candidate)
    task.module.calls.clear()
    drop = compare_scores(task, one, other)
    assert drop.method.startswith("jackknife over 50 folds of groups: score() takes more")
    assert len(task.module.calls) < 110


def test_answers_without_one_difference_are_not_certain_but_bounded_by_their_number(task):
    right = np.ones(100, bool)
    drop = compare_scores(task, answers(task, right), answers(task, right), limit=0.01)
    assert drop.point == 0.0
    assert drop.agreement == 1.0
    assert drop.upper == pytest.approx(0.0295, abs=1e-4)
    assert drop.samples_to_settle == 299


def test_one_group_settles_nothing(task):
    reference, candidate = np.ones(5, bool), np.arange(5) > 0
    groups = ["only"] * 5
    drop = compare_scores(task, answers(task, reference, groups), answers(task, candidate, groups))
    assert (drop.low, drop.high) == (-1.0, 1.0)


@pytest.mark.parametrize(("limit", "settled"), [(0.2, True), (0.02, False), (0.001, True)])
def test_samples_to_settle_is_told_only_where_more_samples_would_help(task, limit, settled):
    reference, candidate = np.ones(400, bool), np.arange(400) > 3
    drop = compare_scores(task, answers(task, reference), answers(task, candidate), limit=limit)
    assert (drop.samples_to_settle is None) == (settled or drop.upper <= limit)
    tight = compare_scores(task, answers(task, reference), answers(task, candidate), limit=0.015)
    assert tight.samples_to_settle is not None
    assert tight.samples_to_settle > 400


def test_a_score_that_fails_on_a_resample_falls_back_to_the_jackknife(tmp_path):
    path = tmp_path / "task.py"
    path.write_text(
        TASK + "\ndef score(predictions, labels):\n"
        "    if 0 not in labels: raise ValueError('one class only')\n"
        "    return sum(p == l for p, l in zip(predictions, labels)) / len(labels)\n"
    )
    task = load_task(path)
    labels = [0, 0] + [1] * 58
    groups = [str(i) for i in range(60)]
    reference = Predictions(labels, labels, groups, 1.0)
    candidate = Predictions([0, 0, 0] + [1] * 57, labels, groups, 59 / 60)
    drop = compare_scores(task, reference, candidate)
    assert drop.method.endswith("score() fails on some resamples")


def test_models_that_answered_different_samples_are_not_compared(task):
    with pytest.raises(UsageError, match="5 and 6 samples"):
        compare_scores(task, answers(task, [1] * 5), answers(task, [1] * 6))


def test_floating_point_answers_have_no_agreement(task):
    scores = [0.1 * i for i in range(30)]
    one = Predictions(scores, scores, [str(i) for i in range(30)], 1.0)
    other = Predictions([s + 1e-7 for s in scores], scores, one.groups, 0.0)
    assert compare_scores(task, one, other).agreement is None


def test_a_score_of_one_model_has_an_interval_too(task):
    right = np.random.default_rng(2).random(400) < 0.9
    found = accuracy.estimate_score(task, answers(task, right))
    assert found.point == right.mean()
    assert found.low < found.lower < found.point < found.upper < found.high
    perfect = accuracy.estimate_score(task, answers(task, np.ones(400, bool)))
    assert perfect.point == 1.0
    assert perfect.lower == pytest.approx(0.05 ** (1 / 400))


def test_agreement_is_bounded_even_where_it_is_complete(task):
    right = np.ones(299, bool)
    same_answers = accuracy.estimate_agreement(answers(task, right), answers(task, right))
    assert same_answers.point == 1.0
    assert same_answers.lower == pytest.approx(0.99, abs=1e-3)
    other = accuracy.estimate_agreement(answers(task, right), answers(task, np.arange(299) > 20))
    assert other.point == pytest.approx(278 / 299)
    assert other.lower < other.point < other.upper


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("abc", "abc", True),
        (np.arange(3), np.arange(3), True),
        (np.arange(3), np.arange(4), False),
        ({"a": np.zeros(2)}, {"a": np.zeros(2)}, True),
        ({"a": 1}, {"b": 1}, False),
        ([1, (2, np.ones(1))], [1, (2, np.ones(1))], True),
        ([1], [1, 2], False),
        (np.int64(3), 3, True),
    ],
)
def test_answers_of_any_shape_are_compared_by_value(one, other, equal):
    assert same(one, other) is equal
    assert alike(one, other) == equal


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [
        (np.arange(4), np.array([0, 1, 2, 9]), 0.75),
        (np.zeros((2, 2), bool), np.zeros((4, 1), bool), 0.0),
        (np.zeros(0, bool), np.zeros(0, bool), 1.0),
        ({"a": np.arange(2), "b": "x"}, {"a": np.array([0, 9]), "b": "x"}, 0.75),
        ({"a": np.arange(2)}, {"b": np.arange(2)}, 0.0),
        ([np.arange(2), 5], [np.arange(2), 6], 0.5),
        ("abcd", "abce", 0.0),
        ([1, 2], [1, 3], 0.0),
    ],
)
def test_arrays_agree_by_their_elements(one, other, share):
    assert alike(one, other) == share


def test_agreement_of_array_answers_is_the_mean_over_samples(task):
    frames = [np.zeros(10, bool) for _ in range(40)]
    flipped = [each.copy() for each in frames]
    for each in flipped[:20]:
        each[0] = True
    groups, labels = [str(i) for i in range(40)], [0] * 40
    before, after = (Predictions(each, labels, groups, 1.0) for each in (frames, flipped))
    assert accuracy.agreement(before, after) == pytest.approx(0.95)
    found = accuracy.estimate_agreement(before, after)
    assert found.lower < 0.95 < found.upper


def test_discordant_pairs_are_counted_where_the_score_is_the_share_that_is_right(task):
    before = answers(task, [True] * 18 + [False] * 2)
    after = answers(task, [True] * 10 + [False] * 8 + [True, False])
    found = discordance(before, after)
    assert (found.only_baseline, found.only_candidate) == (8, 1)
    assert found.p_value == pytest.approx(0.0390625)  # 2 · (1 + 9) / 2^9


def test_other_scores_have_no_discordant_pairs(task):
    before, after = answers(task, [True] * 4), answers(task, [True] * 3 + [False])
    assert discordance(before, replace(after, score=0.9)) is None


def test_the_p_value_of_a_drop_agrees_with_its_bound(task):
    random = np.random.default_rng(0)
    reference = random.random(400) < 0.9
    candidate = reference & (random.random(400) < 0.95)
    drop = compare_scores(task, answers(task, reference), answers(task, candidate), seed=1)
    assert drop_p_value(drop, drop.lower) == pytest.approx(0.05)
    assert drop_p_value(drop, drop.point) == pytest.approx(0.5)
    assert drop_p_value(drop, 0.0) < 0.05 < drop_p_value(drop, 0.2)


def test_a_drop_of_just_the_limit_is_not_more_by_a_rounding_error(task):
    reference, candidate = np.arange(200) >= 7, np.arange(200) >= 9
    assert task.score([1] * 193 + [0] * 7, [1] * 200) - 0.955 > 0.01
    drop = compare_scores(task, answers(task, reference), answers(task, candidate))
    assert drop.point == 0.01

"""Limits on data, with a real bundle, real data files and real processes."""

import msgspec
import numpy as np
import pytest
from builders import small_files, small_manifest
from datasets import calibration, write_data, write_with_reference

from edgekit import load
from edgekit.bundle import write_bundle
from edgekit.errors import TaskError, UsageError
from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import DATA, Evidence
from edgekit.gate.judge import judge
from edgekit.gate.looked import look, source_of
from edgekit.gate.subject import look_at
from edgekit.gate.verdict import Outcome
from edgekit.gate.wanted import DataSet, Wanted, data_set
from edgekit.reference import Reference
from edgekit.task import load_task

PASS, FAIL, INCONCLUSIVE = Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE
ALL = {
    "schema": {"max_mismatch_share": 0.0, "max_not_finite_share": 0.0, "max_outside_share": 0.01},
    "drift": {"max_ks": 0.2, "max_psi": 0.4},
    "labels": {"max_disagreement_share": 0.5, "max_conflicts": 0, "min_class_samples": 5},
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return write_with_reference(tmp_path_factory.mktemp("bundles") / "small-1.0.edgekit")


@pytest.fixture
def judged(tmp_path, bundle):
    """Verdicts by budget, for a data file with these properties."""

    def run(limits=ALL, candidate=bundle, baselines=(), **properties):
        data = DataSet(write_data(tmp_path / "field.py", **properties))
        wanted, budget = Wanted(candidate, baselines, data=data), parse_budget(limits, "budget")
        return {verdict.budget: verdict for verdict in judge(budget, looked_at(wanted, budget))}

    return run


def looked_at(wanted, budget):
    task = load_task(wanted.task) if wanted.task else None
    source = source_of(wanted, budget, task)
    return Evidence(look_at(wanted.candidate), data=look(wanted, budget, source))


def outcomes(verdicts):
    return {name: verdict.outcome for name, verdict in verdicts.items()}


def test_data_like_calibration_keeps_every_limit(judged):
    verdicts = judged(samples=200, label="number % 3")
    relevant = {name: each for name, each in verdicts.items() if "disagreement" not in name}
    assert set(outcomes(relevant).values()) == {PASS}, relevant
    assert verdicts["labels.max_disagreement_share"].samples == 200


def test_data_that_has_moved_is_drift_and_names_the_tensor_and_the_interval(judged):
    verdicts = judged(samples=200, shift=1.5)
    ks = verdicts["drift.max_ks"]
    assert ks.outcome is FAIL
    assert 0.2 < ks.low < ks.value < ks.high
    assert ks.reason.startswith("input x is 0.5")
    assert "over 200 groups, 60 of calibration" in ks.reason
    assert verdicts["drift.max_psi"].outcome is FAIL


def test_a_dozen_samples_cry_no_wolf_and_say_how_many_would_do(judged):
    verdict = judged({"drift": {"max_ks": 0.3}}, samples=12)["drift.max_ks"]
    assert verdict.outcome is INCONCLUSIVE
    assert "groups would settle it" in verdict.reason
    verdict = judged({"drift": {"max_ks": 0.05}}, samples=200)["drift.max_ks"]
    assert verdict.outcome is INCONCLUSIVE


def test_many_samples_of_few_groups_are_few(judged):
    verdict = judged({"drift": {"max_ks": 0.2}}, samples=300, alike=50, shift=2.0)["drift.max_ks"]
    assert verdict.outcome is INCONCLUSIVE
    assert verdict.reason.startswith("6 groups of data and 60 of calibration")


@pytest.mark.parametrize(
    ("reference", "words"),
    [(calibration(groups=4), "4 of calibration"), (None, "no histograms")],
    ids=["few groups", "none"],
)
def test_without_enough_calibration_data_drift_is_open(judged, tmp_path, reference, words):
    path = tmp_path / "other.edgekit"
    if reference is None:
        write_bundle(path, small_manifest(), small_files())
    else:
        write_with_reference(path, reference)
    verdicts = judged({"drift": {"max_ks": 0.2}, "schema": {"max_outside_share": 0.5}}, path)
    assert verdicts["drift.max_ks"].outcome is INCONCLUSIVE
    assert words in verdicts["drift.max_ks"].reason


def test_a_reference_that_says_nothing_of_groups_is_to_be_packed_again(judged, tmp_path):
    untold = {
        name: msgspec.structs.replace(each, groups=0, effective_values=0.0)
        for name, each in calibration().inputs.items()
    }
    path = write_with_reference(tmp_path / "old.edgekit", Reference(1, 60, untold, {}))
    verdict = judged({"drift": {"max_ks": 0.2}}, path)["drift.max_ks"]
    assert verdict.outcome is INCONCLUSIVE
    assert "pack it again" in verdict.reason


MISMATCHES = {
    "x = x.astype(np.float64)": "input 'x': it is float64 [1, 8], the model takes float32 [1, 8]",
    "x = x[:, :7]": "input 'x': it is float32 [1, 7], the model takes float32 [1, 8]",
    "x = x[:0]": "the raw input: it is empty, shape (0, 8)",
    "x = {'y': x}": "the raw input: it has ['y'], the model takes ['x']",
    "x = 'some text'": "input 'x': it is <U9 []",
}


@pytest.mark.parametrize("change", MISMATCHES)
def test_what_the_model_cannot_take_is_one_line_that_names_the_sample(judged, change):
    change_of_one = f"if number == 3: {change}"
    verdict = judged({"schema": ALL["schema"]}, change=change_of_one)["schema.max_mismatch_share"]
    assert (verdict.outcome, verdict.value) == (FAIL, pytest.approx(1 / 60))
    expected = "1 of 60 samples are not what the model takes (field.py, split evaluation): sample 3"
    assert verdict.reason.startswith(f"{expected}: {MISMATCHES[change]}")


def test_values_that_are_no_numbers_and_values_out_of_range_are_limits_of_their_own(judged):
    verdicts = judged(
        {"schema": ALL["schema"]},
        change="x = x * 100 if number < 6 else x\n        if number > 57: x[0, 1] = np.nan",
    )
    assert verdicts["schema.max_mismatch_share"].outcome is PASS
    not_finite = verdicts["schema.max_not_finite_share"]
    assert (not_finite.outcome, not_finite.value) == (FAIL, pytest.approx(2 / 60))
    assert not_finite.reason.endswith("sample 58: the raw input: 1 of 8 values are NaN or infinite")
    outside = verdicts["schema.max_outside_share"]
    assert outside.outcome is FAIL
    assert 0.08 < outside.value <= 6 / 58
    assert "; without 2 of 60 samples, which it cannot take: sample 58" in outside.reason


def test_a_sample_that_predict_fails_on_is_a_finding_and_drift_says_that_it_is_left_out(
    bundle, tmp_path
):
    path = write_data(tmp_path / "task.py", samples=80, change="x = x[:, :4] if number == 7 else x")
    path.write_text(
        path.read_text()
        + "def predict(run, input):\n    return run({'x': input.reshape(1, 8)})['y'].argmax()\n"
        + "def score(p, l):\n    return 1.0\n"
    )
    limits = {"schema": {"max_mismatch_share": 0.0}, "drift": {"max_ks": 0.5}}
    budget = parse_budget(limits, "budget")
    schema, drift = judge(budget, looked_at(Wanted(bundle, task=path), budget))
    assert (schema.outcome, drift.outcome) == (FAIL, PASS)
    assert "sample 7: task" in schema.reason
    assert "predict() raised ValueError: cannot reshape" in schema.reason
    assert "without 1 of 80 samples" in drift.reason


def test_labels_that_contradict_each_other_or_the_model_or_are_rare_block(judged, bundle):
    verdicts = judged(
        {"labels": ALL["labels"]},
        baselines=(bundle,),
        change="x = np.full((1, 8), number % 20, np.float32)",
        label="2 if number == 41 else 0",
    )
    conflicts = verdicts["labels.max_conflicts"]
    assert (conflicts.outcome, conflicts.value) == (FAIL, 1)
    assert "such as samples 1, 21, 41" in conflicts.reason
    classes = verdicts["labels.min_class_samples"]
    assert classes.outcome is FAIL
    assert "'b' 0, 'c' 1, 'a' 59" in classes.reason
    disagreement = verdicts["labels.max_disagreement_share"]
    assert disagreement.reason.startswith("small-1.0.edgekit answers ")
    assert disagreement.samples == 60


def test_names_and_places_of_classes_are_the_same_labels(judged, bundle):
    with load(bundle, verify="digest") as model:
        answer = model.run(np.zeros((1, 8), np.float32)).value[0].name
    for label, share in ((answer, 0.0), ("other", 1.0)):
        verdicts = judged(
            {"labels": {"max_disagreement_share": 0.0}}, change="x *= 0", label=repr(label)
        )
        assert verdicts["labels.max_disagreement_share"].value == share


@pytest.mark.parametrize("label", ["{0, 2}", "np.array([1, 0])", "(1, 2)", "None"])
def test_labels_that_only_the_score_understands_are_not_held_against_answers(judged, label):
    verdict = judged({"labels": {"max_disagreement_share": 0.1}}, label=label)
    verdict = verdict["labels.max_disagreement_share"]
    assert verdict.outcome is INCONCLUSIVE
    assert "answers int: only classes and text can be compared" in verdict.reason


def test_labels_that_are_no_classes_and_inputs_that_cannot_be_compared_are_said(judged, tmp_path):
    path = tmp_path / "task.py"
    path.write_text(
        "import numpy as np\n"
        "def samples(split):\n"
        "    for i in range(9):\n"
        "        yield object(), np.zeros(3), str(i)\n"
        "def predict(run, input):\n"
        "    return run({'x': np.zeros((1, 8), np.float32)})['y']\n"
        "def score(p, l):\n    return 1.0\n"
    )
    bundle = write_with_reference(tmp_path / "b.edgekit")
    budget = parse_budget({"labels": ALL["labels"]}, "budget")
    verdicts = judge(budget, looked_at(Wanted(bundle, task=path), budget))
    assert {each.outcome for each in verdicts} == {INCONCLUSIVE}
    reasons = " ".join(each.reason for each in verdicts)
    assert "floating-point" in reasons
    assert "cannot be compared" in reasons
    assert "no classes" in reasons


def test_without_data_the_limits_are_open_and_say_what_to_give():
    budget = parse_budget(ALL, "budget")
    evidence = Evidence(
        look_at.__globals__["Subject"]("m", "o", "a", "a", 1, 1), missing={DATA: "give --data"}
    )
    assert {(v.outcome, v.reason) for v in judge(budget, evidence)} == {
        (INCONCLUSIVE, "give --data")
    }


def test_a_plain_model_needs_someone_who_can_predict(small_onnx, tmp_path):
    data = DataSet(write_data(tmp_path / "field.py"))
    with pytest.raises(TaskError, match="give --task"):
        looked_at(Wanted(small_onnx, data=data), parse_budget(ALL, "budget"))


def test_a_file_without_samples_is_no_data(bundle, tmp_path):
    path = tmp_path / "field.py"
    path.write_text("x = 1\n")
    with pytest.raises(TaskError, match=r"no function samples\(\)"):
        looked_at(Wanted(bundle, data=DataSet(path)), parse_budget(ALL, "budget"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a/field.py", ("a/field.py", "evaluation")), ("field.py:may", ("field.py", "may"))],
)
def test_data_is_a_file_and_a_split(text, expected):
    found = data_set(text)
    assert (str(found.path), found.split) == expected


@pytest.mark.parametrize("text", ["field", "field.csv", "field.py:", ".py:x"])
def test_what_is_no_data_is_refused(text):
    with pytest.raises(UsageError, match="name a task file"):
        data_set(text)


def test_data_is_looked_at_where_a_limit_asks_and_refused_where_none_does(bundle, tmp_path):
    size = parse_budget({"size": {"max_mb": 1}}, "budget")
    assert source_of(Wanted(bundle), size, None) is None
    assert source_of(Wanted(bundle), parse_budget(ALL, "budget"), None) is None
    data = DataSet(write_data(tmp_path / "field.py"))
    with pytest.raises(UsageError, match=r"add \[schema\], \[drift\] or \[labels\]"):
        source_of(Wanted(bundle, data=data), size, None)

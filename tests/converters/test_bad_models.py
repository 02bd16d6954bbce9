"""Models that nothing can be made of, and limits that are hit: a clear line or a clean result."""

import json

import numpy as np
import onnx
import pytest
from networks import conv_net, model_of, stored, value
from onnx import helper

from edgekit.cli import main

TASK = """
import numpy as np

def samples(split):
    rng = np.random.default_rng(0 if split == "calibration" else 1)
    for number in range(6):
        yield rng.standard_normal((1, 4)).astype(np.float32), number % 2, str(number % 3)

def predict(run, input):
    return int(run({"x": input})["y"].argmax())

def score(predictions, labels):
    return 1.0
"""


@pytest.fixture
def run(tmp_path, capsys):
    def optimize(model, text=TASK, *options):
        path, task = tmp_path / "model.onnx", tmp_path / "task.py"
        onnx.save(model, path)
        task.write_text(text)
        line = ["optimize", str(path), "--task", str(task), "--out", str(tmp_path / "out")]
        code = main([*line, "--json", *options])
        captured = capsys.readouterr()
        optimize.said = captured.err
        return code, captured.out, [row for row in captured.err.splitlines() if "edgekit:" in row]

    return optimize


def arithmetic(operator="Add", constant=1.0):
    nodes = [helper.make_node(operator, ["x", "c"], ["y"])]
    data = [stored("c", np.full((1, 4), constant, np.float32))]
    return model_of(nodes, [value("x", [1, 4])], [value("y", [1, 4])], data)


def test_a_model_without_weights_is_shipped_in_fp32_with_every_reason(run):
    code, out, errors = run(arithmetic())
    assert (code, errors) == (0, [])
    found = json.loads(out)
    assert found["chosen"] in ("fp32", "as-is")
    lost = [each for each in found["candidates"] if each["verdict"] in ("not made", "not tried")]
    assert len(lost) >= 10
    assert all(each["why"] for each in lost)


def test_nan_weights_are_refused(run):
    code, _, errors = run(arithmetic(constant=np.nan))
    assert code == 2
    assert "'c' has NaN values" in errors[0]


def test_an_operator_outside_the_runtime_is_refused(run):
    model = arithmetic()
    model.graph.node[0].domain = "my.own"
    model.opset_import.append(helper.make_opsetid("my.own", 1))
    code, _, errors = run(model)
    assert code == 2
    assert "my.own" in errors[0] or "Add" in errors[0]


def test_a_task_that_feeds_one_of_two_inputs_is_refused(run):
    nodes = [helper.make_node("Add", ["x", "z"], ["y"])]
    inputs = [value("x", [1, 4]), value("z", [1, 4])]
    code, _, errors = run(model_of(nodes, inputs, [value("y", [1, 4])]))
    assert code == 2
    assert "input 'z': it is missing" in errors[0]


def test_labels_that_disagree_with_outputs_are_the_tasks_line(run):
    text = TASK.replace("return 1.0", "return [p[0] for p in predictions][0]")
    code, _, errors = run(arithmetic(), text)
    assert code == 2
    assert "score() raised TypeError" in errors[0]
    assert "(line " in errors[0]


def test_labels_that_no_output_fits_are_refused(run):
    text = TASK.replace("number % 2, str", "'cat', str")
    text = text.replace(
        "return 1.0", "return float(np.mean([p == y for p, y in zip(predictions, labels)]))"
    )
    code, out, errors = run(arithmetic(), text)
    assert (code, out, len(errors)) == (2, "", 1)
    assert "scores 0 on the 6 samples of the calibration split; make labels" in errors[0]


def test_a_task_that_feeds_nothing_is_refused(run):
    text = TASK.replace('run({"x": input})["y"].argmax()', 'run({"x": input[:0]})["y"].size < 9')
    code, _, errors = run(rows(), text)
    assert (code, len(errors)) == (2, 1)
    assert "predict() feeds no element to 'x' in any call; feed what" in errors[0]


def test_an_input_that_is_always_empty_is_told_and_the_rest_is_optimized(run):
    nodes = [helper.make_node("Concat", ["past", "x"], ["all"], axis=0)]
    nodes += [helper.make_node("MatMul", ["all", "w"], ["y"])]
    inputs = [value("x", [1, 4]), value("past", ["seen", 4])]
    model = model_of(nodes, inputs, [value("y", ["rows", 4])], [stored("w", np.eye(4, dtype="f4"))])
    text = TASK.replace('{"x": input}', '{"x": input, "past": input[:0]}')
    code, _, errors = run(model, text, "--cpu-seconds", "0")
    assert (code, errors) == (0, [])
    assert "input 'past' is empty in every call" in run.said


def rows():
    nodes = [helper.make_node("Add", ["x", "c"], ["y"])]
    data = [stored("c", np.ones((1, 4), np.float32))]
    return model_of(nodes, [value("x", ["rows", 4])], [value("y", ["rows", 4])], data)


def test_a_task_that_ends_the_program_is_the_tasks_line(run):
    text = TASK.replace("    return int(run", "    raise SystemExit(0)\n    return int(run")
    code, _, errors = run(arithmetic(), text)
    assert (code, len(errors)) == (2, 1)
    assert "predict() raised SystemExit: 0" in errors[0]


def test_a_memory_cap_that_is_hit_loses_candidates_and_not_the_search(run, tmp_path):
    """Histograms need more than the process has; what needs none is tried all the same."""
    text = TASK.replace("(1, 4)", "(1, 3, 16, 16)")
    code, out, errors = run(conv_net(), text, "--memory", "1MB", "--cpu-seconds", "3")
    assert (code, errors) == (0, [])
    assert json.loads(out)["chosen"]
    assert "--memory 1MB was not kept: the search took " in run.said


def test_a_model_that_ends_the_process_is_one_line_and_code_2(run):
    """onnxruntime 1.32 aborts in std::normal_distribution where the scale is 0."""
    nodes = [
        helper.make_node("RandomNormalLike", ["x"], ["noise"], scale=0.0),
        helper.make_node("Add", ["x", "noise"], ["y"]),
    ]
    model = model_of(nodes, [value("x", [1, 4])], [value("y", [1, 4])])
    code, out, errors = run(model)
    assert (code, out) == (2, "")
    assert len(errors) == 1
    assert "model.onnx': the process that ran it ended while it ran (signal SIGABRT" in errors[0]

"""Models that end their process on one sample only: refused with a line, and the search goes on.

onnxruntime 1.32 aborts in std::normal_distribution where the scale is 0, here in one branch of If.
"""

import json

import numpy as np
import onnx
import pytest
from networks import FLOAT, conv_net, model_of, stored, value
from onnx import helper

from edgekit.cli import main
from edgekit.engines import open_engine

MARKED = 13
TASK = """
import numpy as np

def samples(split):
    rng = np.random.default_rng(["calibration", "evaluation"].index(split))
    for number in range(24):
        mark = np.float32([split == {split!r} and number == {marked}])
        yield (rng.standard_normal((1, 3, 16, 16)).astype(np.float32), mark), number, str(number)

def predict(run, input):
    return int(run({{"x": input[0], "mark": input[1]}})["y"].argmax() < 9)

def score(predictions, labels):
    return float(np.mean(predictions))
"""


def aborting(condition, given, shape):
    """`y` is `given` where the condition is false; where it is true, the process ends."""
    noise = helper.make_node("RandomNormalLike", [given], ["noise"], scale=0.0, dtype=FLOAT)
    same = helper.make_node("Identity", [given], ["same"])
    branches = {
        "then_branch": helper.make_graph([noise], "then", [], [value("noise", shape)]),
        "else_branch": helper.make_graph([same], "else", [], [value("same", shape)]),
    }
    return helper.make_node("If", [condition], ["y"], **branches)


def net_that_aborts_when_marked(*, unless_scores=None):
    """A convolutional net; with `unless_scores` it ends only where its scores are none of these."""
    base = conv_net()
    nodes = list(base.graph.node)
    nodes[-1].output[0] = "scores"
    kept = [*base.graph.initializer, stored("half", np.float32([0.5]))]
    nodes.append(helper.make_node("Greater", ["mark", "half"], ["marked"]))
    condition = "marked"
    if unless_scores is not None:
        kept += [stored("known", unless_scores), stored("far", np.float32(1e-4))]
        nodes += [
            helper.make_node("Sub", ["scores", "known"], ["gap"]),
            helper.make_node("Abs", ["gap"], ["distance"]),
            helper.make_node("ReduceMax", ["distance"], ["furthest"], keepdims=0),
            helper.make_node("Greater", ["furthest", "far"], ["rounded"]),
            helper.make_node("And", ["marked", "rounded"], ["both"]),
        ]
        condition = "both"
    nodes.append(aborting(condition, "scores", [1, 4]))
    inputs = [value("x", [1, 3, 16, 16]), value("mark", [1])]
    return model_of(nodes, inputs, [value("y", [1, 4])], kept)


def scores_when_marked(split):
    """What float arithmetic gives for the marked sample."""
    rng = np.random.default_rng(["calibration", "evaluation"].index(split))
    images = rng.standard_normal((24, 1, 3, 16, 16)).astype(np.float32)
    engine = open_engine("onnxruntime", conv_net().SerializeToString())
    return engine.run({"x": images[MARKED]})["y"]


@pytest.fixture
def optimize(tmp_path, capsys):
    def run(model, split):
        onnx.save(model, tmp_path / "net.onnx")
        (tmp_path / "task.py").write_text(TASK.format(split=split, marked=MARKED))
        code = main([
            "optimize", str(tmp_path / "net.onnx"), "--task", str(tmp_path / "task.py"),
            "--out", str(tmp_path / "out"), "--target", "apple-m1", "--engines", "none", "--json",
            "--cpu-seconds", "25",
        ])  # fmt: skip
        captured = capsys.readouterr()
        return code, captured.out, captured.err.splitlines()

    return run


@pytest.mark.parametrize("split", ["calibration", "evaluation"])
def test_a_model_that_ends_its_process_on_a_later_sample_is_one_line_that_names_it(
    optimize, tmp_path, split
):
    code, out, said = optimize(net_that_aborts_when_marked(), split)
    errors = [line for line in said if line.startswith("edgekit: ")]
    assert (code, out, len(errors)) == (2, "", 1)
    place = f"while scoring the model that came on the {split} split, at sample {MARKED} "
    assert f"net.onnx': its process ended {place}(signal SIGABRT" in errors[0]
    assert not (tmp_path / "out").exists()
    assert list((tmp_path / "cache" / "work").iterdir()) == []


@pytest.mark.parametrize("split", ["calibration", "evaluation"])
def test_candidates_that_end_their_process_on_one_sample_are_refused(optimize, split):
    model = net_that_aborts_when_marked(unless_scores=scores_when_marked(split))
    code, out, said = optimize(model, split)
    assert code == 0, said
    found = json.loads(out)
    ended = {
        each["recipe"]: each["why"]
        for each in found["candidates"]
        if each["verdict"] == "not made" and "its process ended while" in each["why"]
    }
    assert ended
    assert all("signal SIGABRT" in why for why in ended.values())
    if split == "evaluation":
        place = f"on the evaluation split, at sample {MARKED} (signal"
        assert all("while judging" in why and place in why for why in ended.values())
    assert found["chosen"] not in ended
    assert found["chosen"] in ("fp32", "as-is")
    assert [line for line in said if "going on without it" in line]

"""Causes that are planted in small graphs, and whether they are named where they were planted."""

from dataclasses import replace

import numpy as np
import onnx
import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.explain.causes import Facts, cause_of
from edgekit_converters.explain.explain import diagnose, explain
from edgekit_converters.explain.slowness import SLOW_CAUSES, Slowness
from edgekit_converters.importers import read_model
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.attempt import attempt
from edgekit_converters.search.candidate import Candidate, Judged
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.ground import Ground
from edgekit_converters.search.search import optimize
from edgekit_converters.search.workbench import Job, prepare
from edgekit_converters.targets import Target, load_target
from networks import INT64, conv_net, model_of, stored, task_of, value, weights
from onnx import helper

from edgekit.task import load_task

PER_CHANNEL = parse("int8_static_all_perchannel")
PER_TENSOR = parse("int8_static_all")
AVX2 = Target("old-pc", "", "x86_64", frozenset({"avx2"}))

IMAGES = """
def samples(split):
    rng = np.random.default_rng(split == "evaluation")
    for number in range(8):
        image = rng.standard_normal((1, 3, 16, 16)).astype(np.float32)
        {change}
        yield image, 0, str(number)

def predict(run, input):
    return run({{"x": input}})["y"].argmax(-1)
"""


def diagnosis(model, task, recipe=PER_CHANNEL, target=None, *, was_judged=False):
    """What is found of a recipe's candidate, as a search would ask."""
    clean, _ = apply_passes(DEFAULT_PASSES, model, [])
    ground = Ground(clean, task, calibrate(clean, task))
    judged = Judged(0.0, None) if was_judged else None
    candidate = Candidate(recipe, evaluation=judged)
    return diagnose(candidate, ground, target or load_target("host"))


def named(found):
    """The cause's name, the place, and the proof."""
    cause, place, proof = cause_of(found.facts)
    return (cause.name if cause else "unexplained"), place, proof


def named_nodes(model):
    """Give every node a name to find it by."""
    for node in model.graph.node:
        node.name = f"the_{node.output[0]}"
    return model


def test_a_healthy_model_gets_no_cause(tmp_path):
    model = named_nodes(conv_net())
    for recipe in (PER_CHANNEL, PER_TENSOR):
        found = diagnosis(model, task_of(tmp_path, IMAGES.format(change="")), recipe)
        name, _, proof = named(found)
        assert name == "unexplained"
        assert "no class of causes fits" in proof
        assert found.facts.output_db > 25


def test_an_outlier_in_the_input_is_a_range_outlier_at_the_first_layer(tmp_path):
    task = task_of(tmp_path, IMAGES.format(change="image[0, 0, 0, 0] = 2000"))
    name, place, proof = named(diagnosis(named_nodes(conv_net()), task))
    assert (name, place) == ("range outlier", "the_c1")
    assert "'x' reaches" in proof
    assert "round to zero" in proof


def depthwise_net():
    """One channel is 100 times larger in the depthwise weights and as much smaller before."""
    rng = np.random.default_rng(0)
    scales = np.array([1.0] * 7 + [100.0], np.float32).reshape(8, 1, 1, 1)
    stores = [
        stored("w0", weights(rng, 8, 3, 3, 3) / scales),
        stored("w1", weights(rng, 8, 1, 3, 3) * scales),
        stored("w2", weights(rng, 4, 8, 1, 1)),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "w0"], ["first"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["first"], ["cut"]),
        helper.make_node("Conv", ["cut", "w1"], ["deep"], group=8, pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["deep", "w2"], ["point"]),
        helper.make_node("GlobalAveragePool", ["point"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["y"]),
    ]
    shapes = value("x", [1, 3, 16, 16]), value("y", [1, 4])
    return named_nodes(model_of(nodes, [shapes[0]], [shapes[1]], stores))


def test_unequal_depthwise_channels_under_one_scale_are_named(tmp_path):
    task = task_of(tmp_path, IMAGES.format(change=""))
    found = diagnosis(depthwise_net(), task, PER_TENSOR)
    name, place, proof = named(found)
    assert (name, place) == ("per-tensor weights", "the_deep")
    assert found.facts.layer.channel_spread > 30
    assert "depthwise channels" in proof
    assert named(diagnosis(depthwise_net(), task))[0] == "unexplained", "the fix removes it"


def test_evaluation_that_leaves_the_calibrated_range_is_named(tmp_path):
    task = task_of(tmp_path, IMAGES.format(change='image *= 5 if split == "evaluation" else 1'))
    found = diagnosis(named_nodes(conv_net()), task, was_judged=True)
    name, _, proof = named(found)
    assert name == "calibration unlike evaluation"
    assert "'x' reaches" in proof
    assert found.facts.shift.factor == pytest.approx(5, rel=0.3)
    assert not found.facts.shift.is_too_small


def test_evaluation_data_is_looked_at_only_where_it_was_judged_by(tmp_path):
    task = task_of(tmp_path, IMAGES.format(change='image *= 5 if split == "evaluation" else 1'))
    assert diagnosis(conv_net(), task).facts.shift is None


def test_calibration_that_does_not_know_its_own_ranges_is_too_small(tmp_path):
    change = "image *= 10 if split == 'evaluation' else 3 if number > 5 else 1"
    found = diagnosis(conv_net(), task_of(tmp_path, IMAGES.format(change=change)), was_judged=True)
    assert found.facts.shift.is_too_small
    assert "its first half saw far less" in named(found)[2]


def test_the_same_data_on_both_splits_is_no_shift(tmp_path):
    task = task_of(tmp_path, IMAGES.format(change=""))
    assert diagnosis(conv_net(), task, was_judged=True).facts.shift is None


def test_saturation_is_named_where_rounding_does_not_explain_the_error(tmp_path):
    """What an AVX2 CPU would compute is put in place of what this one did."""
    rng = np.random.default_rng(0)
    weight = np.sign(rng.standard_normal((64, 8))).astype(np.float32)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    model = named_nodes(
        model_of(nodes, [value("x", [4, 64])], [value("y", [4, 8])], [stored("w", weight)])
    )
    body = (
        "def samples(split):\n    rng = np.random.default_rng(0)\n    for n in range(4):\n"
        "        yield rng.random((4, 64)).astype(np.float32), 0, str(n)\n"
        "def predict(run, input):\n    return run({'x': input})['y'].argmax(-1)\n"
    )
    task = task_of(tmp_path, body)
    facts = diagnosis(model, task, PER_TENSOR, AVX2).facts
    assert facts.overflowing > 0.3
    x = np.concatenate([raw for raw, _, _ in task.samples("calibration")])
    numbers = np.rint(x * 255)[:, :, None] * (weight * 127)[None]
    cut = np.clip(numbers[:, ::2] + numbers[:, 1::2], -32768, 32767).sum(1) / (255 * 127)
    noise = np.square(cut - x @ weight).sum() / np.square(x @ weight).sum()
    there = replace(facts, start=replace(facts.start, db=-10 * np.log10(noise)))
    cause, _, proof = cause_of(there)
    assert cause.name == "saturation"
    assert "overflow 16 bits" in proof
    assert cause_of(facts)[0] is None, "this CPU or this arithmetic did not saturate"
    seven = parse("int8_static_all_7bit")
    assert diagnosis(model, task, seven, AVX2).facts.overflowing == 0


def test_a_lost_softmax_tail_is_named_at_the_layer_that_reads_it(tmp_path):
    """Probabilities around 1e-4 of a long row, that the next product weighs by 1000."""
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((64, 8)).astype(np.float32)
    weight[0] = 0
    nodes = [
        helper.make_node("Softmax", ["x"], ["p"], axis=-1),
        helper.make_node("MatMul", ["p", "w"], ["y"]),
    ]
    model = named_nodes(
        model_of(nodes, [value("x", [4, 64])], [value("y", [4, 8])], [stored("w", weight)])
    )
    body = (
        "def samples(split):\n    rng = np.random.default_rng(0)\n    for n in range(6):\n"
        "        x = rng.standard_normal((4, 64)).astype(np.float32)\n"
        "        x[:, 0] = 11\n        yield x, 0, str(n)\n"
        "def predict(run, input):\n    return run({'x': input})['y'].argmax(-1)\n"
    )
    name, place, proof = named(diagnosis(model, task_of(tmp_path, body)))
    assert name == "softmax or sigmoid tail"
    assert place == "the_y"
    assert "'p' comes from Softmax" in proof


def recurrent_net():
    """state → it turned, plus x: what is rounded comes back; one element takes the range."""
    rng = np.random.default_rng(2)
    turn = np.eye(8)
    turn[1:, 1:], _ = np.linalg.qr(rng.standard_normal((7, 7)))
    read = weights(rng, 8, 4)
    read[0] = 0
    nodes = [
        helper.make_node("MatMul", ["state", "turn"], ["turned"]),
        helper.make_node("Add", ["turned", "x"], ["next"]),
        helper.make_node("MatMul", ["next", "w"], ["y"]),
    ]
    stores = [stored("turn", turn.astype(np.float32)), stored("w", read)]
    inputs = [value("x", [1, 8]), value("state", [1, 8])]
    return named_nodes(model_of(nodes, inputs, [value("y", [1, 4]), value("next", [1, 8])], stores))


RECURRENT = """
def samples(split):
    rng = np.random.default_rng(0)
    for number in range(4):
        x = rng.standard_normal((50, 1, 8)).astype(np.float32) * 0.2
        x[..., 0] = 0
        yield x, 0, str(number)

def predict(run, input):
    state = np.zeros((1, 8), np.float32)
    state[0, 0] = 30
    for x in input:
        found = run({"x": x, "state": state})
        state = found["next"]
    return found["y"].argmax()
"""


def test_an_error_that_comes_back_through_the_state_is_named(tmp_path):
    found = diagnosis(recurrent_net(), task_of(tmp_path, RECURRENT))
    name, place, proof = named(found)
    assert (name, place) == ("recurrent state", "the_turned/MatMulAddFusion")
    assert "'next' goes back into 'state'" in proof
    assert found.facts.state.free_db < found.facts.state.forced_db - 6


def test_a_task_without_state_has_none(tmp_path):
    assert diagnosis(conv_net(), task_of(tmp_path, IMAGES.format(change=""))).facts.state is None


def test_an_lstm_where_the_error_starts_is_a_recurrent_state():
    from edgekit_converters.explain.trace import Step

    start = Step("cell", "If", frozenset({"If", "LSTM"}), "h", 2.0, 15.0, (), None)
    cause, _, proof = cause_of(Facts(PER_CHANNEL, start))
    assert cause.name == "recurrent state"
    assert "LSTM takes 15.0 dB in and gives 2.0 dB" in proof


def test_integers_that_share_a_number_are_named(tmp_path):
    """Identities up to 30000 as floats: in 8 bits 118 of them are one."""
    rng = np.random.default_rng(0)
    nodes = [
        helper.make_node("Cast", ["ids"], ["as_float"], to=1),
        helper.make_node("Reshape", ["as_float", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["hidden"]),
        helper.make_node("Sin", ["hidden"], ["y"]),
    ]
    stores = [stored("w", weights(rng, 6, 8)), stored("shape", np.array([1, 6], np.int64))]
    model = named_nodes(model_of(nodes, [value("ids", [6], INT64)], [value("y", [1, 8])], stores))
    body = (
        "def samples(split):\n    rng = np.random.default_rng(0)\n    for n in range(6):\n"
        "        yield rng.integers(0, 30000, 6), 0, str(n)\n"
        "def predict(run, input):\n    return run({'ids': input})['y'].argmax(-1)\n"
    )
    name, place, proof = named(diagnosis(model, task_of(tmp_path, body)))
    assert (name, place) in (("integer input", "the_hidden"), ("integer input", "the_flat"))
    assert "input 'ids' is made of integers" in proof


def slow_cause(found):
    return next((name for name, rule, _ in SLOW_CAUSES if rule(found)), "unexplained")


def test_causes_of_slowness_follow_from_what_the_runtime_did():
    times = {"Conv": 40.0, "Softmax": 5.0}
    converted = {"QLinearConv": 20.0, "DequantizeLinear": 30.0}
    assert slow_cause(Slowness(PER_CHANNEL, 1.2, {"y": "Conv"}, 4)) == "op left unfused"
    assert slow_cause(Slowness(PER_CHANNEL, 1.2, {}, 9, times, converted)) == "op left unfused"
    slow = {"ConvInteger": 400.0, "Conv": 0.0}
    assert slow_cause(Slowness(PER_CHANNEL, 9.0, {}, 0, times, slow)) == "slow integer operator"
    rest = {"Conv": 1.0, "Resize": 90.0}
    assert slow_cause(Slowness(PER_CHANNEL, 1.0, {}, 0, rest, rest)) == "little to gain"
    assert slow_cause(Slowness(PER_CHANNEL, 1.0, {}, 0, times, times)) == "unexplained"


def magnitude_net():
    """x → squares of a convolution, their root, a product: what small values need 8 bits lack."""
    rng = np.random.default_rng(4)
    stores = [stored("w1", weights(rng, 8, 3, 3, 3)), stored("w2", weights(rng, 8, 4))]
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["wave"], pads=[1, 1, 1, 1]),
        helper.make_node("Mul", ["wave", "wave"], ["power"]),
        helper.make_node("Sqrt", ["power"], ["root"]),
        helper.make_node("GlobalAveragePool", ["root"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w2"], ["y"]),
    ]
    return named_nodes(model_of(nodes, [value("x", [1, 3, 16, 16])], [value("y", [1, 4])], stores))


def searched(tmp_path, model, change, names):
    """A job and its workbench, and recipes that were tried and are said to be over budget."""
    path, file, folder = (tmp_path / name for name in ("its_task.py", "its.onnx", "work"))
    images = IMAGES.format(change=change)
    path.write_text(f"import numpy as np\n{images}\ndef score(answers, labels):\n    return 1.0\n")
    onnx.save(model, file)
    folder.mkdir()
    target = load_target("host")
    job = Job(read_model(file), load_task(path), target, Goal(), folder, 0, Silent())
    bench = prepare(job)
    tried = [attempt(parse(name), job, bench) for name in names]
    return (
        job,
        bench,
        [replace(each, verdict="over budget") if each.path is not None else each for each in tried],
    )


def test_an_operator_without_weights_is_named_and_a_recipe_that_leaves_it_float_answers(tmp_path):
    names = ("int8_static_all_perchannel", "int8_static_conv+matmul_perchannel")
    change = "image *= np.exp(3 * rng.standard_normal((1, 1, 16, 16))).astype(np.float32)"
    job, bench, tried = searched(tmp_path, magnitude_net(), change, names)
    tried[1] = replace(tried[1], verdict="in budget")
    (found,) = explain(job, bench, tried)
    assert (found.cause, found.node, found.operator) == ("range outlier", "the_root", "Sqrt")
    assert found.index is None
    assert [each.recipe for each in found.tried] == [names[1]]
    assert found.fix.startswith(f"{names[1]} holds (in budget): ")


def test_variants_of_a_failure_are_what_was_tried_against_it(tmp_path):
    """One outlier; percentile ranges were tried, and per-tensor scales that do nothing about it."""
    names = ("int8_static_all_perchannel", "int8_static_all_perchannel_percentile",
             "int8_static_all", "int8_static_conv_keep9")  # fmt: skip
    job, bench, failed = searched(tmp_path, conv_net(), "image[0, 0, 0, 0] = 2000", names)
    found = {each.recipe: each for each in explain(job, bench, failed)}
    assert set(found) == {names[0], names[2], names[3]}
    assert list(found)[-1] == names[3]
    first = found[names[0]]
    assert (first.cause, first.operator, first.index) == ("range outlier", "Conv", 0)
    assert [each.recipe for each in first.tried] == [names[1]]
    assert "keep0" in first.fix
    assert {layer.operator for layer in first.layers} >= {"Conv", "Gemm"}
    nodes = [layer.node for layer in first.layers]
    assert len(set(nodes)) == len(nodes), "a Relu is one with what it merged with"
    tensor = first.tensors[0]
    assert sum(tensor.before) == sum(tensor.after) > 0
    kept = found[names[3]]
    assert (kept.verdict, kept.cause) == ("not made", "cannot be made of this model")
    assert "there is no weighted node 9" in kept.proof


def test_a_search_without_time_explains_nothing(tmp_path, conv_path, task):
    folder = tmp_path / "work"
    folder.mkdir()
    job = Job(read_model(conv_path), task, load_target("host"), Goal(), folder, 0, Silent())
    recipes = [parse("int8_static_all_keep9")]
    assert optimize(job, [lambda *_: iter(recipes)], explaining_s=0.0).explanations == ()

import os
import platform
import shutil
import subprocess
import sys
from collections import Counter

import numpy as np
import onnx
import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.costs.cost import Place
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.finish import finished, steady_names
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.workbench import Job
from edgekit_converters.targets import load_target
from networks import conv_net

from edgekit.engines import open_engine
from edgekit.engines.onnxfile import LAYOUT, OPTIMIZED, metadata, this_layout
from edgekit.errors import ModelError


@pytest.fixture(scope="module")
def content():
    return finished(conv_net().SerializeToString())


def test_it_answers_as_before_and_says_what_was_done(content, images):
    before, after = (
        open_engine("onnxruntime", each) for each in (conv_net().SerializeToString(), content)
    )
    for feeds in images:
        np.testing.assert_allclose(after.run(feeds)["y"], before.run(feeds)["y"], rtol=1e-4)
    assert metadata(content)[OPTIMIZED].startswith("onnxruntime ")


def test_the_same_model_gives_the_same_bytes_in_any_process(content, tmp_path):
    path = tmp_path / "net.onnx"
    onnx.save(conv_net(), path)
    script = (
        "import hashlib, pathlib, sys; from edgekit_converters.recipes.finish import finished;"
        "print(hashlib.sha256(finished(pathlib.Path(sys.argv[1]).read_bytes())).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", script, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_names_that_the_runtime_counts_up_are_replaced():
    model = conv_net()
    model.graph.node[0].name = "ReorderOutput_token_64"
    steady_names(model)
    assert model.graph.node[0].name == "Conv of c1"


def test_a_layout_of_another_machine_is_refused(content, tmp_path):
    model = onnx.ModelProto.FromString(content)
    onnx.helper.set_model_props(model, {OPTIMIZED: "onnxruntime 1.32.0", LAYOUT: "riscv64/4"})
    path = tmp_path / "foreign.onnx"
    onnx.save(model, path)
    for source in (path, model.SerializeToString()):
        with pytest.raises(ModelError, match=f"for riscv64/4, this machine is {this_layout()}"):
            open_engine("onnxruntime", source)


def test_what_does_not_load_is_one_line():
    with pytest.raises(ModelError, match="cannot load it"):
        finished(b"\x08\x09")


def operators(content):
    return {node.op_type for node in onnx.ModelProto.FromString(content).graph.node}


def test_for_an_arm_made_elsewhere_everything_is_done_but_the_blocked_layout(images):
    plain = conv_net().SerializeToString()
    found = finished(plain, "aarch64")
    told = metadata(found)
    assert OPTIMIZED in told
    assert LAYOUT not in told
    assert "FusedConv" in operators(found)
    engine, before = open_engine("onnxruntime", found), open_engine("onnxruntime", plain)
    for feeds in images:
        np.testing.assert_allclose(engine.run(feeds)["y"], before.run(feeds)["y"], rtol=1e-4)


def test_signed_activations_stay_signed_for_an_arm(task, images):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(channels=32), images)
    recipe = parse("int8_static_s8_conv_perchannel")
    made = make(recipe, Material(model, task, calibrate(model, task))).content
    found = onnx.ModelProto.FromString(finished(made, "aarch64"))
    stored = {each.name: each.data_type for each in found.graph.initializer}
    points = [each.input[7] for each in found.graph.node if each.op_type == "QLinearConv"]
    assert [stored[name] for name in points] == [onnx.TensorProto.INT8] * len(points) != []


def test_half_precision_is_left_to_the_arm(task, images):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(), images)
    made = make(parse("fp16"), Material(model, task, calibrate(model, task))).content
    assert finished(made, "aarch64") == made


@pytest.mark.parametrize(
    ("kind", "target", "is_done"),
    [
        ("instructions", "cortex-a76", True),
        ("latency", "cortex-a76", True),
        ("operations", "cortex-a76", False),
        ("latency", "x86-64-v3", False),
    ],
)
def test_what_is_shipped_to_another_machine(kind, target, is_done, task, tmp_path):
    content = conv_net().SerializeToString()
    place = Place(kind, "ssh://board")
    job = Job(None, task, load_target(target), Goal(), tmp_path, 0, Silent(), place)
    assert (OPTIMIZED in metadata(job.shipped(content))) == is_done


HASWELL = """
import pathlib, sys
from edgekit_converters.recipes.finish import finished
path = pathlib.Path(sys.argv[1])
path.with_suffix(".made").write_bytes(finished(path.read_bytes(), "x86_64"))
"""


def recipes_of(task, images):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(channels=32), images)
    material = Material(model, task, calibrate(model, task))
    names = ("int8_static_all_perchannel", "int8_dynamic_matmul_perchannel")
    return [model.SerializeToString(), *(make(parse(each), material).content for each in names)]


on_x86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="it is about x86")


@on_x86
@pytest.mark.skipif(not shutil.which("qemu-x86_64"), reason="qemu-user is missing (.ci/packages)")
def test_for_an_x86_made_elsewhere_a_cpu_without_avx512_writes_the_same_bytes(
    task, images, tmp_path
):
    """What makes it safe: an AVX2-only CPU, emulated, fuses what this machine fuses."""
    path = tmp_path / "it.onnx"
    for content in recipes_of(task, images):
        path.write_bytes(content)
        command = ["qemu-x86_64", "-cpu", "Haswell", sys.executable, "-c", HASWELL, str(path)]
        subprocess.run(command, check=True, capture_output=True)
        assert path.with_suffix(".made").read_bytes() == finished(content, "x86_64")


@on_x86
def test_for_an_x86_made_elsewhere_the_layout_is_left_to_the_load(task, images, tmp_path):
    for content in recipes_of(task, images):
        found = finished(content, "x86_64")
        assert OPTIMIZED not in metadata(found)
        assert LAYOUT not in metadata(found)
        assert kinds(finished(found)) == kinds(finished(content)), "the load makes the same of both"


def kinds(content):
    return Counter(node.op_type for node in onnx.ModelProto.FromString(content).graph.node)


def test_what_only_a_table_judged_is_rewritten_when_it_is_packed(task, tmp_path):
    """The table of operations knows the plain operators."""
    place = Place("operations", "local")
    job = Job(None, task, load_target("x86-64-v3"), Goal(), tmp_path, 0, Silent(), place)
    plain = conv_net().SerializeToString()
    assert job.shipped(plain) == plain
    assert "FusedConv" in operators(job.stored(plain))

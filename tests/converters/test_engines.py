"""Other libraries' int8: for real where they are installed, their failures everywhere."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from edgekit_converters import engines
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.engines import quantize_with
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import difference
from edgekit_converters.recipes.make import Material, make
from edgekit_converters.recipes.placement import weighted_nodes
from edgekit_converters.recipes.recipe import parse
from networks import conv_net, outputs

from edgekit.errors import ModelError

PLAIN = "int8_static_all_perchannel"


@pytest.fixture
def material(task, images):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(channels=32), images)
    return Material(model, task, calibrate(model, task))


def installed(name):
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: pip install 'edgekit[engines]'")


@pytest.mark.parametrize("engine", ["onnxsim", "nncf"])
def test_a_librarys_model_runs_on_integers_and_stays_near(material, images, engine):
    installed(engine)
    made = make(parse(f"{PLAIN}_{engine}"), material)
    expected = outputs(material.model.SerializeToString(), images[0])["y"]
    assert 0 < difference(expected, outputs(made.content, images[0])["y"]) < 0.1
    assert made.fused.integer["QLinearConv"] == 2
    kept = make(parse(f"{PLAIN}_keep0_{engine}"), material)
    assert kept.fused.integer["QLinearConv"] == 1
    name = weighted_nodes(material.model)[0]
    node = next(n for n in onnx.load_from_string(kept.content).graph.node if n.name == name)
    assert not any("equantize" in each for each in node.input[1:2])


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("int8_static_s16_all_perchannel_onnxsim", "s16"),
        ("int8_static_all_perchannel_7bit_onnxsim", "7bit"),
        ("int8_static_all_nncf", "per tensor"),
        ("int8_static_s8_all_perchannel_mse_nncf", "mse, s8"),
    ],
)
def test_what_a_library_cannot_do_is_said(material, name, missing, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    with pytest.raises(ModelError, match=f"cannot do {missing}"):
        make(parse(name), material)


def test_a_library_that_is_not_installed_comes_with_the_line_that_installs_it(
    material, monkeypatch
):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(
        ModelError, match=r"nncf is not installed; pip install 'edgekit\[engines\]'"
    ):
        make(parse(f"{PLAIN}_nncf"), material)


BODIES = {
    "import os; os.kill(os.getpid(), 11)": "ended with code -11: no word",
    "raise RuntimeError('no such operator')": "ended with code 1: RuntimeError: no such operator",
    "x = bytearray(20_000_000_000)": "ended with code 1: MemoryError",
    "import time; time.sleep(60)": "was not done after 2 s",
    "pass": "wrote no model",
}


@pytest.mark.parametrize("body", BODIES)
def test_whatever_a_library_does_is_a_candidates_failure(
    material, images, body, monkeypatch, tmp_path
):
    """A script stands in for the interpreter that would run the library."""
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{body}\n")
    script.chmod(0o700)
    monkeypatch.setattr(engines.sys, "executable", str(script))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: True)
    monkeypatch.setattr(engines, "SECONDS", 2)
    with pytest.raises(ModelError, match=BODIES[body]) as error:
        quantize_with(parse(f"{PLAIN}_onnxsim"), material.model, [], images)
    assert "\n" not in str(error.value)


def test_feeds_of_any_dtype_and_name_arrive(tmp_path):
    feeds = [{"a/b:0": np.arange(3), "names": np.float32([1.5])}, {"a/b:0": np.arange(2)}]
    order = engines.Order("u8", "minmax", True, False, ["n"])
    engines.hand_over(Path(tmp_path), conv_net(), order, feeds)
    model, found, arrived = engines.taken_over(Path(tmp_path))
    assert found == order
    assert model == conv_net()
    for sent, got in zip(feeds, arrived, strict=True):
        assert sent.keys() == got.keys()
        assert all(np.array_equal(sent[k], got[k]) and sent[k].dtype == got[k].dtype for k in sent)

import os
import subprocess
import sys

import numpy as np
import onnx
import pytest
from edgekit_converters.finish import finished, steady_names
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
        "import hashlib, pathlib, sys; from edgekit_converters.finish import finished;"
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

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from workmodels import endless, matmuls

from edgekit.errors import StorageError
from edgekit.gate.subject import look_at
from edgekit.measure.bench import bench
from edgekit.measure.external import external_files


def external(path, location="weights.bin"):
    model = matmuls(2, 64)
    onnx.save_model(
        model, path, save_as_external_data=True, location=location, size_threshold=0,
        convert_attribute=True,
    )  # fmt: skip
    return path


def test_a_model_in_one_file_names_no_other():
    assert external_files(matmuls(3).SerializeToString()) == ()
    assert external_files(endless().SerializeToString()) == ()


def test_external_data_counts_in_size_and_digest(tmp_path):
    path = external(tmp_path / "model.onnx")
    weights = tmp_path / "weights.bin"
    assert external_files(path.read_bytes()) == ("weights.bin",)
    before = look_at(path)
    assert before.model_bytes == path.stat().st_size + weights.stat().st_size > 16_384
    weights.write_bytes(weights.read_bytes()[::-1])
    assert look_at(path).model_sha256 != before.model_sha256


def test_bench_counts_it_in_the_size_too(tmp_path):
    path = external(tmp_path / "model.onnx")
    found = bench(path, calls=6, max_s=1.0)
    assert found["size_bytes"]["model"] == look_at(path).model_bytes


def test_tensors_in_attributes_and_subgraphs_are_found():
    weight = numpy_helper.from_array(np.ones(4, np.float32), "w")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="deep.bin")
    constant = helper.make_node("Constant", [], ["c"], value=weight)
    body = helper.make_graph([constant], "then", [], [])
    branch = helper.make_node("If", ["x"], ["y"], then_branch=body, else_branch=body)
    model = helper.make_model(helper.make_graph([branch], "net", [], []))
    assert external_files(model.SerializeToString()) == ("deep.bin",)


@pytest.mark.parametrize("content", [b"", b"\xff" * 40, b"not a model at all", b"\x3a\x7f"])
def test_what_is_no_model_names_nothing(content):
    assert external_files(content) == ()


def test_data_that_is_missing_or_elsewhere_is_said(tmp_path):
    path = external(tmp_path / "model.onnx")
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(StorageError, match=r"weights\.bin.*there is no such file"):
        look_at(path)
    content = path.read_bytes().replace(b"weights.bin", b"../tmp/w.bi")
    path.write_bytes(content)
    with pytest.raises(StorageError, match="leaves the model's folder"):
        look_at(path)

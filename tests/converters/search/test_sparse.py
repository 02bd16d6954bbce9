"""Zeros among the weights: the right ones, and told as what they are."""

import json
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from edgekit_converters.recipes.recipe import SPARSITIES
from edgekit_converters.search.rungs import RUNGS
from edgekit_converters.search.search import optimize
from edgekit_converters.search.sparse import sparse_rung, sparsified
from edgekit_converters.search.tried import Tried
from networks import conv_net, model_of, stored, value

from edgekit.cli import main
from edgekit.errors import ModelError


def weight(kind, array, **attributes):
    """The weight of one operator, from a model of it."""
    node = onnx.helper.make_node(kind, ["x", "w"], ["y"], **attributes)
    model = model_of([node], [value("x", ["n", 8])], [value("y", ["m", "n"])], [stored("w", array)])
    return lambda pattern: onnx.numpy_helper.to_array(
        sparsified(model, pattern).graph.initializer[0]
    )


def test_the_smallest_of_a_tensor_go_by_percentage():
    array = np.random.default_rng(0).standard_normal((32, 16)).astype(np.float32)
    found = weight("MatMul", array)
    for pattern, left in (("50", 256), ("75", 128)):
        kept = found(pattern)
        assert np.count_nonzero(kept) == left
        assert np.abs(array[kept == 0]).max() <= np.abs(kept[kept != 0]).min()
        np.testing.assert_array_equal(kept[kept != 0], array[kept != 0])


@pytest.mark.parametrize(
    ("kind", "shape", "axis", "attributes"),
    [
        ("MatMul", (32, 16), 0, {}),
        ("Gemm", (16, 32), 1, {"transB": 1}),
        ("Conv", (16, 8, 3, 3), 1, {}),
    ],
)
def test_two_of_each_four_stay_along_what_is_summed(kind, shape, axis, attributes):
    array = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    kept = np.moveaxis(weight(kind, array, **attributes)("2to4"), axis, -1).reshape(-1, 4)
    before = np.sort(np.abs(np.moveaxis(array, axis, -1).reshape(-1, 4)), axis=1)
    assert (np.count_nonzero(kept, axis=1) == 2).all()
    np.testing.assert_array_equal(np.sort(np.abs(kept), axis=1)[:, 2:], before[:, 2:])


def test_a_model_without_weights_worth_it_is_refused():
    with pytest.raises(ModelError, match="no weights to make sparse"):
        weight("MatMul", np.ones((4, 4), np.float32))("50")
    with pytest.raises(ModelError, match=r"no weights to make sparse \(2to4\)"):
        weight("MatMul", np.ones((30, 16), np.float32))("2to4")


def test_the_model_that_came_is_left_alone():
    model = conv_net(channels=32)
    before = model.SerializeToString()
    assert sparsified(model, "50") != model
    assert model.SerializeToString() == before


def test_it_is_tried_last_and_only_where_it_is_asked_for():
    assert RUNGS[-1] is sparse_rung
    names = ["fp32_sparse2to4", "fp32_sparse50", "fp32_sparse75"]
    tried = Tried([])
    assert [each.name for each in sparse_rung(tried, SimpleNamespace(sparse=True), None)] == names
    assert list(sparse_rung(tried, SimpleNamespace(sparse=False), None)) == []
    assert [each.recipe.name for each in tried.candidates] == names
    assert all(each.verdict == "not tried" and "--sparse" in each.why for each in tried.candidates)


def test_a_search_tells_its_size_in_transfer_and_does_not_choose_it(
    tmp_path, task_path, capsys, monkeypatch
):
    monkeypatch.setattr(optimize, "__defaults__", ((sparse_rung,), 0.0))
    path = tmp_path / "conv.onnx"
    onnx.save(conv_net(channels=32), path)
    line = ["optimize", str(path), "--task", str(task_path), "--out", str(tmp_path / "out")]
    assert main([*line, "--sparse", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert "sparse" not in found["chosen"]
    sparse = {e["recipe"]: e for e in found["candidates"] if "sparse" in e["recipe"]}
    assert len(sparse) == len([each for each in SPARSITIES if each])
    for each in sparse.values():
        assert (each["verdict"], each["cost"]) == ("size only", None)
        assert "as large and as slow as fp32" in each["why"]
        assert each["calibration"] is not None
    sizes = [float(sparse[f"fp32_sparse{n}"]["why"].split()[3]) for n in ("50", "75")]
    fp32 = float(sparse["fp32_sparse50"]["why"].split("fp32 ")[1].split()[0])
    assert fp32 > sizes[0] > sizes[1]

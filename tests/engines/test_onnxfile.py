import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import conv_net

from edgekit.engines.onnxfile import metadata, this_layout


def with_metadata(**entries):
    model = conv_net()
    onnx.helper.set_model_props(model, entries)
    return model.SerializeToString()


def test_metadata_is_read_past_the_graph(tmp_path):
    content = with_metadata(one="1", two="zwei ä")
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    assert metadata(content) == metadata(path) == {"one": "1", "two": "zwei ä"}


def test_a_model_without_any_has_none():
    assert metadata(conv_net().SerializeToString()) == {}


@given(st.binary(max_size=200))
def test_any_bytes_are_read_without_an_error(data):
    assert isinstance(metadata(data), dict)


@pytest.mark.parametrize("size", range(0, 400, 7))
def test_a_truncated_file_is_read_without_an_error(size):
    content = with_metadata(key="value")
    assert metadata(content[-size:] if size % 2 else content[:size]) is not None


def test_numpy_and_the_kernels_agree_on_the_layout(monkeypatch):
    quick = this_layout()
    monkeypatch.setattr("numpy._core._multiarray_umath.__cpu_features__", {})
    assert this_layout() == quick

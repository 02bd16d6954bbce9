import numpy as np
import onnx
import pytest
from edgekit_converters.importers import read_model
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import conv_net, model_of, stored, value
from onnx import helper
from zoo import ZOO

from edgekit.errors import EdgekitError, ModelError, StorageError, UsageError


def test_an_onnx_file_is_read_with_its_tensors(conv_path):
    source = read_model(conv_path)
    assert source.engine == "onnxruntime"
    assert [tensor.name for tensor in source.inputs] == ["x"]
    assert source.inputs[0].shape == ("batch", 3, 16, 16)
    assert source.model == conv_net()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused_wherever_it_ends(tmp_path, share):
    whole = conv_net().SerializeToString()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(ModelError, match=r"check that the file is whole|runtime") as caught:
        read_model(path)
    assert "cut.onnx" in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        read_model(tmp_path / "gone.onnx")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"'\.pt'"):
        read_model(tmp_path / "model.pt")


def save_external(tmp_path):
    path = tmp_path / "big.onnx"
    onnx.save(
        conv_net(), path, save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    return path


def test_weights_beside_the_model_are_brought_in(tmp_path):
    source = read_model(save_external(tmp_path))
    assert_same_weights(source)
    (tmp_path / "weights.bin").unlink()
    assert onnx.load_from_string(source.content).graph.initializer[0].raw_data


def assert_same_weights(source):
    names = {tensor.name: tensor for tensor in source.model.graph.initializer}
    original = {tensor.name: tensor for tensor in conv_net().graph.initializer}
    for name, tensor in names.items():
        expected = onnx.numpy_helper.to_array(original[name])
        assert np.array_equal(onnx.numpy_helper.to_array(tensor), expected)


def test_missing_external_data_names_the_file(tmp_path):
    path = save_external(tmp_path)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelError, match=r"'weights\.bin', which is not in"):
        read_model(path)


def test_external_data_that_is_too_short_is_refused(tmp_path):
    path = save_external(tmp_path)
    weights = tmp_path / "weights.bin"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ModelError, match="which has 100"):
        read_model(path)


def test_external_data_outside_the_folder_is_refused(tmp_path):
    folder = tmp_path / "inner"
    folder.mkdir()
    model = onnx.load(save_external(tmp_path), load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../weights.bin"
    path = folder / "leaves.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="outside its folder"):
        read_model(path)


@pytest.mark.parametrize(
    "location", ["/etc/hostname", "..\\\\weights.bin", "C:\\\\weights.bin", "sub/w.bin"]
)
def test_external_data_outside_the_folder_is_refused_however_it_is_named(tmp_path, location):
    """`sub` is a folder that is a link out: a weight in it lies outside, whatever its name says."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "w.bin").write_bytes(bytes(10_000))
    path = tmp_path / "inner" / "big.onnx"
    path.parent.mkdir()
    (path.parent / "sub").symlink_to(outside)
    model = onnx.load(save_external(tmp_path), load_external_data=False)
    model.graph.initializer[0].external_data[0].value = location
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="outside its folder"):
        read_model(path)


def test_a_model_and_its_weights_may_be_links_as_in_the_cache_of_a_model_hub(tmp_path):
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1f2e"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    for name in (save_external(tmp_path).name, "weights.bin"):
        (tmp_path / name).rename(blobs / f"sha-of-{name}")
        (snapshot / name).symlink_to(f"../../blobs/sha-of-{name}")
    assert_same_weights(read_model(snapshot / "big.onnx"))


def test_weights_are_found_beside_the_file_that_a_link_leads_to(tmp_path):
    link = tmp_path / "elsewhere" / "mine.onnx"
    link.parent.mkdir()
    link.symlink_to(save_external(tmp_path))
    assert_same_weights(read_model(link))


@pytest.mark.parametrize("version", [5, 999])
def test_an_unsupported_opset_is_refused(tmp_path, version):
    model = conv_net()
    model.opset_import[0].version = version
    path = tmp_path / "old.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match=f"opset {version}, supported are 7 to"):
        read_model(path)


def test_an_operator_outside_the_opset_is_named(tmp_path):
    model = conv_net()
    model.graph.node[0].op_type = "Convolute"
    path = tmp_path / "odd.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="opset 17 has no operator 'Convolute'"):
        read_model(path)


def test_an_operator_outside_the_runtime_is_refused(tmp_path):
    node = helper.make_node("Sparkle", ["x"], ["y"], domain="com.example")
    graph = helper.make_graph([node], "net", [value("x", [1])], [value("y", [1])])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
    path = tmp_path / "custom.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="Sparkle"):
        read_model(path)


def test_nan_weights_are_named(tmp_path):
    weight = np.array([1.0, np.nan], np.float32)
    node = helper.make_node("Add", ["x", "bad"], ["y"])
    model = model_of([node], [value("x", [2])], [value("y", [2])], [stored("bad", weight)])
    path = tmp_path / "nan.onnx"
    onnx.save(model, path)
    with pytest.raises(ModelError, match="weight 'bad' has NaN"):
        read_model(path)


def test_a_file_that_only_claims_to_be_tflite_is_refused(tmp_path):
    path = tmp_path / "fake.tflite"
    path.write_bytes(b"0123456789")
    with pytest.raises(ModelError, match="TFL3"):
        read_model(path)


def test_a_file_larger_than_a_protobuf_is_not_read(tmp_path):
    path = tmp_path / "huge.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)  # a hole: it takes no disk
    with pytest.raises(ModelError, match=r"3221225472 bytes.*store its weights beside it"):
        read_model(path)


@pytest.mark.parametrize("with_length", [True, False])
def test_more_external_data_than_a_protobuf_holds_is_refused_unread(tmp_path, with_length):
    model = onnx.load(save_external(tmp_path), load_external_data=False)
    with (tmp_path / "weights.bin").open("wb") as file:
        file.truncate(3 * 2**30)
    entries = model.graph.initializer[0].external_data
    del entries[:]
    entries.add(key="location", value="weights.bin")
    if with_length:
        entries.add(key="length", value=str(3 * 2**30))
    path = tmp_path / "big.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="more than a protobuf holds; split the model"):
        read_model(path)


def test_nodes_that_share_a_name_are_told_apart(tmp_path):
    model = conv_net()
    for node in model.graph.node:
        node.name = "same"
    path = tmp_path / "same.onnx"
    onnx.save(model, path)
    names = [node.name for node in read_model(path).model.graph.node]
    assert len(set(names)) == len(names)


def test_weights_that_were_listed_as_inputs_are_none(tmp_path):
    model = conv_net()
    model.graph.input.append(value("w1", [16, 3, 3, 3]))
    path = tmp_path / "listed.onnx"
    onnx.save(model, path)
    source = read_model(path)
    assert [each.name for each in source.model.graph.input] == ["x"]
    assert len(onnx.load_from_string(source.content).graph.input) == 2


@pytest.mark.parametrize(
    ("field", "problem"),
    [("op_type", "it is damaged"), ("dims", "it is damaged")],
)
def test_damage_is_named_in_one_line(tmp_path, field, problem, capfd):
    content = conv_net().SerializeToString()
    if field == "op_type":
        content = content.replace(b"GlobalAveragePool", b"Global\xffveragePool")
    else:
        model = conv_net()
        model.graph.initializer[0].dims[0] = 5
        content = model.SerializeToString()
    path = tmp_path / "damaged.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=problem) as caught:
        read_model(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")


def test_a_name_that_is_no_text_is_refused(tmp_path, capfd):
    content = conv_net().SerializeToString().replace(b"batch", b"b\xffatch"[:5])
    path = tmp_path / "name.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError):
        read_model(path)
    assert capfd.readouterr() == ("", "")


@settings(max_examples=80, deadline=None)
@given(
    maker=st.sampled_from(sorted(set(ZOO) - {"random_numbers"})),
    edits=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_bytes_load_or_are_refused(tmp_path_factory, maker, edits):
    content = bytearray(ZOO[maker]().SerializeToString())
    for place, byte in edits:
        content[int(place * len(content))] = byte
    path = tmp_path_factory.mktemp("damaged") / "damaged.onnx"
    path.write_bytes(content)
    message = ""
    try:
        read_model(path)
    except EdgekitError as refused:
        message = str(refused)
    assert "\n" not in message

"""Where cost is measured, and what a figure may be called."""

import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.costs import cost as module
from edgekit_converters.costs.cost import Place, meter_for, place_for
from edgekit_converters.costs.meters import EmulatedInstructions, LocalLatency, OperationTable
from edgekit_converters.costs.operations import Table, Work, class_of, measured_table
from edgekit_converters.recipes.placement import decide
from edgekit_converters.recipes.quantize import rewrite
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.targets import Target, host, load_target
from networks import conv_net
from onnx import ModelProto
from zoo import recurrent

from edgekit.errors import DeviceError, TargetError, UsageError
from edgekit.measure.environment import local_environment

OTHER = "aarch64" if host().arch == "x86_64" else "x86_64"


def test_the_host_gives_latency():
    assert place_for(load_target("host")) == Place("latency", "local")


def test_a_named_target_that_is_this_machine_gives_latency():
    here = host()
    board = Target("board", "", here.arch, here.cpu_features)
    assert place_for(board).kind == "latency"


def test_a_target_of_another_kind_is_emulated_and_never_called_latency(monkeypatch):
    monkeypatch.setattr(module, "open_emulator", lambda url: None)
    arm = Target("arm", "", OTHER, frozenset(), "cortex-a76")
    place = place_for(arm)
    assert (place.kind, place.device) == ("instructions", "arm://cortex-a76")
    assert f"this machine is {host().arch}" in place.why


def test_without_an_emulator_a_table_stands_in_and_says_why(monkeypatch):
    def missing(url):
        raise DeviceError("arm://cortex-a76", "there is no qemu-aarch64", "install qemu-user")

    monkeypatch.setattr(module, "open_emulator", missing)
    place = place_for(Target("arm", "", OTHER, frozenset(), "cortex-a76"))
    assert place.kind == "operations"
    assert "no qemu-aarch64" in place.why
    assert "install qemu-user" in place.why


def test_what_is_neither_here_nor_emulated_gets_the_table(conv_path, images):
    place = place_for(Target("far", "", host().arch, host().cpu_features | {"sme"}))
    meter = meter_for(Target("far", "", OTHER, frozenset()), place, images, 0)
    assert isinstance(meter, OperationTable)
    assert "estimate and no latency" in meter.about
    assert "differs from it in sme" in meter.about
    same = meter.screen(conv_path, conv_path)
    assert (same.kind, same.ratio) == ("operations", 1.0)
    assert not same.is_cheaper


def test_this_machine_is_no_stand_in_for_another_target():
    with pytest.raises(TargetError, match="this machine is"):
        place_for(Target("arm", "", OTHER, frozenset()), "local")


def test_an_unknown_device_is_refused():
    with pytest.raises(UsageError, match="no such kind of device"):
        place_for(load_target("host"), "usb://1")


def test_meters_say_what_they_measure(images):
    local = meter_for(load_target("host"), Place("latency", "local"), images, 0)
    assert isinstance(local, LocalLatency)
    assert "latency on this machine" in local.about
    arm = meter_for(load_target("cortex-a76"), Place("instructions", "arm://cortex-a76"), images, 0)
    assert isinstance(arm, EmulatedInstructions)
    assert "which are not time" in arm.about


TABLE = Table({"window fp32": 1.0, "product fp32": 2.0, "elementwise fp32": 4.0}, 0.0, 1, "here")


def test_the_table_counts_multiplications_and_elements():
    """Two 3 × 3 convolutions of 16 × 16 pixels, 3 → 16 → 16 channels, and a 16 → 4 product."""
    model = conv_net()
    work = Work(model, {"x": (1, 3, 16, 16)})
    weighted = [node for node in model.graph.node if node.op_type in ("Conv", "Gemm")]
    assert [work.amount(node) for node in weighted] == [
        16 * 16 * 16 * 3 * 9,
        16 * 16 * 16 * 16 * 9,
        16 * 4,
    ]
    assert [class_of(node, work) for node in weighted] == ["window", "window", "product"]


def test_the_table_grows_with_the_batch():
    content = conv_net().SerializeToString()
    table = Table({**TABLE.rates, "move fp32": 0.0}, 0.0, 1, "here")
    one, two = (table.total_us(content, {"x": (batch, 3, 16, 16)}) for batch in (1, 2))
    assert two == pytest.approx(2 * one)


def test_the_measured_table_is_kept_and_made_again_when_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path))
    first = measured_table()
    assert all(rate > 0 for rate in first.rates.values())
    assert measured_table() == first
    (path,) = (tmp_path / "operations").iterdir()
    path.write_bytes(path.read_bytes()[:40])
    assert measured_table().rates.keys() == first.rates.keys()
    assert local_environment().cpu is None or local_environment().cpu in first.about


def test_int8_work_is_told_from_float_work(conv_path, task, tmp_path):
    model = conv_net()
    ranges = calibrate(model, task).ranges
    recipe = parse("int8_static_all_perchannel")
    made = ModelProto.FromString(rewrite(model, decide(model, recipe, ranges), ranges).content)
    work = Work(made, {"x": (1, 3, 16, 16)})
    convolutions = [node for node in made.graph.node if node.op_type == "Conv"]
    assert len(convolutions) == 2
    assert all(work.is_int8(node) for node in convolutions)


def test_an_lstm_in_int8_does_the_work_of_one_in_float():
    """Its weights are stored turned; a node of that name was once taken for one that only moves."""
    model = recurrent()
    for number, node in enumerate(model.graph.node):
        node.name = f"n{number}"
    recipe = parse("int8_dynamic_all")
    made = ModelProto.FromString(rewrite(model, decide(model, recipe, {}), {}).content)
    shapes = {each.name: (4, 1, 8) for each in model.graph.input}
    amounts = []
    for each, operator in ((model, "LSTM"), (made, "DynamicQuantizeLSTM")):
        work = Work(each, shapes)
        node = next(node for node in each.graph.node if node.op_type == operator)
        assert class_of(node, work) == "recurrent"
        amounts.append(work.amount(node))
        assert work.is_int8(node) == (operator != "LSTM")
    assert amounts[0] == amounts[1] > 1

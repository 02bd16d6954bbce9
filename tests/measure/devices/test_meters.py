"""The optimizer's meters on devices: a board behind a real sshd, and an emulated Arm CPU."""

import pytest
from edgekit_converters.costs.cost import Place, meter_for, place_for
from edgekit_converters.targets import host, load_target

from edgekit.errors import TargetError


def test_a_board_gives_latency_in_turns_with_the_baseline(host_as_board, models, feeds_64):
    place = place_for(load_target("host"), host_as_board.url)
    assert place == Place("latency", host_as_board.url)
    meter = meter_for(load_target("host"), place, feeds_64, 0)
    assert meter.about.startswith(f"latency on {host_as_board.url}")
    cost = meter.screen(models["ten"], models["more"])
    assert (cost.kind, cost.unit) == ("latency", "ms")
    assert cost.environment.device == host_as_board.url
    assert cost.low <= cost.ratio <= cost.high


def test_a_board_that_is_not_the_target_is_refused(host_as_board, feeds_64):
    place = Place("latency", host_as_board.url)
    here = host()
    with pytest.raises(TargetError, match="lacks sme9"):
        meter_for(replaced(here, here.cpu_features | {"sme9"}), place, feeds_64, 0)
    other = "aarch64" if here.arch == "x86_64" else "x86_64"
    with pytest.raises(TargetError, match=f"it is {other}"):
        meter_for(load_target("cortex-a76" if other == "aarch64" else "x86-64-v3"), place, [], 0)


def replaced(target, features):
    import msgspec

    return msgspec.structs.replace(target, cpu_features=features)


def test_an_emulated_cpu_gives_instructions_once_for_each_file(arm, models, feeds_64, monkeypatch):
    place = Place("instructions", arm.url, "there is no such machine here")
    meter = meter_for(load_target("cortex-a76"), place, feeds_64, 0)
    vars(meter)["_device"] = arm
    cost = meter.screen(models["ten"], models["more"])
    assert (cost.kind, cost.unit) == ("instructions", "million instructions")
    assert cost.ratio > 1.0
    assert cost.is_dearer
    monkeypatch.setattr(type(arm), "count", None)
    assert meter.screen(models["ten"], models["more"]).ratio == cost.ratio
    assert "there is no such machine here" in meter.about

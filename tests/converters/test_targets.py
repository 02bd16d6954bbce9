import pytest
from edgekit_converters.targets import HOST, Target, load_target, target_names

from edgekit.errors import TargetError
from edgekit.measure.devices.emulator import find_cpu


@pytest.mark.parametrize("name", target_names())
def test_every_target_loads(name):
    target = load_target(name)
    assert target.name == name
    assert target.arch in ("aarch64", "x86_64") or name == HOST


def test_an_unknown_target_lists_the_known_ones():
    with pytest.raises(TargetError, match="known are host, apple-m1, "):
        load_target("cortex-a77")


def test_a_path_is_no_target():
    with pytest.raises(TargetError):
        load_target("../targets/cortex-a53")


def test_every_target_of_the_issue_is_there():
    wanted = {
        "host", "cortex-a53", "cortex-a72", "cortex-a76", "neoverse-n1", "apple-m1", "armv8.2",
        "x86-64-v3", "x86-64-v4",
    }  # fmt: skip
    assert wanted <= set(target_names())


def test_emulated_cpus_are_ones_that_the_emulator_knows():
    for name in target_names():
        cpu = load_target(name).emulator_cpu
        assert cpu is None or find_cpu(cpu).name == cpu


@pytest.mark.parametrize(
    ("name", "dot", "half"),
    [("cortex-a53", False, False), ("cortex-a76", True, True), ("x86-64-v3", False, False)],
)
def test_features_say_what_arithmetic_there_is(name, dot, half):
    target = load_target(name)
    assert (target.has_dot, target.has_half) == (dot, half)


@pytest.mark.parametrize(
    ("name", "saturates"),
    [("x86-64-v3", True), ("x86-64-v4", True), ("cortex-a53", False), ("cortex-a76", False)],
)
def test_u8s8_products_saturate_on_x86_before_vnni_only(name, saturates):
    assert load_target(name).saturates is saturates


def test_vnni_does_not_saturate():
    assert not Target("v", "", "x86_64", frozenset({"avx2", "avx_vnni"})).saturates

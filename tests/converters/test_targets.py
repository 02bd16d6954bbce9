import pytest
from edgekit_converters.cost import check_measurable
from edgekit_converters.targets import HOST, Target, host, load_target, target_names

from edgekit.errors import TargetError


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


def test_the_host_can_be_measured():
    check_measurable(load_target(HOST))


def test_another_architecture_cannot_be_measured_here():
    other = "aarch64" if host().arch == "x86_64" else "x86_64"
    with pytest.raises(TargetError, match=f"this machine is {host().arch}"):
        check_measurable(Target("other", "", other, frozenset()))


def test_another_cpu_of_this_architecture_cannot_be_measured_here():
    here = host()
    more = Target("more", "", here.arch, here.cpu_features | {"sme"})
    with pytest.raises(TargetError, match="differs from it in sme"):
        check_measurable(more)


def test_a_named_target_that_is_this_machine_can_be_measured():
    here = host()
    check_measurable(Target("board", "", here.arch, here.cpu_features))


@pytest.mark.parametrize(
    ("name", "saturates"),
    [("x86-64-v3", True), ("x86-64-v4", True), ("cortex-a53", False), ("cortex-a76", False)],
)
def test_u8s8_products_saturate_on_x86_before_vnni_only(name, saturates):
    assert load_target(name).saturates is saturates


def test_vnni_does_not_saturate():
    assert not Target("v", "", "x86_64", frozenset({"avx2", "avx_vnni"})).saturates

"""Wheels for other machines: which tags fit, and what happens when there are none."""

import pytest

from edgekit.errors import DeviceError
from edgekit.measure.devices.wheels import NAMES, Platform, fetch_wheels, requirements


def test_every_older_glibc_that_wheels_may_name_fits():
    options = Platform("aarch64", (3, 11), (2, 28)).options()
    tags = [options[i + 1] for i, word in enumerate(options) if word == "--platform"]
    assert tags[0] == "manylinux_2_28_aarch64"
    assert tags[-2:] == ["manylinux_2_17_aarch64", "manylinux2014_aarch64"]
    assert len(tags) == 13
    assert options[:2] == ["--python-version", "311"]


def test_versions_are_the_ones_installed_here():
    import numpy

    assert f"numpy=={numpy.__version__}" in requirements()
    assert len(requirements()) == len(NAMES)


def test_a_platform_without_wheels_is_named_with_the_versions(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    platform = Platform("mips64", (3, 11), (2, 36))
    with pytest.raises(DeviceError, match=r"numpy==.*mips64-python3\.11-glibc2\.36"):
        fetch_wheels(tmp_path / "wheels", platform, "it")
    assert not list((tmp_path / "wheels").glob("lock.json"))


def test_a_folder_that_lost_a_wheel_is_refused(tmp_path):
    (tmp_path / "lock.json").write_text("{}")
    with pytest.raises(DeviceError, match=f"0 wheels, not {len(NAMES)}"):
        fetch_wheels(tmp_path, Platform("aarch64", (3, 11), (2, 36)), "it")

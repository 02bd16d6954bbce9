"""Which CPUs are emulated, and which QEMU will do."""

import pytest

from edgekit.errors import DeviceError, UsageError
from edgekit.measure.devices.emulator import CPUS, find_cpu, find_emulator


@pytest.fixture
def qemu(tmp_path, monkeypatch):
    """Installs a qemu-aarch64 that says what it is told to say."""

    def install(version, help_text):
        program = tmp_path / "qemu-aarch64"
        program.write_text(
            f'#!/bin/sh\nif [ "$1" = -help ]; then echo "{help_text}"; else echo "{version}"; fi\n'
        )
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    return install


def test_without_qemu_the_package_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match="apt-get install qemu-user"):
        find_emulator("device 'arm://cortex-a53'")


@pytest.mark.parametrize(
    ("version", "help_text"),
    [
        ("qemu-aarch64 version 10.0.2 (Debian)", "-cpu model"),
        ("qemu-aarch64 version 7.2.9", "-cpu model"),
        ("qemu-aarch64 version 8.2.0", "-plugin file"),
    ],
)
def test_a_qemu_without_plugins_or_of_another_version_is_refused(qemu, version, help_text):
    qemu(version, help_text)
    with pytest.raises(DeviceError, match=r"only Debian's 7\.2 takes plugins"):
        find_emulator("device 'arm://cortex-a53'")


def test_the_version_that_takes_plugins_is_recorded_whole(qemu):
    qemu("qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7)", "-plugin file")
    assert find_emulator("it").version == "7.2.22 (Debian 1:7.2+dfsg-7)"


def test_an_unknown_cpu_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match="arm://cortex-a53, arm://cortex-a72"):
        find_cpu("cortex-m4")


@pytest.mark.parametrize("name", CPUS)
def test_a_cpu_describes_itself_as_its_kernel_would(name):
    fields = dict(line.split("\t: ") for line in CPUS[name].cpuinfo().strip().splitlines())
    assert fields["CPU implementer"] == "0x41"
    assert ("asimddp" in fields["Features"]) == (name in ("cortex-a76", "neoverse-n1"))

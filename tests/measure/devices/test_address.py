"""What names a device, and what does not."""

import pytest

from edgekit.errors import UsageError
from edgekit.measure.devices import open_device
from edgekit.measure.devices.address import SshAddress, adb_serial, ssh_address


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ssh://board", SshAddress("board", None, None)),
        ("ssh://pi@board.local", SshAddress("board.local", "pi", None)),
        ("ssh://pi@10.0.0.7:2222/", SshAddress("10.0.0.7", "pi", 2222)),
        ("ssh://[fe80::1]:22", SshAddress("fe80::1", None, 22)),
    ],
)
def test_an_ssh_address_has_a_host_and_maybe_a_user_and_a_port(url, address):
    assert ssh_address(url) == address


@pytest.mark.parametrize(
    "url",
    [
        "ssh://-oProxyCommand=touch", "ssh://x@-oProxyCommand=touch", "ssh://board:0",
        "ssh://board:65536", "ssh://board/path", "ssh://a b", "ssh://user:secret@board",
        "ssh://$(touch x)", "ssh://board;reboot", "ssh://-l@board",
    ],
)  # fmt: skip
def test_what_could_be_an_option_or_a_command_is_no_ssh_address(url):
    with pytest.raises(UsageError, match=r"ssh://\[user@\]host"):
        ssh_address(url)


def test_a_password_in_an_address_is_not_repeated():
    with pytest.raises(UsageError) as refused:
        ssh_address("ssh://user:secret@board")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("serial", ["0123456789ABCDEF", "emulator-5554", "192.168.0.7:5555"])
def test_an_adb_address_has_a_serial(serial):
    assert adb_serial(f"adb://{serial}") == serial


@pytest.mark.parametrize("url", ["adb://-a", "adb://a b", "adb://a;b", "adb:///"])
def test_what_could_be_an_option_or_a_command_is_no_serial(url):
    with pytest.raises(UsageError):
        adb_serial(url)


@pytest.mark.parametrize(
    "url", ["", "arm", "arm://", "arm://cortex-m4", "http://x", "board", "local"]
)
def test_an_unknown_device_is_refused_with_the_known_ones(url):
    with pytest.raises(UsageError, match=r"arm://cortex-a"):
        open_device(url)


@pytest.mark.parametrize("url", ["arm://cortex-a53", "ssh://nobody@nowhere.invalid", "adb://x"])
def test_opening_a_device_does_nothing_yet(url):
    device = open_device(url)
    assert device.url == url
    device.close()

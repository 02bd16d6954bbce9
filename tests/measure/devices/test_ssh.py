"""The OpenSSH client as it is called, and what its failures mean."""

import pytest

from edgekit.errors import DeviceError
from edgekit.measure.devices.ssh import Ssh


@pytest.fixture(autouse=True)
def no_own_client(monkeypatch):
    monkeypatch.delenv("EDGEKIT_SSH", raising=False)


def test_it_never_asks_and_forwards_nothing():
    command = Ssh("ssh://pi@board:2222").command("true")
    for option in ("BatchMode=yes", "ForwardAgent=no", "ServerAliveInterval=5"):
        assert option in command
    assert command[command.index("-l") + 1] == "pi"
    assert command[command.index("-p") + 1] == "2222"
    assert command[-3:] == ["--", "board", "exec sh -c true"]


def test_a_script_arrives_as_one_word():
    assert (
        Ssh("ssh://board").command("echo 'a b'; x")[-1] == """exec sh -c 'echo '"'"'a b'"'"'; x'"""
    )


def test_another_client_can_be_named(monkeypatch):
    monkeypatch.setenv("EDGEKIT_SSH", "sh -F 'my config'")
    assert Ssh("ssh://board").command("true")[1:4] == ["-F", "my config", "-T"]


def test_a_machine_without_a_client_is_told_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeviceError, match="apt-get install openssh-client"):
        Ssh("ssh://board").command("true")


@pytest.mark.parametrize(
    ("words", "lasting"),
    [
        ("pi@board: Permission denied (publickey).", True),
        ("Host key verification failed.", True),
        ("ssh: Could not resolve hostname board: Name or service not known", True),
        ("ssh: connect to host board port 22: Connection refused", False),
        ("Connection to board closed by remote host.", False),
        ("Timeout, server board not responding.", False),
        ("", False),
    ],
)
def test_a_failed_connection_is_tried_again_where_that_can_help(words, lasting):
    failure = Ssh("ssh://board").failure(255, words)
    assert failure.lasting is lasting
    assert failure.way_out


@pytest.mark.parametrize("code", [0, 1, 127, 137])
def test_other_exit_codes_are_the_scripts(code):
    assert Ssh("ssh://board").failure(code, "Permission denied") is None

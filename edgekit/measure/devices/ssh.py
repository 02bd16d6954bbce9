"""`ssh://[user@]host[:port]` through the OpenSSH client, with the user's own keys and settings."""

import os
import shlex

from edgekit.measure.devices.address import SshAddress, ssh_address
from edgekit.measure.devices.commands import find_program
from edgekit.measure.devices.transport import Failure

OPTIONS = {
    "BatchMode": "yes",  # never ask: there may be nobody to answer
    "ConnectTimeout": "10",
    "ServerAliveInterval": "5",  # a link that is silent for 15 s is gone
    "ServerAliveCountMax": "3",
    "ClearAllForwardings": "yes",
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "LogLevel": "ERROR",
}

LASTING = {
    "Permission denied": "let `ssh` log in without a password: ssh-copy-id",
    "Host key verification failed": "connect once by hand and compare the host key",
    "Too many authentication failures": "name the key in the ssh configuration",
    "Could not resolve hostname": "check the name",
    "Bad configuration option": "mend the ssh configuration",
    "no matching": "the board's sshd and this client share no algorithm: update one",
}

CONNECTION_FAILED = 255


class Ssh:
    """Commands over ssh; see `Transport`.

    `EDGEKIT_SSH` may hold another command than `ssh`, such as `ssh -F my.config`.

    Raises:
        UsageError: the address is malformed.
    """

    def __init__(self, url: str) -> None:
        self._address: SshAddress = ssh_address(url)
        self.thing = f"device {url!r}"

    def command(self, script: str) -> list[str]:
        """The ssh command for a script."""
        words = shlex.split(os.environ.get("EDGEKIT_SSH") or "ssh")
        client = find_program(words[0], self.thing, "openssh-client")
        command = [client, *words[1:], "-T"]
        for name, value in OPTIONS.items():
            command += ["-o", f"{name}={value}"]
        if self._address.user is not None:
            command += ["-l", self._address.user]
        if self._address.port is not None:
            command += ["-p", str(self._address.port)]
        return [*command, "--", self._address.host, f"exec sh -c {shlex.quote(script)}"]

    def failure(self, code: int, words: str) -> Failure | None:
        """OpenSSH ends with 255 when the connection fails."""
        if code != CONNECTION_FAILED:
            return None
        problem = words or "the connection ended"
        for sign, way_out in LASTING.items():
            if sign in words:
                return Failure(problem, way_out, lasting=True)
        return Failure(problem, "check that the board is on and its sshd answers", lasting=False)

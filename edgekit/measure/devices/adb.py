"""`adb://serial` through Android's debug bridge: Android, or Linux boards that run its daemon."""

from edgekit.measure.devices.address import adb_serial
from edgekit.measure.devices.commands import find_program
from edgekit.measure.devices.transport import Failure

WAYS_OUT = {
    "unauthorized": "confirm the key on the device's screen",
    "no permissions": "let this user open the USB device: udev rules",
    "more than one device": "name one serial of `adb devices`",
}
PASSING = ("not found", "offline", "closed", "protocol fault", "reset", "still authorizing")
"""What a device says that comes back by itself: after a reboot, or with a loose cable."""


class Adb:
    """Commands over adb; see `Transport`.

    Raises:
        UsageError: the address is malformed.
    """

    def __init__(self, url: str) -> None:
        self._serial = adb_serial(url)
        self.thing = f"device {url!r}"

    def command(self, script: str) -> list[str]:
        """`adb shell` without a terminal: binary-clean, and the exit code is the script's."""
        client = find_program("adb", self.thing, "adb")
        return [client, "-s", self._serial, "shell", "-T", script]

    def failure(self, code: int, words: str) -> Failure | None:
        """What adb says of itself starts with `error:` or `adb:`."""
        if code == 0 or not words.startswith(("error:", "adb:")):
            return None
        ways = (way_out for sign, way_out in WAYS_OUT.items() if sign in words)
        lasting = not any(sign in words for sign in PASSING)
        return Failure(words, next(ways, "check the cable and `adb devices`"), lasting)

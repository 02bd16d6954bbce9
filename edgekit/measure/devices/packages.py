"""Debian packages of another architecture, fetched and unpacked beside the system, never into it.

apt runs with a configuration of its own (`APT_CONFIG`): own lists, own archives, an empty
status file. From the machine it takes the source lines, keys and proxy settings. It needs no root.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from edgekit.errors import DeviceError
from edgekit.measure.devices.commands import Step, find_program

WAY_OUT = "check the network and apt's sources (Debian 12 with arm64 packages), then run it again"


class Packages:
    """A private apt.

    Args:
        folder: where its state and archives live; what an interrupted download left goes on.
        arch: Debian's name of the architecture, such as `"arm64"`.
        thing: the device that errors name.

    Raises:
        DeviceError: apt or dpkg is not installed.
    """

    def __init__(self, folder: Path, arch: str, thing: str) -> None:
        self.archives = folder / "archives"
        self._folder = folder
        self._arch = arch
        self._thing = thing
        self._apt_get = find_program("apt-get", thing, "apt (a Debian machine is needed)")
        self._dpkg_deb = find_program("dpkg-deb", thing, "dpkg")

    def fetch(self, names: Sequence[str]) -> None:
        """Download packages and all that they depend on into `archives`.

        Raises:
            DeviceError: apt cannot reach or does not have them.
        """
        for part in ("lists/partial", "archives/partial"):
            (self._folder / part).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        (self._folder / "apt.conf").write_text(self._configuration())
        self._apt("read the package lists", "update")
        install = ("install", "--yes", "--no-install-recommends", "--download-only")
        self._apt("fetch the packages", *install, *names)

    def fetch_alone(self, name: str) -> None:
        """Download one more package, without what it depends on; after `fetch`.

        Raises:
            DeviceError: as `fetch`.
        """
        self._apt(f"fetch {name}", "download", name)

    def unpack(self, archive: Path, root: Path) -> None:
        """Unpack one archive into a folder; none of its scripts run."""
        step = Step(self._thing, f"unpack {archive.name}", f"remove {archive} and run it again")
        step.run([self._dpkg_deb, "--extract", archive, root])

    def _apt(self, what: str, *arguments: str) -> None:
        env = {**os.environ, "APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"}
        step = Step(self._thing, what, WAY_OUT)
        step.run([self._apt_get, "-q", *arguments], env=env, cwd=self.archives)

    def _configuration(self) -> str:
        """What of the machine's configuration fetching needs, and own places for the rest.

        Left out are the machine's hooks: they would clean up or refresh the system's own caches.
        """
        dump = Step(self._thing, "read apt's configuration", WAY_OUT)
        lines = dump.run([find_program("apt-config", self._thing, "apt"), "dump"]).splitlines()
        kept = [line for line in lines if line.startswith("Acquire::")]
        kept += [line for line in lines if line.startswith(("Dir ", "Dir::Etc"))]
        if '"' in str(self._folder):
            problem = f"apt cannot work in a folder with a quote in its name: {self._folder}"
            raise DeviceError(self._thing, problem, "set EDGEKIT_CACHE to another folder")
        own = (
            f'Dir::State "{self._folder}";',
            f'Dir::State::status "{self._folder}/status";',
            f'Dir::Cache "{self._folder}";',
            'Dir::Etc::parts "/dev/null";',
            'Dir::Etc::main "/dev/null";',
            f'APT::Architecture "{self._arch}";',
            f'APT::Architectures {{ "{self._arch}"; }};',
            'APT::Sandbox::User "";',
        )
        return "\n".join([*kept, *own]) + "\n"

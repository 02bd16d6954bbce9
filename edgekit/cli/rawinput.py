"""Read a raw input from a file: arrays, sound or a picture."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.engines import Array
from edgekit.errors import InputError, MissingExtraError, StorageError

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".tif", ".tiff")


def read_input(path: Path) -> Any:
    """The content of a file as a raw input.

    `.npy` gives its array, `.npz` a mapping by input name, `.wav` (16-bit PCM, channels averaged)
    float32 samples in -1..1, a picture (with Pillow) uint8 RGB of shape (height, width, 3).

    Raises:
        InputError: the suffix is unknown or the content is not what it says.
        StorageError: the file cannot be read.
        MissingExtraError: Pillow is needed and not installed.
    """
    suffix = path.suffix.lower()
    reader = _picture if suffix in PICTURES else READERS.get(suffix)
    thing = f"input {str(path)!r}"
    if reader is None:
        known = ", ".join((*READERS, *PICTURES))
        raise InputError(thing, f"its suffix is none of {known}", "convert it to one of them")
    try:
        return reader(path)
    except FileNotFoundError as error:
        raise StorageError(thing, "there is no such file", "check the path") from error
    except PermissionError as error:
        raise StorageError(thing, "it may not be read", "check its permissions") from error
    except (ValueError, EOFError, OSError, wave.Error) as error:
        raise InputError(thing, f"it cannot be read: {error}", "check that it is whole") from error


def _npy(path: Path) -> Array:
    array: Array = np.load(path, allow_pickle=False)
    return array


def _npz(path: Path) -> dict[str, Array]:
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def _wav(path: Path) -> Array:
    with wave.open(str(path)) as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{8 * file.getsampwidth()}-bit samples, only 16-bit PCM is read")
        pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        mono: Array = pcm.reshape(-1, file.getnchannels()).mean(axis=1) / 32768
    return mono.astype(np.float32)


def _picture(path: Path) -> Array:
    try:
        from PIL import Image
    except ImportError as error:
        way_out = "run: pip install pillow, or pass the pixels as .npy"
        raise MissingExtraError(
            f"input {str(path)!r}", "reading it needs Pillow", way_out
        ) from error
    with Image.open(path) as picture:
        pixels: Array = np.asarray(picture.convert("RGB"))
    return pixels


READERS: dict[str, Callable[[Path], Any]] = {".npy": _npy, ".npz": _npz, ".wav": _wav}

"""What a bundle is called, and how files get to where the user wants them: all of them or none."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from edgekit.errors import StorageError, UsageError
from edgekit.manifest import Name
from edgekit_converters.folders import LOCK, own_folder


@dataclass(frozen=True)
class Identity:
    """What a bundle is called: its file is `{name}-{version}.edgekit`."""

    name: str
    version: str

    @property
    def baseline(self) -> "Identity":
        """What the fp32 bundle beside it is called."""
        return Identity(f"{self.name}-fp32", self.version)

    @property
    def stem(self) -> str:
        """What its files are called, without a suffix."""
        return f"{self.name}-{self.version}"


def identify(name: str, version: str) -> Identity:
    """What a bundle is called, from what a user wrote or a model file is called.

    Raises:
        UsageError: nothing that a bundle may be called is left of it.
    """
    name, version = (re.sub(r"[^a-z0-9._-]+", "-", each.lower()) for each in (name, version))
    for what, value in (("name", f"{name}-fp32"), ("version", version)):
        try:
            msgspec.convert(value, Name)
        except msgspec.ValidationError:
            problem = f"{value!r} does not start with a letter or digit, or is too long"
            raise UsageError(f"--{what}", problem, "use up to 58 of a-z 0-9 . _ -") from None
    return Identity(name, version)


@contextmanager
def publishing(folder: Path) -> Iterator[Path]:
    """A folder whose files move into `folder` at the end, all of them, or vanish on any failure.

    A `folder` that was made for them goes, too, where there are none.

    Raises:
        StorageError: `folder` cannot be made or written.
    """
    thing = f"folder {str(folder)!r}"
    way_out = "choose a folder that can be written with --out, or free some space"
    is_new = not folder.exists()
    try:
        with own_folder(folder, ".edgekit-") as staging:
            yield staging
            made = [path for path in sorted(staging.iterdir()) if path.name != LOCK]
            for path in made:
                _check_free(folder / path.name)
            for path in made:
                path.replace(folder / path.name)
    except OSError as error:
        problem = f"it cannot be written ({error.strerror or error})"
        raise StorageError(thing, problem, way_out) from error
    finally:
        if is_new:
            with suppress(OSError):  # it has files, or somebody else's
                folder.rmdir()


def _check_free(path: Path) -> None:
    """Before the first file moves: an earlier file is replaced, a folder cannot be.

    Raises:
        StorageError: a folder has that name.
    """
    if path.is_dir():
        problem = "a folder has the name of what is written"
        raise StorageError(f"folder {str(path)!r}", problem, "move it, or choose --out or --name")

"""The golden self-test: a bundle's own raw inputs must give its own features and outputs here.

`golden/golden.json` lists the cases. Features must match bit for bit, outputs within the case's
tolerance. A pass is remembered in the cache folder for this bundle, runtime and machine.
"""

import hashlib
import io
import os
import platform
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from msgspec import Struct

from edgekit.bundle import Bundle
from edgekit.engines import Array, plain
from edgekit.errors import BundleError

GOLDEN = "golden/golden.json"
Paths = str | dict[str, str]


class Case(Struct, frozen=True, forbid_unknown_fields=True):
    """One golden case: paths of .npy files in the bundle, by model input and output.

    `input` is the raw input: one path, a path for each model input, or None where the task has
    no features and `features` are the feeds themselves.
    """

    input: Paths | None
    features: dict[str, str]
    outputs: dict[str, str]
    rtol: float
    atol: float


class Golden(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of `golden/golden.json`."""

    schema: int
    cases: tuple[Case, ...]


def read_golden(bundle: Bundle) -> Golden:
    """The bundle's cases; none where it has no `golden/golden.json`.

    Raises:
        BundleError: the file is malformed or of another schema.
    """
    if GOLDEN not in bundle.names:
        return Golden(1, ())
    try:
        golden = msgspec.json.decode(bundle.read(GOLDEN), type=Golden)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BundleError(
            bundle.thing, f"{GOLDEN} cannot be read: {error}", "pack it again"
        ) from error
    if golden.schema != 1:
        problem = f"{GOLDEN} has schema {golden.schema}, this edgekit reads schema 1"
        raise BundleError(bundle.thing, problem, "install the edgekit that wrote the bundle")
    return golden


def read_array(bundle: Bundle, path: str) -> Array:
    """A .npy file of the bundle; pickled objects are refused.

    Raises:
        BundleError: no such file, or it is not a plain array.
    """
    try:
        array: Array = np.load(io.BytesIO(bundle.read(path)), allow_pickle=False)
    except (ValueError, EOFError, SyntaxError) as error:
        raise BundleError(
            bundle.thing, f"{path} is no plain .npy array: {error}", "pack it again"
        ) from error
    return array


def read_input(bundle: Bundle, case: Case) -> Any:
    """A case's raw input, or its feeds where there is none."""
    source = case.features if case.input is None else case.input
    if isinstance(source, str):
        return read_array(bundle, source)
    return {name: read_array(bundle, path) for name, path in source.items()}


def run_self_test(
    bundle: Bundle,
    features: Callable[[Any], Mapping[str, Array]],
    infer: Callable[[Mapping[str, Array]], Mapping[str, Array]],
) -> int:
    """Run every golden case; returns how many there were.

    Raises:
        BundleError: a feature differs in any bit, or an output by more than its tolerance.
    """
    cases = read_golden(bundle).cases
    for number, case in enumerate(cases):
        thing = f"{bundle.thing}, golden case {number}"
        feeds = features(read_input(bundle, case))
        for name, path in case.features.items():
            _check_bits(thing, name, feeds.get(name), read_array(bundle, path))
        outputs = infer(feeds)
        for name, path in case.outputs.items():
            _check_close(thing, name, outputs.get(name), read_array(bundle, path), case)
    return len(cases)


def _check_bits(thing: str, name: str, found: Array | None, golden: Array) -> None:
    if found is None or not _is_alike(found, golden):
        problem = f"features for {name!r} are {_kind(found)}, golden are {_kind(golden)}"
    elif not _has_same_bits(found, golden):
        different = np.count_nonzero(found != golden)
        problem = f"{different} of {golden.size} features for {name!r} differ from the golden ones"
    else:
        return
    raise BundleError(
        thing, problem, "this edgekit makes other features: install the one that packed it"
    )


def _check_close(thing: str, name: str, found: Array | None, golden: Array, case: Case) -> None:
    if found is None or not _is_alike(found, golden):
        problem = f"output {name!r} is {_kind(found)}, golden is {_kind(golden)}"
    elif golden.dtype.kind not in "fiub":
        if np.array_equal(plain(found), golden):
            return
        problem = f"output {name!r} differs from the golden one"
    else:
        wide, reference = found.astype(np.float64), golden.astype(np.float64)
        close = np.isclose(wide, reference, rtol=case.rtol, atol=case.atol, equal_nan=True)
        if close.all():
            return
        worst = np.nan_to_num(np.abs(wide - reference)[~close], nan=np.inf).max()
        different = np.count_nonzero(~close)
        allowed = f"{case.atol:g} + {case.rtol:g}·|golden|"
        problem = (
            f"{different} of {close.size} values of output {name!r} differ by up to {worst:.3g}"
        )
        problem += f", allowed are {allowed}"
    raise BundleError(
        thing,
        problem,
        "the model computes something else on this CPU and runtime: do not deploy it here",
    )


def _is_alike(found: Array, golden: Array) -> bool:
    """Whether dtype and shape are the same; strings may be longer, or Python's own."""
    if golden.dtype.kind == "U":
        return found.dtype.kind in "OSU" and found.shape == golden.shape
    return found.dtype == golden.dtype and found.shape == golden.shape


def _has_same_bits(found: Array, golden: Array) -> bool:
    if golden.dtype.kind == "U":
        return np.array_equal(plain(found), golden)
    return found.tobytes() == golden.tobytes()


def _kind(array: Array | None) -> str:
    return "missing" if array is None else f"{array.dtype} {list(array.shape)}"


class Passed:
    """The memory of a passed self-test: an empty file in the cache folder.

    The folder is `$EDGEKIT_CACHE`, else `$XDG_CACHE_HOME/edgekit`, else `~/.cache/edgekit`. Where
    it cannot be written nothing is remembered and the test runs again.
    """

    def __init__(self, bundle: Bundle, runtime: str) -> None:
        about = (bundle.sha256, runtime, platform.machine(), platform.release(), _cpu())
        digest = hashlib.sha256("\n".join(about).encode()).hexdigest()
        self._path = cache_folder() / "self-tested" / digest

    def known(self) -> bool:
        """Whether this bundle has passed here before."""
        return self._path.is_file()

    def remember(self) -> None:
        """Note the pass."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
        except OSError:
            return


def cache_folder() -> Path:
    """Where edgekit keeps what it can make again."""
    named = os.environ.get("EDGEKIT_CACHE")
    if named:
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "edgekit"


def _cpu() -> str:
    """What /proc says of the first CPU's features; empty where there is no /proc."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return ""
    return next((line for line in lines if line.lower().startswith(("flags", "features"))), "")

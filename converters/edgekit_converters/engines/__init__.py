"""Other libraries' static int8, each in a process of its own: what it breaks, it breaks there.

Their models enter the same ladder as ours: loaded, run, measured and judged in the same way.
"""

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from onnx import ModelProto

from edgekit.engines import Array
from edgekit.errors import ModelError
from edgekit_converters.recipes.recipe import Maker, Recipe

SECONDS = 600
MEMORY_BYTES = 8_000_000_000
"""Of address space, several times what is resident."""
CAN: Mapping[str, tuple[str, ...]] = {
    "onnxsim": ("u8", "s8", "minmax", "percentile", "mse", "entropy", "per tensor"),
    "nncf": ("u8", "minmax", "7bit"),
}
"""What of a recipe each library can be asked for; int8 weights per channel all of them."""


@dataclass(frozen=True)
class Order:
    """What a library is asked for; it travels as JSON.

    Attributes:
        activation: `u8` or `s8`.
        ranges: how ranges are cut.
        per_channel: whether each output channel of a weight has a scale.
        seven_bit: whether weights leave room for sums of two products in 16 bits.
        excluded: names of nodes that stay float.
    """

    activation: str
    ranges: str
    per_channel: bool
    seven_bit: bool
    excluded: list[str]


def obstacle(recipe: Recipe) -> tuple[str, str] | None:
    """Why its engine cannot make a recipe here, and the way out; None where it can."""
    if importlib.util.find_spec(recipe.engine) is None:
        return f"{recipe.engine} is not installed", "pip install 'edgekit[engines]'"
    asked: set[str] = {recipe.activation, recipe.ranges}
    asked |= {"7bit"} if recipe.seven_bit else set()
    asked |= set() if recipe.per_channel else {"per tensor"}
    missing = sorted(asked - set(CAN[recipe.engine]))
    if missing:
        return f"{recipe.engine} cannot do {', '.join(missing)}", "let onnxruntime make it"
    return None


def versions_of(engines: Sequence[Maker]) -> dict[str, str]:
    """Of those that are installed."""
    found = (each for each in engines if importlib.util.find_spec(each) is not None)
    return {each: importlib.metadata.version(each) for each in found}


def quantize_with(
    recipe: Recipe,
    model: ModelProto,
    excluded: Sequence[str],
    feeds: Sequence[Mapping[str, Array]],
) -> ModelProto:
    """A recipe made by its engine.

    Args:
        recipe: static, with an engine other than onnxruntime.
        model: clean fp32.
        excluded: names of nodes that stay float.
        feeds: inputs that it calibrates on.

    Raises:
        ModelError: the library is not installed, cannot do it, fails, crashes, or takes too long.
    """
    reason = obstacle(recipe)
    if reason is not None:
        raise ModelError(f"recipe {recipe.name!r}", *reason)
    order = Order(
        recipe.activation, recipe.ranges, recipe.per_channel, recipe.seven_bit, list(excluded)
    )
    with TemporaryDirectory(prefix="edgekit-") as name:
        folder = Path(name)
        hand_over(folder, model, order, feeds)
        _run(recipe, folder)
        try:
            return ModelProto.FromString((folder / "result.onnx").read_bytes())
        except Exception as error:  # a library that ended well may still have written nothing
            problem = f"{recipe.engine} wrote no model"
            way_out = "this recipe is not for this model"
            raise ModelError(f"recipe {recipe.name!r}", problem, way_out) from error


def hand_over(
    folder: Path, model: ModelProto, order: Order, feeds: Sequence[Mapping[str, Array]]
) -> None:
    """Write what a library's process reads."""
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    (folder / "order.json").write_text(json.dumps(vars(order)))
    for number, each in enumerate(feeds):
        names = sorted(each)
        arrays: dict[str, Any] = {f"array{place}": each[name] for place, name in enumerate(names)}
        np.savez(folder / f"feeds{number:04}.npz", names=np.array(names), **arrays)


def taken_over(folder: Path) -> tuple[ModelProto, Order, list[dict[str, Array]]]:
    """Read it there."""
    feeds = []
    for path in sorted(folder.glob("feeds*.npz")):
        with np.load(path, allow_pickle=False) as saved:
            names = [str(name) for name in saved["names"]]
            feeds.append({name: saved[f"array{place}"] for place, name in enumerate(names)})
    model = ModelProto.FromString((folder / "model.onnx").read_bytes())
    return model, Order(**json.loads((folder / "order.json").read_text())), feeds


def _run(recipe: Recipe, folder: Path) -> None:
    """Wait for the library; its chatter is kept for the reason only."""
    command = [sys.executable, "-m", f"{__name__}.{recipe.engine}", str(folder)]
    environment = {**os.environ, "PYTHONHASHSEED": "0", "ORT_DISABLE_TELEMETRY": "1"}
    thing, way_out = f"recipe {recipe.name!r}", "this recipe is not for this model"
    try:
        done = subprocess.run(
            command,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
            preexec_fn=_limit_memory,
        )
    except subprocess.TimeoutExpired as error:
        problem = f"{recipe.engine} was not done after {SECONDS} s"
        raise ModelError(thing, problem, way_out) from error
    if done.returncode != 0:
        last = ([line for line in done.stderr.splitlines() if line.strip()] or ["no word"])[-1]
        problem = f"{recipe.engine} ended with code {done.returncode}: {last.strip()[:300]}"
        raise ModelError(thing, problem, way_out)


def _limit_memory() -> None:
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

"""edgekit over its kernels as they ship, and over the same sources free to fuse multiply and add.

The fused build (`cmake -DEDGEKIT_CONTRACT=ON`) is for this benchmark alone: its bits hang on the
instruction set. It takes the shipped extension's place in a second copy of the package.
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import numpy as np

ROOT = Path(__file__).parents[2]
FUSED = ROOT / "build/fused/edgekit/_native/_kernels.abi3.so"
EXTENSION = "edgekit._native._kernels"
PICKERS = ("audio", "image", "micro", "stream", "window")


@dataclass(frozen=True)
class Build:
    """A copy of the package. `pickers` are its modules that pick an instruction set."""

    features: ModuleType
    pickers: tuple[ModuleType, ...]
    isas: tuple[str, ...]

    @contextmanager
    def instruction_set(self, name: str) -> Iterator[None]:
        """The public classes take the best one there is; here they take this one."""
        number = self.isas.index(name)
        with ExitStack() as stack:
            for module in self.pickers:
                stack.enter_context(patch.object(module, "isa_number", lambda isa: number))
            yield


def imported() -> Build:
    """The package that is imported now."""
    pickers = tuple(import_module(f"edgekit.kernels.{name}") for name in PICKERS)
    isas = import_module("edgekit.kernels").available_isas()
    return Build(import_module("edgekit.features"), pickers, isas)


@cache
def shipped() -> Build:
    return imported()


@cache
def fused() -> Build | None:
    """None where it was not built."""
    if not FUSED.exists():
        return None
    shipped()
    own = taken_out()
    try:
        import_module("edgekit._native")
        spec = spec_from_file_location(EXTENSION, FUSED)
        assert spec is not None
        assert spec.loader is not None
        sys.modules[EXTENSION] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[EXTENSION])
        return imported()
    finally:
        taken_out()
        sys.modules.update(own)


def taken_out() -> dict[str, ModuleType]:
    """The package's modules, which the next import makes anew."""
    names = [name for name in sys.modules if name.split(".")[0] == "edgekit"]
    return {name: sys.modules.pop(name) for name in names}


def differing(build: Build, samples: np.ndarray, isas: tuple[str, str]) -> str:
    """How many log-mel values differ between instruction sets, and by how much."""
    results = []
    for isa in isas:
        with build.instruction_set(isa):
            results.append(build.features.LogMel.kaldi()(samples))
    differ, apart = results[0] != results[1], np.abs(results[0] - results[1]).max()
    return f"{differ.sum():,} of {differ.size:,} values, by {apart:.2g} at most"

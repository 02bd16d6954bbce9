"""How long a model takes to load: fresh sessions in turns, in CPU time, the runtime imported."""

import time
from pathlib import Path
from statistics import median

from edgekit.engines import engine_for, open_engine

ROUNDS = 15


def load_figures(source: Path, made: Path, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of CPU from file to runnable, medians, and how many times faster `made` is.

    A process's first load is mostly the import of the runtime, some 30 ms and the same for every
    model: next to that a model of 1 ms is not seen. So both files are loaded once before.
    """
    found: dict[Path, list[float]] = {source: [], made: []}
    for _ in range(rounds + 1):
        for path, taken in found.items():
            taken.append(_load_ms(path))
    fp32_ms, ms = (median(found[path][1:]) for path in (source, made))
    return {"load_speed_up": fp32_ms / ms, "fp32_load_ms": fp32_ms, "load_ms": ms}


def _load_ms(path: Path) -> float:
    started = time.process_time_ns()
    engine = open_engine(engine_for(path), path)
    taken_ns = time.process_time_ns() - started
    engine.close()
    return taken_ns / 1e6

"""How long each type of operator takes in models, by onnxruntime's own profile, in turns."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from edgekit.engines import Array, first_line
from edgekit.errors import ModelError

BUDGET_S = 1.0
"""CPU seconds of all models together."""
MOST_RUNS = 60
FEWEST_RUNS = 3
QUARTILE = 25
"""Percentile of a node's times: other load on the machine only adds to them."""


def times_by_operator(
    models: Sequence[Path], feeds: Sequence[Mapping[str, Array]]
) -> list[dict[str, float]]:
    """Microseconds per inference of each operator type on this machine, one thread, by model.

    A profile slows small operators down: compare shares, not sums.

    Raises:
        ModelError: onnxruntime does not load or run one.
    """
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        try:
            sessions = [_session(model, Path(folder) / str(n)) for n, model in enumerate(models)]
            started = process_time()
            runs = 0
            while runs < MOST_RUNS and (runs < FEWEST_RUNS or process_time() - started < BUDGET_S):
                for session in sessions:
                    session.run(None, dict(feeds[runs % len(feeds)]))
                runs += 1
            profiles = [Path(session.end_profiling()) for session in sessions]
            return [_by_type(json.loads(path.read_text("utf8"))) for path in profiles]
        except Exception as error:  # onnxruntime's own errors share no base class but this
            problem = f"onnxruntime does not run it: {first_line(error)}"
            raise ModelError("the candidate", problem, "this recipe is not for it") from error


def _session(model: Path, prefix: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_profiling = True
    options.profile_file_prefix = str(prefix)
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _by_type(events: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Sum of the lower quartiles of the nodes of each type, the largest first."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            times[event["args"]["op_name"], event["name"]].append(float(event["dur"]))
    found: dict[str, float] = defaultdict(float)
    for (operator, _), each in times.items():
        found[operator] += float(np.percentile(each, QUARTILE))
    return dict(sorted(found.items(), key=lambda item: -item[1]))

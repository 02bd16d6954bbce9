"""A bundle that remembers its calibration data, and files with data for it."""

import msgspec
import numpy as np
from builders import small_files, small_manifest, small_model

from edgekit.bundle import write_bundle
from edgekit.engines import open_engine
from edgekit.reference import REFERENCE, SCHEMA, Counter, Reference

DATA = """
import numpy as np
def samples(split):
    random = np.random.default_rng({seed})
    for number in range({samples}):
        x = random.normal({shift}, 1.0, (1, 8)).astype(np.float32)
        {change}
        yield x, {label}, f"group {{number // {alike}}}"
"""


def calibration(groups=60, seed=0):
    """Histograms of normal values and of what the small model answers, one call a group."""
    random = np.random.default_rng(seed)
    engine = open_engine("onnxruntime", small_model().SerializeToString())
    x, y = Counter(-4.5, 4.5), Counter(0.0, 1.0)
    for group in range(groups):
        value = random.normal(0, 1, (1, 8)).astype(np.float32)
        x.add(value, str(group))
        y.add(engine.run({"x": value})["y"], str(group))
    engine.close()
    return Reference(SCHEMA, groups, {"x": x.result()}, {"y": y.result()})


def write_with_reference(path, reference=None, **changes):
    """The small classifier as a bundle with its calibration data's histograms."""
    files = small_files(**{REFERENCE: msgspec.json.encode(reference or calibration())})
    write_bundle(path, small_manifest(**changes), files)
    return path


def write_data(path, *, samples=60, shift=0.0, alike=1, change="pass", label="number % 3", seed=1):
    """A file with samples() and nothing else."""
    names = {"samples": samples, "shift": shift, "alike": alike, "change": change}
    path.write_text(DATA.format(seed=seed, label=label, **names))
    return path

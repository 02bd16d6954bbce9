"""How repeatable instruction counts of an emulated Arm are under load: benchmarks/gate/arm.py.

Prints, for a model of some ten matrix products, the spread of five runs, the ratio of the model to
a copy of itself, and to one with one percent more work.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import onnx

from edgekit.measure.devices.arm import ArmDevice
from edgekit.measure.samples import given_samples

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from workmodels import matmuls

SIZE, PRODUCTS, RUNS = 64, 200, 5
BUSY = "import time\nend = time.time() + 600\nwhile time.time() < end: pass"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cpu", default="cortex-a76")
    parser.add_argument("--load", type=int, default=2, help="processes that compete (2)")
    arguments = parser.parse_args()
    device = ArmDevice(arguments.cpu)
    started = time.monotonic()
    versions = device.userland.versions()
    print(f"set-up {time.monotonic() - started:.1f} s; {versions}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for _ in range(arguments.load):
            process = subprocess.Popen([sys.executable, "-c", BUSY])
            stack.callback(process.wait)
            stack.callback(process.kill)
        report(device, folder)


def report(device, folder):
    feeds = given_samples([{"x": np.ones((1, SIZE), np.float32)}])

    def counts(name, products):
        path = folder / f"{name}.onnx"
        onnx.save(matmuls(products, SIZE), path)
        return [device.count(path, feeds).inference.instructions for _ in range(RUNS)]

    started = time.monotonic()
    base = counts("base", PRODUCTS)
    print(f"base     {base}, spread {100 * (max(base) / min(base) - 1):.4f} %")
    for name, products in (("copy", PRODUCTS), ("planted", PRODUCTS + PRODUCTS // 100)):
        other = counts(name, products)
        ratios = ", ".join(f"{o / b:.5f}" for o, b in zip(other, base, strict=True))
        print(f"{name:8} {other}, ratios {ratios}")
    seconds = (time.monotonic() - started) / (3 * RUNS)
    print(f"{seconds:.1f} s a model, {2 * seconds:.1f} s a gate over two")


if __name__ == "__main__":
    main()

"""Gates by instructions on an emulated Arm, under load: 1 % more work must fail, none must not.

    python benchmarks/gate/counts.py --gates 5

Each gate counts a model of 200 matrix products twice and a candidate of 200 or of 202 once, at a
limit of 0.5 %. Prints how long the set-up took, then every verdict with its ratio and its seconds.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path

import onnx
from load import competing_load

from edgekit.gate.budget import parse_budget
from edgekit.gate.evidence import gather
from edgekit.gate.judge import judge
from edgekit.gate.wanted import Wanted
from edgekit.measure.devices.arm import ArmDevice

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from workmodels import matmuls

SIZE, PRODUCTS = 64, 200
LONGEST_S = 600.0
BUDGET = parse_budget({"instructions": {"max_ratio": 1.005}}, "the benchmark's budget")


def main() -> None:
    """Run it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gates", type=int, default=5, help="of each kind (5)")
    parser.add_argument("--load", type=int, default=2, help="competing processes (2)")
    parser.add_argument("--cpu", default="cortex-a76")
    args = parser.parse_args()
    started = time.perf_counter()
    ArmDevice(args.cpu).describe()
    print(f"set-up {time.perf_counter() - started:.1f} s")
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "baseline": _write(Path(folder) / "baseline.onnx", PRODUCTS),
            "A/A": _write(Path(folder) / "same.onnx", PRODUCTS),
            "+1 %": _write(Path(folder) / "more.onnx", PRODUCTS + PRODUCTS // 100),
        }
        for number in range(args.gates):
            for kind in ("A/A", "+1 %"):
                device = (f"arm://{args.cpu}",)
                wanted = Wanted(files[kind], (files["baseline"],), devices=device, seed=number)
                with competing_load(args.load, LONGEST_S):
                    _gate(kind, wanted)


def _write(path: Path, products: int) -> Path:
    onnx.save(matmuls(products, SIZE), path)
    return path


def _gate(kind: str, wanted: Wanted) -> None:
    started = time.perf_counter()
    (verdict,) = judge(BUDGET, gather(wanted, BUDGET))
    seconds = time.perf_counter() - started
    print(
        f"{kind:5} {verdict.outcome.value:12} ratio {verdict.value:.5f}, {seconds:.1f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()

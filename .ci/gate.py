"""This repository's own gate: its kernels by instructions, an example bundle by `edgekit gate`.

    python .ci/gate.py             judge: 0 pass, 1 too much work, 3 could not be judged
    python .ci/gate.py --update    write .ci/instructions.txt anew

Kernels are counted on an emulated Arm CPU and compared with the committed baseline. Counts of the
same versions repeat within 0.1 %, so 1 % more fails; where a compiler, a libc or NumPy moved, 10 %.
What cannot be judged is said, and with --policy release it is no pass.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from edgekit.bundle import write_bundle
from edgekit.errors import DeviceError
from edgekit.features import build
from edgekit.manifest import Feature, FeatureSpec, ImageTensorSpec, LogMelSpec, Manifest, Tensor
from edgekit.measure.devices.arm import ArmDevice
from edgekit.measure.samples import Samples

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import featurebundle

CPU = "cortex-a76"
BASELINE = Path(__file__).with_name("instructions.txt")
BUDGET = Path(__file__).with_name("budget.toml")
SAME, MOVED = 1.01, 1.10
"""Largest ratio to the baseline, with the versions it was taken with and with others."""

TITLE = f"""\
# Instructions of the features of one raw input on an emulated {CPU}, and what they belong to.
# Written by: python .ci/gate.py --update
"""


@dataclass(frozen=True)
class Kernel:
    """A way through the kernels: features, and the raw input that they are made of."""

    spec: FeatureSpec
    raw: np.ndarray


def kernels() -> dict[str, Kernel]:
    """What is counted, by name."""
    random = np.random.default_rng(0)
    second = random.integers(-8000, 8000, 16_000, dtype=np.int16)
    picture = random.integers(0, 256, (240, 320, 3), dtype=np.uint8)
    return {
        "log-mel kaldi 80, 1 s": Kernel(LogMelSpec("kaldi"), second),
        "log-mel whisper 80, 1 s": Kernel(LogMelSpec("whisper"), second),
        "image 320x240 to 224x224": Kernel(ImageTensorSpec(224, 224), picture),
    }


@dataclass(frozen=True)
class Counted:
    """Instructions by kernel, and the versions that they belong to."""

    versions: str
    instructions: Mapping[str, int]


def read_baseline(text: str) -> Counted:
    """What `--update` wrote."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    fields = dict(line.rsplit(": ", 1) for line in lines)
    return Counted(fields.pop("versions"), {name: int(count) for name, count in fields.items()})


def written(counted: Counted) -> str:
    """The text of a baseline."""
    rows = [f"{name}: {count}" for name, count in counted.instructions.items()]
    return TITLE + "\n".join([f"versions: {counted.versions}", *rows]) + "\n"


def compare(found: Counted, baseline: Counted) -> tuple[list[str], bool]:
    """A line for each kernel, and whether all are within their limit."""
    limit = SAME if found.versions == baseline.versions else MOVED
    lines, kept = [], True
    if limit is MOVED:
        lines.append(f"the baseline is of other versions, so the limit is {limit:g}:")
        lines += [f"  then {baseline.versions}", f"  now  {found.versions}"]
    for name, count in found.instructions.items():
        before = baseline.instructions.get(name)
        if before is None:
            lines.append(f"FAIL  {name}: it has no baseline; run make gate-update")
            kept = False
            continue
        ratio = count / before
        kept = kept and ratio <= limit
        said = f"{name}: {count:,} instructions, {ratio:.4f} of the baseline, limit {limit:g}"
        better = "; run make gate-update to keep it" if ratio < 1 / SAME else ""
        lines.append(f"{'PASS' if ratio <= limit else 'FAIL'}  {said}{better}")
    gone = sorted(baseline.instructions.keys() - found.instructions.keys())
    lines += [f"FAIL  {name}: it is no longer counted; run make gate-update" for name in gone]
    return lines, kept and not gone


def count() -> Counted:
    """Count every kernel.

    Raises:
        DeviceError: there is no emulated Arm here.
    """
    device = ArmDevice(CPU)
    device.describe()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        jobs = {
            name: pool.submit(_count_one, device, Path(folder) / f"{number}.edgekit", kernel)
            for number, (name, kernel) in enumerate(kernels().items())
        }
        instructions = {name: job.result() for name, job in jobs.items()}
    known = device.userland.versions()
    versions = [f"{name} {known[name]}" for name in ("qemu", "libc6", "python", "numpy")]
    return Counted(", ".join([f"gcc {_compiler()}", *versions]), instructions)


def _count_one(device: ArmDevice, path: Path, kernel: Kernel) -> int:
    shape = build(kernel.spec)(kernel.raw).shape
    _write_bundle(path, kernel.spec, (1, *shape))
    counted = device.count(path, Samples((kernel.raw,), raw=True, source="seeded noise"))
    assert counted.features is not None
    assert counted.features_identical, f"{path}: features differ from this machine's"
    return counted.features.instructions


def _write_bundle(path: Path, spec: FeatureSpec, shape: tuple[int, ...]) -> None:
    """Features before a model that does next to nothing."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("ReduceMax", ["flat"], ["y"], axes=[1]),
    ]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes, "largest",
        [value("x", TensorProto.FLOAT, shape)], [value("y", TensorProto.FLOAT, [1, 1])],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    manifest = Manifest(
        schema=1, name="kernel", version="1.0", target="host", engine="onnxruntime",
        recipe="fp32", model="model.onnx", inputs=(Tensor("x", "float32", shape),),
        outputs=(Tensor("y", "float32", (1, 1)),), features=(Feature("x", spec),),
    )  # fmt: skip
    write_bundle(path, manifest, {"model.onnx": model.SerializeToString()})


def _compiler() -> str:
    command = ["aarch64-linux-gnu-gcc", "-dumpfullversion"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def judge_kernels(policy: str) -> int:
    """Count, compare, print; the exit code."""
    try:
        found = count()
    except DeviceError as error:
        print(f"NOT JUDGED  kernels: {error}")
        return 3 if policy == "release" else 0
    lines, kept = compare(found, read_baseline(BASELINE.read_text("utf8")))
    print("\n".join(lines))
    return 0 if kept else 1


def judge_example(reports: Path) -> int:
    """Gate a bundle against itself as a user would: its times, its instructions and its size."""
    reports.mkdir(parents=True, exist_ok=True)
    devices = ["--device", "local"]
    if shutil.which("qemu-aarch64"):
        devices += ["--device", f"arm://{CPU}"]
    with tempfile.TemporaryDirectory() as folder:
        candidate, baseline = (Path(folder) / f"{name}.edgekit" for name in ("new", "before"))
        featurebundle.write_feature_bundle(candidate)
        shutil.copy(candidate, baseline)
        command = [
            Path(sys.executable).with_name("edgekit"), "gate", candidate, "--baseline", baseline,
            "--budget", BUDGET, *devices, "--policy", "pull-request", "--max-seconds", "20",
            "--json", reports / "gate.json", "--junit", reports / "gate.xml",
            "--markdown", reports / "gate.md", "--html", reports / "gate.html",
        ]  # fmt: skip
        return subprocess.run(command, check=False).returncode


def main() -> int:
    """Judge, or write the baseline."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="write the baseline of the kernels")
    parser.add_argument("--policy", choices=("release", "pull-request"), default="release")
    parser.add_argument("--reports", type=Path, default=Path("build/gate"))
    args = parser.parse_args()
    if args.update:
        text = written(count())
        BASELINE.write_text(text, "utf8")
        print(text, end="")
        return 0
    codes = [judge_kernels(args.policy), judge_example(args.reports)]
    return next((code for code in codes if code not in (0, 3)), max(codes))


if __name__ == "__main__":
    sys.exit(main())

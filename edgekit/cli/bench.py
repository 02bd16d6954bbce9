"""`edgekit bench BUNDLE`: how fast, how much memory, how large, on a device."""

import argparse
import json
from pathlib import Path
from typing import Any

HELP = "measure latency, load time, memory and size of a bundle or model file"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", type=Path, help="a .edgekit, .onnx or .tflite file")
    parser.add_argument(
        "--device", choices=("local",), default="local", help="where to measure (local)"
    )
    parser.add_argument("--task", type=Path, help="task file whose inputs to time with")
    parser.add_argument("--threads", type=int, default=1, help="threads of one inference (1)")
    parser.add_argument("--calls", type=int, default=918, help="calls to time (918, for a p99)")
    parser.add_argument("--max-seconds", type=float, default=60.0, help="longest time (60)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.measure.bench import bench

    found = bench(
        args.bundle,
        task=args.task,
        threads=args.threads,
        calls=args.calls,
        max_s=args.max_seconds,
    )
    print(json.dumps(found) if args.json else as_text(found))
    return 0


def as_text(found: dict[str, Any]) -> str:
    """The figures for a person, one line a thing."""
    latency = ", ".join(f"{name} {value:.3f}" for name, value in found["latency_ms"].items())
    size = found["size_bytes"]
    versions = (f"{name} {version}" for name, version in found["versions"].items())
    rows = [
        ("device", f"{found['device']}: {found['environment'].get('cpu', 'unknown CPU')}"),
        ("latency", f"{latency} ms over {found['samples']['calls']} calls"),
        ("throughput", f"{found['throughput_per_s']:.1f} /s"),
        ("memory", f"{found['memory_mb']['peak']:.1f} MB" if "memory_mb" in found else "not told"),
        ("size", ", ".join(f"{name} {value:,} bytes" for name, value in size.items())),
        ("inputs", found["inputs"]),
        ("versions", ", ".join(versions)),
    ]
    return "\n".join(f"{name:11}{value}" for name, value in rows)

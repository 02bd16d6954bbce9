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
        "--device",
        default="local",
        metavar="URL",
        help="where: local, ssh://host, adb://serial, or arm://cortex-a76 to count (local)",
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
        device=args.device,
        task=args.task,
        threads=args.threads,
        calls=args.calls,
        max_s=args.max_seconds,
    )
    print(json.dumps(found) if args.json else as_text(found))
    return 0


def as_text(found: dict[str, Any]) -> str:
    """The figures for a person, one line a thing."""
    cpu = found["environment"].get("cpu", "unknown CPU")
    rows = [("device", f"{found['device']}: {cpu}")]
    if "latency_ms" in found:
        latency = (f"{name} {value:.3f}" for name, value in found["latency_ms"].items())
        calls = found["samples"]["calls"]
        memory = f"{found['memory_mb']['peak']:.1f} MB" if "memory_mb" in found else "not told"
        energy = f"{found['energy_mj']['call']:.3f} mJ a call" if "energy_mj" in found else None
        rows += [
            ("latency", f"{', '.join(latency)} ms over {calls} calls"),
            ("throughput", f"{found['throughput_per_s']:.1f} /s"),
            ("memory", memory),
            ("energy", energy or f"not told: {found['not_measured']['energy_mj']}"),
        ]
    if "instructions" in found:
        counts = (
            f"{name} {each['instructions']:,}" for name, each in found["instructions"].items()
        )
        rows.append(("instructions", ", ".join(counts)))
    rows += [
        (
            "size",
            ", ".join(f"{name} {value:,} bytes" for name, value in found["size_bytes"].items()),
        ),
        ("inputs", found["inputs"]),
        ("versions", ", ".join(f"{name} {version}" for name, version in found["versions"].items())),
        *(("note", note) for note in found.get("notes", ())),
    ]
    return "\n".join(f"{name:13}{value}" for name, value in rows)

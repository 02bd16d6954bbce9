"""`edgekit run BUNDLE INPUT`: load, check, run once, say what came out."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgekit.model import Result

HELP = "run a bundle on one input: .npy, .npz, .wav or a picture"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", type=Path, help="a .edgekit file")
    parser.add_argument("input", type=Path, help="a .npy, .npz, .wav or picture file")
    parser.add_argument("--threads", type=int, default=1, help="threads of one inference (1)")
    parser.add_argument(
        "--verify",
        choices=("self-test", "digest"),
        help="run the golden self-test or only check digests (the test, once per machine)",
    )
    parser.add_argument("--save", type=Path, metavar="FILE.npz", help="write the outputs there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit.cli.rawinput import read_input
    from edgekit.model import load

    raw = read_input(args.input)
    with load(args.bundle, threads=args.threads, verify=args.verify) as model:
        result = model.run(raw)
        if args.save is not None:
            save(args.save, result)
        described = {"model": model.name, **describe(result)}
    print(json.dumps(described, ensure_ascii=False) if args.json else as_text(described))
    return 0


def describe(result: "Result") -> dict[str, Any]:
    """A result as JSON types: text, labels, or shape and range of each output."""
    from edgekit.decoders import Text

    value: Any
    if isinstance(result.value, Text):
        value = {"text": result.value.text, "score": round(result.value.score, 6)}
    elif isinstance(result.value, tuple):
        labels = [
            {"label": label.name, "index": label.index, "score": round(label.score, 6)}
            for label in result.value
        ]
        value = {"labels": labels}
    else:
        value = {
            "outputs": {
                name: {"dtype": str(array.dtype), "shape": list(array.shape)}
                for name, array in result.outputs.items()
            }
        }
    return {
        **value,
        "features_ms": round(result.features_ms, 3),
        "model_ms": round(result.model_ms, 3),
    }


def as_text(described: dict[str, Any]) -> str:
    """The same for a person."""
    lines = []
    if "text" in described:
        lines.append(f"{described['text']}    (score {described['score']:.3f})")
    for label in described.get("labels", ()):
        lines.append(f"{label['score']:8.4f}  {label['label']}")
    for name, output in described.get("outputs", {}).items():
        lines.append(f"{name}: {output['dtype']} {output['shape']}")
    times = f"features {described['features_ms']} ms, model {described['model_ms']} ms"
    return "\n".join([*lines, f"{described['model']}: {times}"])


def save(path: Path, result: "Result") -> None:
    """Write the outputs as .npz, all or nothing."""
    import numpy as np

    from edgekit.bundle import write_atomically

    write_atomically(path, lambda file: np.savez(file, **result.outputs))  # type: ignore[arg-type]

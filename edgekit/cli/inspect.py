"""`edgekit inspect BUNDLE`: check a bundle and show what is in it."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgekit.bundle import Bundle
    from edgekit.manifest import Tensor

HELP = "check every digest of a bundle and show what is in it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("bundle", type=Path, help="a .edgekit file")
    parser.add_argument("--json", action="store_true", help="print the manifest as JSON")
    parser.add_argument("--extract", type=Path, metavar="DIR", help="also write its files there")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    import msgspec

    from edgekit.bundle import Bundle

    with Bundle.open(args.bundle) as bundle:
        if args.extract is not None:
            extract(bundle, args.extract)
        if args.json:
            about = {"sha256": bundle.sha256, "size_bytes": bundle.size_bytes}
            manifest = msgspec.to_builtins(bundle.manifest)
            print(json.dumps({**about, "manifest": manifest}, ensure_ascii=False))
        else:
            print(as_text(bundle))
    return 0


def as_text(bundle: "Bundle") -> str:
    """The manifest for a person, one line a thing."""
    import msgspec

    manifest = bundle.manifest
    features = [f"{f.input} ← {type(f.spec).__name__}" for f in manifest.features]
    budget = msgspec.json.encode(manifest.budget).decode()
    rows = [
        ("bundle", f"{manifest.name} {manifest.version}, {bundle.size_bytes:,} bytes"),
        ("sha256", bundle.sha256),
        ("target", f"{manifest.target}, {manifest.engine}, recipe {manifest.recipe}"),
        *(("input", tensor_text(tensor)) for tensor in manifest.inputs),
        *(("output", tensor_text(tensor)) for tensor in manifest.outputs),
        ("features", ", ".join(features) or "none: the raw input is the model's input"),
        ("decoder", type(manifest.decoder).__name__),
        ("budget", budget),
        *(("file", f"{file.path}  {file.size_bytes:,} bytes") for file in manifest.files),
    ]
    return "\n".join(f"{name:9} {value}" for name, value in rows)


def tensor_text(tensor: "Tensor") -> str:
    """`x: float32 [1, 3, 48, width]`."""
    return f"{tensor.name}: {tensor.dtype} [{', '.join(map(str, tensor.shape))}]"


def extract(bundle: "Bundle", folder: Path) -> None:
    """Write every file of the bundle below a folder that does not exist yet."""
    from edgekit.errors import StorageError

    thing = f"folder {str(folder)!r}"
    if folder.exists():
        raise StorageError(thing, "it exists already", "name a folder that does not")
    for name in bundle.names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bundle.read(name))

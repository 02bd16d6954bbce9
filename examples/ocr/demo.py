"""From a trained model to a gated bundle, with the commands a user would type.

Run it with `make demo`, or `python examples/ocr/demo.py` where `edgekit[convert]` is installed.
What it makes lies in `.demo/out`. It ends with the gate's exit code.
"""

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import closing
import fetch
from PIL import Image
from rendering import render

HERE = Path(os.path.relpath(Path(__file__).parent))  # short, for the commands it shows
OUT = Path(".demo/out")
NAME, VERSION = "ocr", "1.0"
BUNDLE = OUT / f"{NAME}-{VERSION}.edgekit"
BASELINE = OUT / f"{NAME}-fp32-{VERSION}.edgekit"
UNSEEN = "edgekit reads line 42"
FOUND, GATE_JSON = OUT / "optimize.json", OUT / "gate.json"


def main() -> int:
    """Run every step; returns the exit code."""
    OUT.mkdir(parents=True, exist_ok=True)
    title("Download the model and the fonts, once")
    model = fetch.model()
    started = time.monotonic()
    title("Optimize for this machine, at most one point worse; this takes a minute or two")
    found = optimize(model)
    title("Run the bundle's self-test, then read a line it has not seen")
    recognize()
    title("Gate it against fp32")
    code, gate = (0, None) if found["chosen"] in ("fp32", "as-is") else judge()
    closing.print_tables(found, gate)
    print(f"Report of the search  {OUT / f'{NAME}-{VERSION}.html'}")
    if gate is None:
        print("No candidate won, so fp32 is packed, and there is nothing to gate.")
    else:
        print(f"Report of the gate    {OUT / 'gate.html'}")
    print(f"Took {time.monotonic() - started:.0f} s after the downloads.")
    return code


def title(text: str) -> None:
    """Say what comes next."""
    print(f"\n== {text}", flush=True)


def optimize(model: Path) -> dict[str, Any]:
    """Search, and pack the winner and the clean fp32 model; returns what was found."""
    edgekit(
        "optimize", model, "--task", HERE / "task.py", "--target", "host", "--max-drop", "0.01",
        "--certify", "--cpu-seconds", "95", "--out", OUT, "--name", NAME, "--version", VERSION,
        "--json", stdout=FOUND,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(FOUND.read_text())
    return found


def recognize() -> None:
    """Read a picture that is in neither split."""
    picture, text = OUT / "line.png", UNSEEN
    Image.fromarray(render(text, fetch.fonts()[1])).save(picture)
    print(f"{picture} says {text!r}")
    edgekit("run", BUNDLE, picture, "--verify", "self-test")


def judge() -> tuple[int, dict[str, Any]]:
    """The verdict (0 pass, 1 fail, 3 inconclusive) and its figures."""
    code = edgekit(
        "gate", BUNDLE, "--baseline", BASELINE, "--task", HERE / "task.py",
        "--budget", HERE / "budget.toml", "--json", GATE_JSON, "--junit", OUT / "gate.xml",
        "--markdown", OUT / "gate.md", "--html", OUT / "gate.html", passing=(0, 1, 3),
    )  # fmt: skip
    return code, json.loads(GATE_JSON.read_text())


def edgekit(
    *arguments: str | Path, stdout: Path | None = None, passing: tuple[int, ...] = (0,)
) -> int:
    """Run an edgekit command, shown as a user would type it; end the demo where it fails."""
    words = [str(argument) for argument in arguments]
    tail = f" > {stdout}" if stdout else ""
    print(f"$ {shlex.join(['edgekit', *words])}{tail}", flush=True)
    command = [str(Path(sys.executable).with_name("edgekit")), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE if stdout else None) as process:
        try:
            printed, _ = process.communicate()
        except KeyboardInterrupt:  # it was interrupted too: let it clean up
            process.wait()
            raise
    if process.returncode not in passing:
        sys.exit(process.returncode)
    if stdout:
        stdout.write_bytes(printed)
    return process.returncode


if __name__ == "__main__":
    try:
        sys.exit(main())
    except fetch.FetchError as error:
        sys.exit(f"demo: {error}")
    except KeyboardInterrupt:
        sys.exit(130)

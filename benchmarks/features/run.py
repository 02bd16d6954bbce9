"""Every row of the table of features beside its peer: `make bench-features`.

One thread, CPU time, the least of interleaved rounds in one run, over jobs that are made four
times, since where their memory comes to lie counts. Results are compared first. What cannot be run
is in the table with its reason. Beside the kernels as they ship, the same sources free to fuse
multiply and add show what bit identity costs. Writes features.json and features.md.
"""

import argparse
import dataclasses
import importlib
import json
import os
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import facts
import report
from comparison import LAYOUTS, Outcome, compare

SUBJECTS = ("audio_rows", "image_rows", "window_rows")
PEERS = (
    "asrfront", "kaldi-native-fbank", "librosa", "pymicro-features", "opencv-python-headless",
    "cykooz-resizer", "bottleneck", "numbagg", "polars", "numpy",
)  # fmt: skip


def outcomes(wanted: str) -> tuple[list[Outcome], list[str]]:
    """Of all rows whose name has `wanted` in it; and a line for each that failed."""
    found, failed = [], []
    for subject in SUBJECTS:
        try:
            module = importlib.import_module(subject)
            made = [module.rows() for _ in range(LAYOUTS)]
        except ImportError as error:
            failed.append(f"{subject}: {error}; run: pip install -e '.[bench]'")
            continue
        for rows in (rows for rows in zip(*made, strict=True) if wanted in rows[0].job):
            row = rows[0]
            try:
                found.append(compare(rows))
                print(report.line(found[-1]), flush=True)
            except AssertionError as error:
                failed.append(f"{row.job}: results differ from {row.peer}'s, not timed: {error}")
                print(failed[-1], flush=True)
    return found, failed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="rows whose name has this in it")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder")
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("threads are not limited to one; run it by: make bench-features")
    warnings.filterwarnings("ignore")
    found, failed = outcomes(arguments.only)
    known = {} if arguments.only else facts.gather()
    versions = {name: version(name) for name in PEERS}
    arguments.out.mkdir(parents=True, exist_ok=True)
    rows = [dataclasses.asdict(outcome) for outcome in found]
    content = {"machine": facts.machine(), "versions": versions, "rows": rows, **known}
    content["failed"] = failed
    text = json.dumps(content, indent=2, default=str, ensure_ascii=False) + "\n"
    (arguments.out / "features.json").write_text(text, "utf8")
    page = report.markdown(found, failed, {**known, "versions": versions})
    (arguments.out / "features.md").write_text(page, "utf8")
    print(page)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""A search that is killed, whenever that is, goes on and ends as if nothing had happened."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import onnx
import pytest
from networks import conv_net
from processes import wait_until

from edgekit.engines import open_engine

TASK = """
import os, time
from pathlib import Path
import numpy as np

HERE = Path(__file__).parent
CALLS, SLOW = Path(os.environ["CALLS"]), Path(os.environ["CALLS"] + ".slow")

def samples(split):
    kept = np.load(HERE / f"{split}.npz")
    for number, (x, y) in enumerate(zip(kept["x"], kept["y"])):
        yield x, y, str(number)

def predict(run, input):
    with CALLS.open("a") as file:
        file.write(".")
    if SLOW.exists() and CALLS.stat().st_size > int(SLOW.read_text()):
        time.sleep(0.25)
    return run({"x": input[None]})["y"][0]

def score(predictions, labels):
    return float(max(0.0, 1 - 20 * np.abs(np.subtract(predictions, labels)).mean()))
"""
SAMPLES = 24
RESUMED = "ranges: resumed, "


@pytest.fixture
def folder(tmp_path):
    """A model, and a task whose labels are its own answers: int8 costs points."""
    model = conv_net(size=12)
    onnx.save(model, tmp_path / "net.onnx")
    (tmp_path / "task.py").write_text(TASK)
    engine = open_engine("onnxruntime", model.SerializeToString())
    for seed, split in enumerate(("calibration", "evaluation")):
        shape = (SAMPLES, 3, 12, 12)
        images = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
        np.savez(tmp_path / f"{split}.npz", x=images, y=engine.run({"x": images})["y"])
    return tmp_path


@contextmanager
def killing(process):
    try:
        yield
    finally:
        process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


class Search:
    """`edgekit optimize` for a target whose costs come from a table, so that they repeat."""

    def __init__(self, folder, name):
        self.out, self.cache, self.calls = (folder / f"{name}.{e}" for e in ("out", "kept", "n"))
        self.slow = folder / f"{name}.n.slow"
        self.command = [
            sys.executable, "-m", "edgekit.cli", "optimize", str(folder / "net.onnx"),
            "--task", str(folder / "task.py"), "--target", "apple-m1", "--engines", "none",
            "--max-drop", "0.07", "--out", str(self.out), "--cpu-seconds", "1000",
        ]  # fmt: skip
        self.env = {**os.environ, "EDGEKIT_CACHE": str(self.cache), "CALLS": str(self.calls)}

    @property
    def fed(self):
        return self.calls.stat().st_size if self.calls.exists() else 0

    def whole(self):
        """Run it to its end: calls of the model, and what it said."""
        before = self.fed
        done = subprocess.run(
            self.command, env=self.env, capture_output=True, text=True, check=True, timeout=120
        )
        return self.fed - before, done.stderr

    def killed_at(self, line, slow_calls=0):
        """Kill it when its log comes to a line, or so many calls later; they are slow."""
        process = subprocess.Popen(self.command, env=self.env, stderr=subprocess.PIPE, text=True)
        with killing(process):
            seen = []
            for each in process.stderr:
                seen.append(each)
                if line in each:
                    break
            assert line in seen[-1], "".join(seen)
            self._wait_for(slow_calls, slow_after=0)
        return "".join(seen)

    def killed_after(self, calls, slow_calls):
        """Kill it so many slow calls after the first ones."""
        process = subprocess.Popen(self.command, env=self.env, stderr=subprocess.DEVNULL)
        with killing(process):
            self._wait_for(calls + slow_calls, slow_after=calls)

    def _wait_for(self, calls, slow_after):
        end = self.fed + calls
        self.slow.write_text(str(slow_after))
        wait_until(lambda: self.fed >= end)
        self.slow.unlink()

    def files(self):
        return {path.name: path.read_bytes() for path in self.out.iterdir()}

    def left(self):
        """Folders in the cache that only a search that runs may have."""
        work = list((self.cache / "work").iterdir())
        passes = [path for path in (self.cache / "search").iterdir() if len(path.name) > 2]
        return work + passes


CALLS_BEFORE = 1 + 3 * SAMPLES
"""Tried out, the model that came scored on both splits, the clean one on one; then ranges."""
MADE = "int8_static_conv_perchannel_mse"


def test_killed_in_every_phase_it_ends_with_the_same_bytes_and_less_work(folder):
    whole, search = Search(folder, "whole"), Search(folder, "killed")
    all_calls, said = whole.whole()
    assert f"{MADE}_bias: chosen" in said
    assert "resumed" not in said
    assert whole.left() == []
    shutil.copytree(whole.cache / "operations", search.cache / "operations")  # the same costs
    search.killed_after(CALLS_BEFORE, slow_calls=12)
    assert "ranges: resumed, " in search.killed_at("making fp16", slow_calls=12)
    again = search.killed_at(f"scoring {MADE} on")
    assert "histograms: resumed, " in again
    assert "(known)" in again
    search.killed_at("judging")
    search.killed_at("packing")
    calls, said = search.whole()
    assert search.files() == whole.files()
    assert search.left() == []
    assert said.count("(known)") > 10
    assert calls < all_calls / 2

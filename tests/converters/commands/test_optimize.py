"""`edgekit optimize` from the command line: what it writes, and one line for every mistake."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import onnx
import pytest
from edgekit_converters.commands.optimize import size_bytes
from edgekit_converters.search.ladder import PLAIN
from networks import task_text
from oddmodels import strings

from edgekit import load
from edgekit.bundle import Bundle
from edgekit.cli import main


@pytest.fixture
def optimize(conv_path, task_path, tmp_path, capsys):
    """Run the command; returns exit code, stdout and the error lines."""

    def run(*arguments, model=conv_path, task=task_path, out=tmp_path / "out"):
        line = ["optimize", str(model), "--task", str(task), "--out", str(out), *arguments]
        code = main(line)
        captured = capsys.readouterr()
        errors = [row for row in captured.err.splitlines() if row.startswith("edgekit: ")]
        return code, captured.out, errors

    return run


def test_it_writes_bundles_and_a_report(optimize, tmp_path):
    code, out, errors = optimize("--name", "conv")
    assert (code, errors) == (0, [])
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [
        "conv-1.edgekit",
        "conv-1.evidence.json",
        "conv-1.html",
        "conv-fp32-1.edgekit",
    ]
    assert "int8_static_all_perchannel" in out
    assert f"wrote {tmp_path / 'out' / 'conv-1.edgekit'}" in out
    with Bundle.open(tmp_path / "out" / "conv-fp32-1.edgekit") as bundle:
        assert bundle.manifest.recipe == "fp32"


def test_json_is_one_object_with_every_candidate(optimize):
    code, out, _ = optimize("--json")
    found = json.loads(out)
    assert code == 0
    assert found["chosen"] in {each["recipe"] for each in found["candidates"]}
    assert {recipe.precision for recipe in PLAIN} < {
        each["recipe"].partition("_")[0] for each in found["candidates"]
    }
    assert all(each["why"] for each in found["candidates"])


def test_settings_may_stand_in_edgekit_toml(optimize, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edgekit.toml").write_text('[optimize]\nversion = "7"\nmax-drop = 2.0\n')
    code, _, errors = optimize()
    assert code == 2
    assert "max-drop 2" in errors[0]
    code, _, _ = optimize("--max-drop", "0.5", "--cpu-seconds", "0")
    assert code == 0
    assert (tmp_path / "out" / "conv-7.edgekit").exists()


def refused(result, *parts):
    """One error line that has these parts, and exit code 2."""
    code, out, errors = result
    assert code == 2
    assert out == ""
    assert len(errors) == 1
    for part in parts:
        assert part in errors[0]


def test_a_truncated_model(optimize, conv_path, tmp_path):
    path = tmp_path / "cut.onnx"
    path.write_bytes(conv_path.read_bytes()[:500])
    refused(optimize(model=path), "cut.onnx", "whole")
    assert not (tmp_path / "out").exists()


def test_a_missing_model(optimize, tmp_path):
    refused(optimize(model=tmp_path / "no.onnx"), "no.onnx", "No such file")


def test_a_task_without_score(optimize, tmp_path):
    path = tmp_path / "scoreless.py"
    path.write_text(task_text().split("def score")[0])
    refused(optimize(task=path), "scoreless.py", "no function score()")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("range(12)", "range(0)", ["samples('calibration') yields nothing"]),
        ("astype(np.float32)", "astype(np.float64)", ["input 'x'", "float64", "float32"]),
        ("yield image", "yield image * np.nan", ["calibration sample 0", "NaN"]),
        ('"x": input', '"z": input', ["input 'z'", "['x']"]),
        ("(3, 16, 16)", "(3, 8, 8)", ["[1, 3, 8, 8]"]),
        ("[p in (0, 1, 2, 3) for p in predictions]", "[7.0]", ["score() returned", "0 to 1"]),
        ('run({"x": input[None]})["y"]', "input", ["predict never ran the model"]),
    ],
)
def test_a_task_that_breaks_its_promise(optimize, tmp_path, old, new, parts):
    path = tmp_path / "broken.py"
    assert old in task_text()
    path.write_text(task_text().replace(old, new))
    refused(optimize(task=path), *parts)
    assert not list((tmp_path / "out").glob("*"))


def test_an_unknown_target(optimize):
    refused(optimize("--target", "cortex-m0"), "'cortex-m0'", "known are host")


def test_this_machine_is_not_another_target(optimize):
    other = "cortex-a76" if os.uname().machine == "x86_64" else "x86-64-v3"
    refused(optimize("--target", other, "--device", "local"), other, "this machine is")


def test_an_unknown_device(optimize):
    refused(optimize("--device", "usb://1"), "usb://1", "use local, arm://")


def test_a_folder_that_cannot_be_written(optimize, tmp_path):
    taken = tmp_path / "taken"
    taken.write_text("a file")
    refused(optimize(out=taken), "taken", "--out")


def test_what_is_there_is_replaced_but_a_folder_in_the_way_is_refused_before_anything_moves(
    optimize, tmp_path
):
    out = tmp_path / "out"
    (out / "conv-1.html").mkdir(parents=True)
    (out / "conv-1.edgekit").write_text("old")
    refused(optimize("--cpu-seconds", "0"), "conv-1.html", "a folder has the name", "--out")
    assert (out / "conv-1.edgekit").read_text() == "old"
    assert sorted(path.name for path in out.iterdir()) == ["conv-1.edgekit", "conv-1.html"]
    (out / "conv-1.html").rmdir()
    code, _, errors = optimize("--cpu-seconds", "0")
    assert (code, errors) == (0, [])
    with Bundle.open(out / "conv-1.edgekit") as bundle:
        assert bundle.manifest.name == "conv"


def test_a_full_disk_leaves_nothing(conv_path, task_path, tmp_path):
    """No file may grow beyond a limit that the model keeps and its bundle does not."""
    out = tmp_path / "out"
    line = f"""
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, ({LIMIT_BYTES}, {LIMIT_BYTES}))
from edgekit.cli import main
sys.exit(main(["optimize", {str(conv_path)!r}, "--task", {str(task_path)!r}, "--out", {str(out)!r},
               "--no-cache", "--cpu-seconds", "0"]))
"""
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    assert "edgekit: " in done.stderr.splitlines()[-1]
    assert "free some space" in done.stderr.splitlines()[-1]
    assert not out.exists()
    assert list((tmp_path / "cache" / "work").iterdir()) == []


LIMIT_BYTES = 16_000


SLOW = "    import time; time.sleep(0.1)\n    return int(run"


@pytest.mark.parametrize("phase", ["trying", "making int8", "packing"])
def test_ctrl_c_leaves_nothing_half_written(conv_path, tmp_path, phase):
    task = tmp_path / "slow.py"
    task.write_text(task_text().replace("    return int(run", SLOW))
    out = tmp_path / "out"
    line = [sys.executable, "-m", "edgekit.cli", "optimize", str(conv_path), "--engines", "none"]
    line += ["--cpu-seconds", "0"] if phase == "packing" else []
    process = subprocess.Popen(
        [*line, "--task", str(task), "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    seen = []
    for row in process.stderr:
        seen.append(row)
        if phase in row:
            break
    assert phase in seen[-1], "".join(seen)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert output == ""
    assert "Traceback" not in errors
    assert errors.splitlines()[-1] == "edgekit: interrupted; nothing was left half-written"
    assert not out.exists()
    assert list((tmp_path / "cache" / "work").iterdir()) == []


KILLED = "making int8_static_conv+matmul_perchannel"


def test_a_killed_search_goes_on_where_it_stopped_and_a_repeated_one_ends_at_once(
    conv_path, task_path, tmp_path
):
    command = [
        sys.executable, "-m", "edgekit.cli", "optimize", str(conv_path), "--task", str(task_path),
        "--out", str(tmp_path / "out"), "--name", "conv",
    ]  # fmt: skip
    env = {**os.environ, "EDGEKIT_CACHE": str(tmp_path / "cache")}
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if KILLED in line:
            process.kill()
            break
    process.stderr.close()
    process.wait()
    left = [path.name for path in (tmp_path / "out").iterdir()]
    assert [name[:9] for name in left] == [".edgekit-"]
    second = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "int8_static_all_perchannel: " in second.stderr
    assert "(known)" in second.stderr
    assert "cleaning the model" not in second.stderr
    written = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    assert sorted(written) == [
        "conv-1.edgekit",
        "conv-1.evidence.json",
        "conv-1.html",
        "conv-fp32-1.edgekit",
    ]
    assert list((tmp_path / "cache" / "work").iterdir()) == []
    third = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert "an identical search was done before" in third.stderr
    assert third.stdout == second.stdout
    assert {p.name: p.read_bytes() for p in (tmp_path / "out").iterdir()} == written


@pytest.mark.parametrize(
    ("text", "size"), [("1GB", 10**9), ("512mb", 512 * 10**6), ("1.5 GiB", 1_500_000_000)]
)
def test_sizes_are_read(text, size):
    assert size_bytes(text, "--memory") == size


def test_a_size_that_is_none_is_refused(optimize):
    refused(optimize("--memory", "much"), "--memory much", "1GB or 512MB")


WORDS = """
import numpy as np
WORDS = ["red", "gr\u00fcn", "oak"]
def samples(split):
    for number in range(12):
        yield np.array(WORDS[number % 3 :], object), number % 3, f"{split}{number}"
def predict(run, input):
    outputs = run({"x": input})
    return outputs["word"].tolist()[0], int(outputs["y"][0])
def score(predictions, labels):
    return float(np.mean([p == (WORDS[y], y) for p, y in zip(predictions, labels)]))
"""


def test_words_go_in_and_out_up_to_the_bundles_self_test(optimize, tmp_path):
    path, task = tmp_path / "words.onnx", tmp_path / "words.py"
    onnx.save(strings(), path)
    task.write_text(WORDS)
    assert optimize("--engines", "none", "--name", "words", model=path, task=task)[::2] == (0, [])
    with load(tmp_path / "out" / "words-1.edgekit") as model:
        outputs = model.run(np.array(["oak"], object)).outputs
    assert outputs["word"].tolist() == ["oak"]

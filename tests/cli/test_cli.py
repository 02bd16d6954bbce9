"""The command line as a user types it: what is printed, where, and the exit code."""

import json
import subprocess
import sys
import wave

import numpy as np
import pytest

from edgekit.cli import main

X = np.linspace(-1, 1, 8, dtype=np.float32)[None]


@pytest.fixture
def x_npy(tmp_path):
    path = tmp_path / "x.npy"
    np.save(path, X)
    return path


def error_line(capsys):
    """The one line on stderr; nothing may be on stdout."""
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("edgekit: ")
    return err


def test_run_prints_labels(small_bundle, x_npy, capsys):
    assert main(["run", str(small_bundle), str(x_npy)]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 3
    assert "small 1.0: features" in out
    assert err == ""


def test_run_prints_one_json_object(small_bundle, x_npy, capsys):
    assert main(["run", str(small_bundle), str(x_npy), "--json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["model"] == "small 1.0"
    assert len(described["labels"]) == 2
    assert described["labels"][0]["score"] >= described["labels"][1]["score"]


def test_run_saves_outputs(small_bundle, x_npy, tmp_path, capsys):
    save = tmp_path / "out.npz"
    assert main(["run", str(small_bundle), str(x_npy), "--save", str(save)]) == 0
    with np.load(save) as outputs:
        assert outputs["y"].sum() == pytest.approx(1)


def test_inspect_shows_the_manifest(small_bundle, capsys):
    assert main(["inspect", str(small_bundle)]) == 0
    out = capsys.readouterr().out
    assert "x: float32 [1, 8]" in out
    assert "model.onnx" in out


def test_inspect_as_json_holds_the_whole_manifest(small_bundle, capsys):
    assert main(["inspect", str(small_bundle), "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert about["manifest"]["name"] == "small"
    assert len(about["sha256"]) == 64


def test_inspect_extracts_into_a_new_folder_only(small_bundle, tmp_path, capsys):
    folder = tmp_path / "out"
    assert main(["inspect", str(small_bundle), "--extract", str(folder)]) == 0
    assert json.loads((folder / "labels.json").read_text()) == ["a", "b", "c"]
    capsys.readouterr()
    assert main(["inspect", str(small_bundle), "--extract", str(folder)]) == 2
    assert "it exists already" in error_line(capsys)


def test_doctor_reports_a_working_installation(capsys):
    assert main(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["ok"]
    assert found["packages"]["numpy"] == np.__version__


def test_help_names_every_command(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["--help"])
    assert stop.value.code == 0
    out = capsys.readouterr().out
    for command in ("init", "optimize", "run", "inspect", "bench", "gate", "doctor"):
        assert f"  {command} " in out


def test_no_command_prints_help_and_is_a_usage_error(capsys):
    assert main([]) == 2
    assert "usage: edgekit" in capsys.readouterr().out


def test_an_unknown_flag_is_a_usage_error(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["run", "--nonsense"])
    assert stop.value.code == 2


def test_a_missing_bundle_is_one_line(tmp_path, x_npy, capsys):
    assert main(["run", str(tmp_path / "none.edgekit"), str(x_npy)]) == 2
    assert "No such file" in error_line(capsys)


def test_a_damaged_bundle_is_one_line(small_bundle, x_npy, capsys):
    small_bundle.write_bytes(small_bundle.read_bytes()[:-10])
    assert main(["run", str(small_bundle), str(x_npy)]) == 2
    assert "truncated" in error_line(capsys)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.txt", b"1", "suffix is none of"),
        ("x.npy", b"nonsense", "cannot be read"),
        ("x.npz", b"nonsense", "cannot be read"),
        ("x.wav", b"nonsense", "cannot be read"),
        ("x.png", b"nonsense", "cannot be read"),
        ("none.npy", None, "no such file"),
    ],
)
def test_an_input_that_cannot_be_read_is_one_line(
    small_bundle, tmp_path, name, content, reason, capsys
):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert main(["run", str(small_bundle), str(path)]) == 2
    assert reason in error_line(capsys)


def test_an_input_of_the_wrong_shape_is_one_line(small_bundle, tmp_path, capsys):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((1, 9), np.float32))
    assert main(["run", str(small_bundle), str(path)]) == 2
    assert "the model takes float32 [1, 8]" in error_line(capsys)


def test_sound_is_read_as_samples_in_minus_one_to_one(small_bundle, tmp_path, capsys):
    path = tmp_path / "x.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((2, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.full(8, 16384, "<i2").tobytes())
    assert main(["run", str(small_bundle), str(path)]) == 2
    assert "float32 [4]" in error_line(capsys)


def test_a_closed_pipe_is_no_error(small_bundle):
    command = f"{sys.executable} -m edgekit.cli inspect {small_bundle} | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_bug_says_that_it_is_one(small_bundle, x_npy, monkeypatch, capsys):
    def broken(path):
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("edgekit.cli.rawinput.read_input", broken)
    assert main(["run", str(small_bundle), str(x_npy)]) == 5
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert err.splitlines()[-1].startswith("edgekit: internal error: ZeroDivisionError: planted")


def test_ctrl_c_is_130(small_bundle, x_npy, monkeypatch, capsys):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr("edgekit.cli.rawinput.read_input", interrupted)
    assert main(["run", str(small_bundle), str(x_npy)]) == 130
    assert "interrupted" in error_line(capsys)

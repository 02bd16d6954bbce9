import tomllib

import pytest
from edgekit_converters.commands.init import task_text

from edgekit.cli import main
from edgekit.manifest import Tensor
from edgekit.task import load_task


def test_it_writes_a_task_and_settings_that_load(conv_path, tmp_path, capsys):
    out = tmp_path / "new"
    assert main(["init", str(conv_path), "--out", str(out)]) == 0
    assert "edgekit optimize" in capsys.readouterr().out
    text = (out / "task.py").read_text()
    assert "#   x: float32 [batch, 3, 16, 16]" in text
    assert "'x': np.zeros([1, 3, 16, 16], np.float32)," in text
    load_task(out / "task.py")
    settings = tomllib.loads((out / "edgekit.toml").read_text())
    assert settings["optimize"]["max-drop"] == 0.01


def test_every_setting_it_writes_is_known(conv_path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["init", str(conv_path), "--out", "."]) == 0
    assert main(["optimize", "no.onnx"]) == 2
    assert "no.onnx" in capsys.readouterr().err


def test_what_it_wrote_says_that_it_must_be_filled_in(conv_path, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    main(["init", str(conv_path), "--out", "."])
    assert main(["optimize", str(conv_path)]) == 2
    assert "read your labelled data here" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["task.py", "edgekit.toml"])
def test_nothing_is_overwritten(conv_path, tmp_path, capsys, name):
    (tmp_path / name).write_text("mine")
    assert main(["init", str(conv_path), "--out", str(tmp_path)]) == 2
    assert f"{name}': it exists already" in capsys.readouterr().err
    assert (tmp_path / name).read_text() == "mine"
    left = {path.name for path in tmp_path.iterdir()} - {"conv.onnx", "cache"}
    assert left == {name}


@pytest.mark.parametrize(
    ("kind", "shape", "answer"),
    [
        ("float32", ("n", 10), "int(outputs['y'].argmax())"),
        ("uint8", (1, 10), "int(outputs['y'].argmax())"),
        ("float32", (1, 1), "outputs['y'].ravel().tolist()[0]"),
        ("int64", ("n",), "outputs['y'].ravel().tolist()[0]"),
        ("string", ("n",), "outputs['y'].ravel().tolist()[0]"),
        ("float32", ("n", 64, 4), "outputs['y']  # make of it"),
    ],
)
def test_its_first_guess_at_an_answer_fits_the_output(kind, shape, answer):
    text = task_text((), (Tensor("y", kind, shape),))
    assert f"    return {answer}" in text

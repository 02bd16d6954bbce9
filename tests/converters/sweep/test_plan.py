"""The file of models: what it asks for, and one line for every mistake."""

import pytest
from edgekit_converters.sweep.plan import read_plan
from sweeps import write_plan

from edgekit.errors import EdgekitError


def test_every_model_target_and_budget_is_a_job(tmp_path):
    path = write_plan(tmp_path, ["one", "two"], targets=["host", "cortex-a76"], max_drop=[0.01, 0])
    names = [job.name for job in read_plan(path)]
    assert len(names) == len(set(names)) == 8
    assert names[:4] == ["one.host.0.01", "one.host.0", "one.cortex-a76.0.01", "one.cortex-a76.0"]


def test_a_model_overrides_defaults_and_paths_are_relative_to_the_file(tmp_path, monkeypatch):
    path = write_plan(tmp_path, max_drop=0.02)
    path.write_text(path.read_text() + 'name = "Other"\nmax_drop = 0.5\nseed = 3\n')
    monkeypatch.chdir("/")
    (job,) = read_plan(path)
    assert (job.max_drop, job.wish.seed, job.stem) == (0.5, 3, "other-1")
    assert job.wish.model == str(tmp_path / "one.onnx")
    line = job.arguments(tmp_path)
    assert line[line.index("--max-drop") + 1] == "0.5"


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("[defaults]", "[default]", ["unknown table 'default'", "did you mean 'defaults'"]),
        ("cpu_seconds", "cpu_second", ["[defaults]", "unknown key", "did you mean 'cpu_seconds'"]),
        ("[[model]]", "[model]", ["no list of models", "[[model]]"]),
        ('model = "one.onnx"', 'model = "no.onnx"', ["[[model]] 1", "no.onnx", "relative"]),
        ('model = "one.onnx"', "version = 3", ["[[model]] 1", "expected `str`, got `int`"]),
        ('model = "one.onnx"', "", ["[[model]] 1", "missing required field `model`"]),
        ('"apple-m1"', '"cortex-m0"', ["'cortex-m0'", "known are host"]),
        ('["apple-m1"]', "[]", ["names no target"]),
        ("cpu_seconds = 0", "max_drop = 3", ["max-drop 3", "between 0 and 1"]),
        ("cpu_seconds = 0", "max_mb = -1", ["a limit is -1"]),
        ("cpu_seconds = 0", "cpu_seconds = ", ["it is not TOML"]),
        ('model = "one.onnx"', 'model = "one.onnx"\n[[model]]\nmodel = "one.onnx"', ["asks twice"]),
    ],
)
def test_a_mistake_is_one_line(tmp_path, old, new, parts):
    path = write_plan(tmp_path)
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(EdgekitError) as caught:
        read_plan(path)
    for part in parts:
        assert part in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_so(tmp_path):
    with pytest.raises(EdgekitError, match="it cannot be read"):
        read_plan(tmp_path / "no.toml")

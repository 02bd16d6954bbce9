import json
from dataclasses import replace

import msgspec
import numpy as np
import pytest
from edgekit_converters.importers import read_model
from edgekit_converters.packing.pack import EVIDENCE, REFERENCE, pack
from edgekit_converters.packing.publish import identify, publishing
from edgekit_converters.progress import Silent
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.search.goal import Goal
from edgekit_converters.search.search import optimize
from edgekit_converters.search.workbench import Job
from edgekit_converters.targets import load_target

from edgekit import load
from edgekit.bundle import Bundle
from edgekit.errors import StorageError, TaskError, UsageError
from edgekit.task import load_task

FEATURES = """
import numpy as np
from edgekit.decoders import Classify
from edgekit.features import ImageTensor

features = {"x": ImageTensor(height_px=16, width_px=16)}
decoder = Classify(output="y", top_k=2)
labels = ["a", "b", "c", "d"]

def samples(split):
    rng = np.random.default_rng(len(split))
    for number in range(6):
        image = rng.integers(0, 256, (20 + number, 30, 3), np.uint8)
        yield image, number % 4, f"group{number}"

def score(predictions, labels):
    return 1.0
"""


@pytest.fixture
def search(tmp_path, conv_path):
    """A search with one recipe, for a task with or without features."""

    def run(task):
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        goal, target = Goal(), load_target("host")
        job = Job(read_model(conv_path), task, target, goal, folder, 0, Silent())
        recipes = [parse("int8_static_all_perchannel")]
        return optimize(job, [lambda *_: iter(recipes)])

    return run


@pytest.fixture
def features_task(tmp_path):
    path = tmp_path / "features_task.py"
    path.write_text(FEATURES)
    return load_task(path)


def test_a_bundle_of_a_plain_task_passes_its_self_test_and_answers_as_the_model(
    search, task, tmp_path, images
):
    result = search(task)
    for candidate in result.candidates:
        path = pack(result, candidate, identify("conv", candidate.recipe.name), tmp_path)
        with load(path, verify="self-test") as model:
            assert model.manifest.recipe == candidate.recipe.name
            assert model.run(images[0]["x"]).outputs["y"].shape == (1, 4)


def test_a_bundle_with_features_decodes_raw_inputs(search, features_task, tmp_path):
    result = search(features_task)
    path = pack(result, result.candidates[0], identify("conv", "1"), tmp_path)
    with load(path, verify="self-test") as model:
        raw = next(iter(features_task.samples("evaluation")))[0]
        best, _second = model.run(raw).value
        assert best.name in ("a", "b", "c", "d")
        assert best.index == features_task.predict(model.infer, raw)


def test_goldens_hold_the_raw_inputs_bit_for_bit(search, features_task, tmp_path):
    result = search(features_task)
    path = pack(result, result.clean, identify("conv", "1"), tmp_path)
    raws = [raw.tobytes() for raw, _, _ in features_task.samples("calibration")]
    with Bundle.open(path) as bundle:
        golden = json.loads(bundle.read("golden/golden.json"))
        assert len(golden["cases"]) == 2
        stored = {bundle.read(case["input"]) for case in golden["cases"]}
        assert all(any(raw in content for raw in raws) for content in stored)


def test_the_evidence_lists_every_candidate_with_its_figures(search, task, tmp_path):
    result = search(task)
    path = pack(result, result.chosen, identify("conv", "1"), tmp_path)
    with Bundle.open(path) as bundle:
        evidence = json.loads(bundle.read(EVIDENCE))
    assert [each["recipe"] for each in evidence["candidates"]] == [
        "as-is",
        "fp32",
        "int8_static_all_perchannel",
    ]
    assert evidence["chosen"] == result.chosen.recipe.name
    assert evidence["candidates"][2]["cost"]["environment"]["versions"]["onnxruntime"]
    assert evidence["model"]["sha256"] == result.job.source.sha256


def test_the_reference_counts_every_value_of_inputs_and_outputs(search, task, tmp_path):
    result = search(task)
    path = pack(result, result.clean, identify("conv", "1"), tmp_path)
    with Bundle.open(path) as bundle:
        reference = json.loads(bundle.read(REFERENCE))
    x, y = reference["inputs"]["x"], reference["outputs"]["y"]
    assert sum(x["counts"]) + x["below"] + x["above"] == 12 * 3 * 16 * 16
    assert sum(y["counts"]) + y["below"] + y["above"] == 12 * 4
    raws = np.stack([raw for raw, _, _ in task.samples("calibration")])
    assert x["low"] == pytest.approx(raws.min(), abs=1e-6)
    assert reference["calls"] == 12
    assert x["groups"] == len({group for _, _, group in task.samples("calibration")})
    assert 0 < x["effective_values"] <= 12 * 3 * 16 * 16


def test_features_for_some_inputs_only_are_refused(search, features_task, tmp_path):
    wrong = msgspec.structs.replace(features_task.features[0], input="other")
    result = search(features_task)
    job = replace(result.job, task=replace(result.job.task, features=(wrong,)))
    with pytest.raises(TaskError, match=r"fill \['other'\], the model's inputs are \['x'\]"):
        pack(replace(result, job=job), result.clean, identify("conv", "1"), tmp_path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Kws DS-CNN", "kws-ds-cnn-1.0"), ("a_b.c", "a_b.c-1.0"), ("modèle", "mod-le-1.0")],
)
def test_a_bundle_is_named_after_what_was_given(name, stem):
    assert identify(name, "1.0").stem == stem


@pytest.mark.parametrize("name", ["", "!", "x" * 70])
def test_a_name_that_no_bundle_may_have_is_refused(name):
    with pytest.raises(UsageError, match="--name"):
        identify(name, "1")


def test_publishing_moves_everything_at_the_end(tmp_path):
    with publishing(tmp_path / "out") as staging:
        (staging / "a").write_text("new")
        assert not (tmp_path / "out" / "a").exists()
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a"]


def test_publishing_leaves_nothing_on_failure(tmp_path):
    def fail():
        with publishing(tmp_path) as staging:
            (staging / "a").write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_publishing_into_a_file_is_refused(tmp_path):
    path = tmp_path / "taken"
    path.write_text("")
    with pytest.raises(StorageError, match="taken"), publishing(path):
        pass

"""A loaded bundle: what goes in, what comes out, what is refused."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from builders import small_files, small_manifest

import edgekit
from edgekit.bundle import write_bundle
from edgekit.decoders import Ctc
from edgekit.errors import BundleError, InputError, ModelError
from edgekit.manifest import Feature, ImageTensorSpec, Tensor

X = np.linspace(-1, 1, 8, dtype=np.float32)[None]


def test_a_bundle_runs_and_names_the_best_labels(small_bundle):
    with edgekit.load(small_bundle) as model:
        result = model.run(X)
    assert [label.name for label in result.value] == [
        "abc"[index] for index in np.argsort(-result.outputs["y"][0])[:2]
    ]
    assert result.features_ms >= 0
    assert result.model_ms > 0


def test_an_input_may_come_by_name(small_bundle):
    with edgekit.load(small_bundle) as model:
        assert model.run({"x": X}).value == model.run(X).value


def test_threads_share_a_model(small_bundle):
    rows = np.random.default_rng(0).standard_normal((32, 1, 8)).astype(np.float32)
    with edgekit.load(small_bundle) as model:
        alone = [model.run(row).value for row in rows]
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(lambda row: model.run(row).value, rows)) == alone


def test_a_closed_model_says_so(small_bundle):
    model = edgekit.load(small_bundle)
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.run(X)


@pytest.mark.parametrize("raw", [None, "text", np.ones((1, 8)), {"z": X}, X[0]])
def test_a_raw_input_that_does_not_fit_is_refused(small_bundle, raw):
    with edgekit.load(small_bundle) as model, pytest.raises(InputError):
        model.run(raw)


def test_labels_that_do_not_fit_the_output_are_refused_when_used(tmp_path):
    path = tmp_path / "x.edgekit"
    write_bundle(path, small_manifest(), small_files(**{"labels.json": b'["a"]'}))
    with edgekit.load(path) as model, pytest.raises(InputError, match="1 labels"):
        model.run(X)


@pytest.mark.parametrize("labels", [b"{}", b"[1]", b"\xff"])
def test_labels_that_are_no_list_of_strings_are_refused(tmp_path, labels):
    path = tmp_path / "x.edgekit"
    write_bundle(path, small_manifest(), small_files(**{"labels.json": labels}))
    with pytest.raises(BundleError, match=r"labels.json is not a JSON list of strings"):
        edgekit.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": (Tensor("x", "float32", (1, 9)),)},
        {"outputs": (Tensor("y", "float64", (1, 3)),)},
    ],
)
def test_a_manifest_that_describes_another_model_is_refused(tmp_path, changes):
    path = tmp_path / "x.edgekit"
    write_bundle(path, small_manifest(**changes), small_files())
    with pytest.raises(BundleError, match="the model's are"):
        edgekit.load(path)


def test_features_fill_the_model_input_behind_their_leading_axes(tmp_path):
    """A picture of 2x4 pixels gives 3·2·4 values; this model takes 8, so it must be refused
    with the shape that the feature made."""
    path = tmp_path / "x.edgekit"
    feature = Feature("x", ImageTensorSpec(2, width_px=4), leading_axes=1)
    manifest = small_manifest(features=(feature,), decoder=Ctc("y"))
    write_bundle(path, manifest, small_files())
    with edgekit.load(path) as model:
        assert model.features(np.zeros((2, 4, 3), np.uint8))["x"].shape == (1, 3, 2, 4)
        with pytest.raises(InputError, match=r"float32 \[1, 3, 2, 4\]"):
            model.run(np.zeros((2, 4, 3), np.uint8))

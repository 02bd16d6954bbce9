"""Inputs made from a bundle alone, run by the bundle itself."""

import math

import msgspec
import numpy as np
import pytest
from builders import small_files, small_manifest
from datasets import calibration, write_with_reference
from featurebundle import write_feature_bundle
from features.speech import speech

from edgekit import load
from edgekit.bundle import write_bundle
from edgekit.distance import ks_interval
from edgekit.errors import InputError
from edgekit.features import ImageTensor, LogMel, build
from edgekit.manifest import (
    Camera,
    Feature,
    ImageTensorSpec,
    LogMelSpec,
    MfccSpec,
    Output,
    RollingStatsSpec,
    Tensor,
)
from edgekit.reference import REFERENCE, SCHEMA, Counter, Histogram, Reference
from edgekit.synthetic import draw, synthetic_feeds, synthetic_inputs


def counted(arrays, low, high):
    counter = Counter(low, high)
    for number, array in enumerate(arrays):
        counter.add(array, str(number))
    return counter.result()


def distance(histogram, arrays):
    counter = histogram.counter()
    for array in arrays:
        counter.add(array)
    return ks_interval(histogram.cells(), counter.cells(), (1.0, 1.0)).point


def with_features(path, spec, shape, histogram=None):
    """A bundle of features whose model nobody runs."""
    manifest = small_manifest(
        inputs=(Tensor("x", "float32", shape),), features=(Feature("x", spec),)
    )
    reference = Reference(SCHEMA, 1, {"x": histogram} if histogram else {}, {})
    write_bundle(path, manifest, small_files(**{REFERENCE: msgspec.json.encode(reference)}))
    return path


def test_values_follow_the_histograms_of_calibration(tmp_path):
    lopsided = counted([np.random.default_rng(0).exponential(2.0, 4000) - 3.0], -3.0, 20.0)
    reference = Reference(SCHEMA, 1, {"x": lopsided}, {})
    path = write_with_reference(tmp_path / "small.edgekit", reference)
    feeds = synthetic_feeds(path, 300)
    assert {(each["x"].dtype.name, each["x"].shape) for each in feeds} == {("float32", (1, 8))}
    assert distance(lopsided, [each["x"] for each in feeds]) < 0.03
    with load(path, verify="digest") as model:
        assert model.run(synthetic_inputs(path, 1)[0]).value[0].name in "abc"


def test_the_same_seed_gives_the_same_inputs_however_many(tmp_path):
    path = write_with_reference(tmp_path / "small.edgekit", calibration())
    first, more = synthetic_inputs(path, 2, seed=3), synthetic_inputs(path, 5, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(first, more, strict=False))
    assert not np.array_equal(more[0], more[1])
    assert not np.array_equal(first[0], synthetic_inputs(path, 1, seed=4)[0])


def test_without_histograms_there_is_still_something_to_run(small_bundle):
    with load(small_bundle, verify="digest") as model:
        for value in synthetic_inputs(small_bundle, 3):
            assert model.run(value).value


@pytest.mark.parametrize(
    ("dtype", "expected"), [("uint8", {10, 11, 12}), ("int64", {10, 11, 12}), ("bool", {True})]
)
def test_integers_stay_integers_in_their_range(dtype, expected):
    histogram = Histogram(9.6, 12.4, (1, 1, 1), 0, 0, 0)
    drawn = draw(Tensor("x", dtype, (200,)), histogram, np.random.default_rng(0))
    assert drawn.dtype == dtype
    assert set(drawn.tolist()) == expected


def test_sizes_that_may_vary_are_given_by_name():
    tensor, random = Tensor("x", "float32", ("batch", 3, "time")), np.random.default_rng(0)
    assert draw(tensor, None, random).shape == (1, 3, 1)
    assert draw(tensor, None, random, {"time": 7}).shape == (1, 3, 7)


def test_strings_cannot_be_drawn():
    with pytest.raises(InputError, match="it holds strings"):
        draw(Tensor("x", "string", (1,)), None, np.random.default_rng(0))


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_a_picture_becomes_what_calibration_saw(tmp_path, channels):
    spec = ImageTensorSpec(24, 32, channels=channels, mean=(0.5, 0.4, 0.6), std=(0.2, 0.3, 0.25))
    random, extract = np.random.default_rng(0), ImageTensor.from_spec(spec)
    real = [random.binomial(255, 0.4, (24, 32, 3)).astype(np.uint8) for _ in range(10)]
    histogram = counted([extract(each) for each in real], -3.0, 3.0)
    path = with_features(tmp_path / "p.edgekit", spec, (1, 3, 24, 32), histogram)
    pictures = synthetic_inputs(path, 5)
    assert {(each.dtype.name, each.shape) for each in pictures} == {("uint8", (24, 32, 3))}
    assert distance(histogram, [extract(each) for each in pictures]) < 0.05
    plain = with_features(tmp_path / "q.edgekit", spec, (1, 3, 24, 32))
    assert synthetic_inputs(plain, 1)[0].dtype == np.uint8


def test_a_picture_whose_width_varies_has_several(tmp_path):
    spec = ImageTensorSpec(16, None, max_width_px=50)
    path = with_features(tmp_path / "p.edgekit", spec, (1, 3, 16, "width"))
    widths = {each.shape[1] for each in synthetic_inputs(path, 20)}
    assert len(widths) > 3
    assert widths <= set(range(16, 51))


@pytest.mark.parametrize("preset", ["kaldi", "whisper"])
@pytest.mark.parametrize("frames", [48, "frames"])
def test_sound_is_as_loud_and_as_changing_as_calibration(tmp_path, preset, frames):
    scale = 32_768.0 if preset == "kaldi" else 1.0
    spec = LogMelSpec(preset=preset, num_mel_bins=40, input_scale=scale)
    extract = LogMel(spec)
    real = [extract(speech(seed, 1.0).astype(np.float32)) for seed in range(6)]
    low, high = min(r.min() for r in real), max(r.max() for r in real)
    histogram = counted(real, float(low), float(high))
    path = with_features(tmp_path / "a.edgekit", spec, (1, frames, 40), histogram)
    made = [extract(each) for each in synthetic_inputs(path, 6)]
    assert {each.shape for each in made} == {(48 if frames == 48 else 98, 40)}
    together, before = np.concatenate(made), np.concatenate(real)
    assert together.mean() == pytest.approx(float(before.mean()), abs=0.1 * float(before.std()))
    assert together.std() == pytest.approx(float(before.std()), rel=0.5)
    assert distance(histogram, made) < 0.3
    quiet = with_features(tmp_path / "q.edgekit", spec, (1, frames, 40))
    assert math.isfinite(extract(synthetic_inputs(quiet, 1)[0]).mean())


def test_a_bundle_with_sound_runs_on_it(tmp_path):
    path = tmp_path / "features-1.0.edgekit"
    write_feature_bundle(path)
    with load(path, verify="digest") as model:
        for sound in synthetic_inputs(path, 2):
            assert model.run(sound).outputs["scores"].shape == (1, 12)


def test_frames_that_no_sound_makes_are_refused(tmp_path):
    spec = LogMelSpec(preset="kaldi", num_mel_bins=40)
    path = with_features(tmp_path / "a.edgekit", spec, (1, 0, 40))
    with pytest.raises(InputError, match="which no sound makes; draw with synthetic_feeds"):
        synthetic_inputs(path)


def test_several_inputs_come_by_name(tmp_path):
    inputs = (Tensor("a", "float32", (1, 2)), Tensor("b", "int64", (1,)))
    path = tmp_path / "two.edgekit"
    write_bundle(path, small_manifest(inputs=inputs), small_files())
    (both,) = synthetic_inputs(path, 1)
    assert {name: array.dtype.name for name, array in both.items()} == {
        "a": "float32",
        "b": "int64",
    }


@pytest.mark.parametrize("source", ["rgb", "bgr", "gray", Camera("nv12"), Camera("i420")])
@pytest.mark.parametrize("channels", ["rgb", "bgr", "gray"])
def test_pictures_come_as_their_source_says(tmp_path, source, channels):
    output = Output("int8", "hwc", scale=1 / 127, zero_point=-10)
    spec = ImageTensorSpec(16, width_px=24, source=source, channels=channels, output=output)
    planes = 1 if channels == "gray" else 3
    histogram = counted([np.linspace(10, 60, 1000)], 0, 100)
    path = with_features(tmp_path / "x.edgekit", spec, (1, 16, 24, planes), histogram)
    (raw,) = synthetic_inputs(path, 1)
    found = build(spec)(raw)
    assert found.shape == (16, 24, planes)
    if source in ("rgb", "bgr", "gray"):
        assert distance(histogram, [found]) < 0.1


def test_a_series_is_as_long_as_the_tensor(tmp_path):
    spec = RollingStatsSpec(8, ("mean", 0.5))
    path = with_features(tmp_path / "x.edgekit", spec, (1, 3, 2, 50))
    (raw,) = synthetic_inputs(path, 1)
    assert build(spec)(raw).shape == (3, 2, 50)


def test_features_without_a_way_back_are_refused(tmp_path):
    path = with_features(tmp_path / "x.edgekit", MfccSpec(LogMelSpec("kaldi")), (1, 98, 13))
    with pytest.raises(InputError, match="no raw input can be drawn for MfccSpec"):
        synthetic_inputs(path, 1)

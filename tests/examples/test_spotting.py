"""The keyword spotter's rule, times and truth: what needs no voices."""

import importlib

import numpy as np
import onnx
import pytest

from edgekit.features import LogMel
from edgekit.manifest import LogMelSpec, StreamSpec
from edgekit.task import load_task


@pytest.fixture
def spotting(kws):
    return importlib.import_module("spotting")


@pytest.fixture
def recording(kws):
    return importlib.import_module("recording")


def heard(spotting, words, step_s=0.1):
    """Detections where each window is sure of a word."""
    spotter = spotting.Spotter(("yes", "no"))
    found = []
    for number, word in enumerate(words):
        scores = {name: 0.9 if name == word else 0.05 for name in ("yes", "no", "other")}
        found.append(spotter.push(scores, number * step_s))
    return [(each.word, round(each.at_s, 3)) for each in found if each is not None]


def test_a_word_that_every_window_hears_is_reported_once_until_the_pause_is_over(spotting):
    assert heard(spotting, ["yes"] * 10) == [("yes", 0.2)]
    assert heard(spotting, ["yes"] * 13) == [("yes", 0.2), ("yes", 1.2)]


def test_one_confident_window_is_not_enough_and_the_mean_decides(spotting):
    assert heard(spotting, ["other", "other", "yes", "other", "other"]) == []
    assert heard(spotting, ["other", "other", "no", "no", "no"]) == [("no", 0.3)]


def test_a_label_that_is_no_keyword_is_never_reported(spotting):
    assert heard(spotting, ["other"] * 20) == []


def test_a_window_ends_with_the_sample_that_completes_it(spotting):
    spec = LogMelSpec("kaldi", num_mel_bins=40)
    for number in (0, 1, 7):
        at_s = spotting.window_end_s(number, spec, frames=98, hop_frames=10)
        samples = round(at_s * 16_000)
        needed = 98 + 10 * number
        stream = LogMel(spec).stream()
        assert len(stream.push(np.zeros(samples - 1, np.int16))) == needed - 1
        assert len(stream.push(np.zeros(1, np.int16))) == 1


def test_times_of_frames_that_lie_elsewhere_are_refused(spotting):
    spec = LogMelSpec("librosa", 16_000)
    with pytest.raises(ValueError, match="librosa"):
        spotting.window_end_s(0, spec, 98, 10)


def test_a_detection_belongs_to_a_word_that_it_names_and_follows(recording, spotting):
    truth = [recording.Truth("yes", 1.0, 1.5), recording.Truth("no", 3.0, 3.4)]
    late = spotting.Detection("no", 9.0, 0.9)
    good = spotting.Detection("yes", 1.6, 0.9)
    other = spotting.Detection("no", 1.6, 0.9)
    pairs, extra = recording.paired(truth, [good, other, late])
    assert [found for _, found in pairs] == [good, None]
    assert extra == [other, late]


def test_the_model_is_small_and_takes_the_windows_that_the_task_declares(kws):
    path = kws / "model.onnx"
    assert path.stat().st_size < 150_000
    model = onnx.load(path)
    assert model.opset_import[0].version >= 17
    (wish,) = load_task(kws / "task.py").features
    assert isinstance(wish.stream, StreamSpec)
    shape = [dim.dim_value for dim in model.graph.input[0].type.tensor_type.shape.dim]
    assert shape == [1, wish.stream.frames, wish.spec.num_mel_bins]


def test_words_that_are_no_keywords_are_in_one_split_only_and_hold_no_keyword(kws):
    words = importlib.import_module("words")
    splits = [set(words.OTHERS[split]) for split in ("training", "calibration", "evaluation")]
    assert sum(map(len, splits)) == len(set.union(*splits))
    spoken = {part for text in set.union(*splits) for part in text.replace("-", " ").split()}
    assert not spoken & set(words.KEYWORDS)

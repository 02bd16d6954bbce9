"""The example's task with its real model and fonts (downloaded once, 24 MB)."""

import importlib
from itertools import islice

import numpy as np
import pytest

from edgekit.engines import open_engine
from edgekit.task import load_task


@pytest.fixture(scope="module")
def task(ocr):
    return load_task(ocr / "task.py")


def test_the_splits_share_no_font_file_and_have_many(task):
    fonts = {
        split: {font for _, _, font in task.samples(split)}
        for split in ("calibration", "evaluation")
    }
    assert not fonts["calibration"] & fonts["evaluation"]
    assert len(fonts["calibration"]) == 16
    assert len(fonts["evaluation"]) == 30


def test_a_line_is_rendered_the_same_every_time(task):
    first, second = (next(task.samples("evaluation"))[0] for _ in range(2))
    assert first.dtype == np.uint8
    assert first.ndim == 3
    np.testing.assert_array_equal(first, second)


def test_the_real_model_reads_what_was_rendered(task):
    fetch = importlib.import_module("fetch")
    engine = open_engine("onnxruntime", fetch.model())
    image, truth, _ = zip(*islice(task.samples("evaluation"), 12), strict=True)
    read = [task.predict(engine.run, picture) for picture in image]
    engine.close()
    assert task.score(read, list(truth)) > 0.95


def test_there_is_a_label_for_every_class_of_the_model(task):
    assert len(task.labels) == 18710
    assert task.labels[0] == ""
    assert task.labels[-1] == " "


def test_the_score_counts_edits_over_all_characters(task):
    assert task.score(["abcd", "efgh"], ["abcd", "efgh"]) == 1
    assert task.score(["abd", "efgh"], ["abcd", "efgh"]) == 1 - 1 / 8
    assert task.score(["abcd", "xefgh!"], ["abcd", "efgh"]) == 1 - 2 / 8
    assert task.score(["a b c d e f"], ["xyz"]) == 0

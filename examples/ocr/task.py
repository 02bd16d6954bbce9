"""What the model is for: reading a line of printed text. See docs/writing-a-task.md.

Calibration and evaluation share no text and no font file. A weight of a family counts as a file
of its own, so both see every family, as a product that reads common fonts would.
"""

from collections.abc import Iterator
from functools import cache

import fetch
import numpy as np
from lines import lines
from numpy.typing import NDArray
from rendering import render

from edgekit.decoders import Ctc
from edgekit.features import ImageTensor

CALIBRATION_EVERY = 3
"""One font file in three, in the order of their names, is for calibration."""


def alphabet() -> list[str]:
    """The text of each class: the CTC blank, what the model's metadata lists, the space."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(fetch.model()), options)
    characters: str = session.get_modelmeta().custom_metadata_map["character"]
    return ["", *characters.split("\n"), " "]


features = {
    "x": ImageTensor(
        height_px=48, min_width_px=32, channels="bgr", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5)
    )
}
decoder = Ctc(output="fetch_name_0", blank=0)
labels = alphabet()


def samples(split: str) -> Iterator[tuple[NDArray[np.uint8], str, str]]:
    """(uint8 RGB image, its text, its font file); the font is what resampling keeps together."""
    is_calibration = split == "calibration"
    usable = [
        font
        for number, font in enumerate(fetch.fonts())
        if (number % CALIBRATION_EVERY == 0) == is_calibration
    ]
    for number, line in enumerate(lines(split)):
        font = usable[number % len(usable)]
        yield render(line, font), line, font.name


def score(predictions: list[str], labels: list[str]) -> float:
    """1 - character error rate: edits over characters, both summed over all lines."""
    edits = sum(edit_distance(p, truth) for p, truth in zip(predictions, labels, strict=True))
    return max(0.0, 1 - edits / sum(map(len, labels)))


@cache
def edit_distance(read: str, truth: str) -> int:
    """Insertions, deletions and substitutions between two strings; cached for resampling."""
    row = list(range(len(truth) + 1))
    for i, character in enumerate(read, 1):
        diagonal, row[0] = row[0], i
        for j, true_character in enumerate(truth, 1):
            substituted = diagonal + (character != true_character)
            diagonal = row[j]
            row[j] = min(row[j] + 1, row[j - 1] + 1, substituted)
    return row[-1]

"""What the model is for: one word in a second of sound. See docs/writing-a-task.md.

The splits share no voice, and no word that is not a keyword. The `stream` of the feature lets a
bundle answer while sound comes in: a window of 98 frames, a new one every 10 frames.
"""

from collections.abc import Iterator

import numpy as np
import words
from numpy.typing import NDArray

from edgekit.decoders import Classify
from edgekit.features import LogMel
from edgekit.manifest import Feature, StreamSpec

WINDOW = StreamSpec(frames=98, hop_frames=10)
features = (Feature("frames", LogMel.kaldi(num_mel_bins=40).spec, 1, WINDOW),)
decoder = Classify(output="logits", top_k=len(words.LABELS), softmax=True)
labels = list(words.LABELS)


def samples(split: str) -> Iterator[tuple[NDArray[np.int16], int, str]]:
    """(one second of int16 samples at 16 kHz, index in labels, voice)."""
    return words.samples(split)


def score(predictions: list[int], labels: list[int]) -> float:
    """Accuracy over the keywords, unknown words and silence."""
    return float(np.mean(np.asarray(predictions) == np.asarray(labels)))

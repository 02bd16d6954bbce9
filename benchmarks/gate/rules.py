"""What other tools would say of the same recordings, each by its own rule, at the same limit.

They compare runs that follow each other; ours are recorded in turns. So the baseline's calls come
from the first half of a recording and the candidate's from the second, or, for asv, which goes
back and forth once, from quarters. Wall time, as they take it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from edgekit.measure.protocol import Times
from edgekit.measure.recording import BASELINE, CANDIDATE, Recording
from edgekit.statistics import Floats, mann_whitney

Blocks: TypeAlias = Sequence[tuple[int, Times]]

LIMIT = 1.05
ASV_P = 0.002  # asv's default


def pytest_benchmark(recording: Recording) -> bool:
    """`--benchmark-compare-fail=mean:5%`: whether the mean of the second half is larger."""
    first, second = _parts(recording, 2)
    return bool(_calls(second, CANDIDATE).mean() > LIMIT * _calls(first, BASELINE).mean())


def asv(recording: Recording) -> bool:
    """`asv continuous --factor 1.05`: medians, and a rank test at 0.002."""
    one, two, three, four = _parts(recording, 4)
    before = np.concatenate([_calls(one, BASELINE), _calls(three, BASELINE)])
    after = np.concatenate([_calls(two, CANDIDATE), _calls(four, CANDIDATE)])
    differs = mann_whitney(before, after).p_value < ASV_P
    return bool(differs and np.median(after) > LIMIT * np.median(before))


def github_action_benchmark(recording: Recording, stored: Recording) -> bool:
    """`alert-threshold: 105%` against the mean that an earlier job stored."""
    before = _calls(stored.blocks, BASELINE).mean()
    return bool(_calls(recording.blocks, CANDIDATE).mean() > LIMIT * before)


def _parts(recording: Recording, count: int) -> list[Blocks]:
    blocks = recording.blocks
    edges = [round(len(blocks) * part / count) for part in range(count + 1)]
    return [blocks[start:end] for start, end in pairwise(edges)]


def _calls(blocks: Blocks, role: str) -> Floats:
    parts = [times.total_ns[role] for _, times in blocks]
    return np.array([ns for part in parts for ns in part], dtype=np.float64)

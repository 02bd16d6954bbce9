"""On random graphs every pass and form keeps its promise, and none needs to be dropped."""

from dataclasses import dataclass

import numpy as np
import pytest
from chains import chain, feeds_for
from edgekit_converters.passes import DEFAULT_PASSES, FORMS, apply_passes, choose_forms
from edgekit_converters.passes.contract import largest_error
from hypothesis import given, settings
from hypothesis import strategies as st
from randomgraphs import graphs, images

TOLERANCE = 1e-4


@dataclass(frozen=True)
class Cheaper:
    is_cheaper: bool = True
    ratio: float = 0.5


def formed(model, feeds):
    """What all passes and forms make of a model; none may have been dropped."""
    clean, reports = apply_passes(DEFAULT_PASSES, model, feeds)
    rewritten, more = choose_forms(FORMS, clean, feeds, lambda _before, _after: Cheaper())
    assert [each for each in (*reports, *more) if each.outcome == "reverted"] == []
    return rewritten


@settings(max_examples=25, deadline=None)
@given(model=graphs(), seed=st.integers(0, 99))
def test_networks_keep_their_outputs(model, seed):
    rewritten = formed(model, images(2, seed))
    assert largest_error(model, rewritten, images(3, seed + 1)) <= TOLERANCE


NUMBERS = {
    "axis0": np.array([0]), "axis1": np.array([1]), "last": np.array([-1]), "zero": np.float32(0),
    "one": np.float32([1]), "half": np.float32([[0.5]]), "two": np.float32(2),
    "flat": np.array([0, -1]), "rows": np.array([-1, 6]), "first": np.array(0),
    "cut": np.array([2]),
}  # fmt: skip
STEPS = {
    "stand": ("Unsqueeze", ["axis0"], {}), "stand_last": ("Unsqueeze", ["last"], {}),
    "lie": ("Squeeze", ["axis0"], {}), "lie_all": ("Squeeze", [], {}),
    "flatten": ("Flatten", [], {"axis": 1}), "rows": ("Reshape", ["rows"], {}),
    "turn": ("Transpose", [], {}), "relu": ("Relu", [], {}), "neg": ("Neg", [], {}),
    "sigmoid": ("Sigmoid", [], {}), "same": ("Identity", [], {}), "add": ("Add", ["zero"], {}),
    "times": ("Mul", ["one"], {}), "halve": ("Mul", ["half"], {}), "square": ("Pow", ["two"], {}),
    "root": ("Pow", ["one"], {}), "mean": ("ReduceMean", [], {"axes": [0], "keepdims": 1}),
    "first": ("Gather", ["first"], {"axis": 0}), "tail": ("Slice", ["axis1", "cut", "last"], {}),
    "softmax": ("Softmax", [], {"axis": -1}), "clip": ("Clip", ["zero", "two"], {}),
}  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    names=st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=8),
    x=st.sampled_from([(1, 4, 6), ("n", 4, 6), (2, 3, 1), (6,)]),
    seed=st.integers(0, 99),
)
def test_chains_of_views_and_arithmetic_keep_their_outputs(names, x, seed):
    used = [STEPS[name] for name in names]
    wanted = {each for _, inputs, _ in used for each in inputs}
    try:
        model = chain(*used, x=x, weights={name: NUMBERS[name] for name in sorted(wanted)})
        feeds = feeds_for(model)
        largest_error(model, model, feeds)
    except Exception:  # these steps do not fit each other
        return
    assert largest_error(model, formed(model, feeds), feeds_for(model, 2)) <= TOLERANCE


@settings(max_examples=25, deadline=None)
@given(
    widths=st.lists(st.sampled_from([1, 3, 17, 20]), min_size=1, max_size=3),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    groups=st.booleans(),
    x=st.sampled_from([(1, 3, 90), ("n", 3, 90), ("n", 3, "time")]),
)
def test_convolutions_over_time_keep_their_outputs(widths, kernel, stride, groups, x):
    rng = np.random.default_rng(7)
    steps, kept, inside = [], {}, 3
    for number, width in enumerate(widths):
        shape = (width, inside, kernel) if not groups or number else (inside, 1, kernel)
        name = f"w{number}"
        kept[name] = rng.uniform(-0.5, 0.5, shape).astype(np.float32)
        group = inside if shape[1] == 1 and inside > 1 else 1
        steps.append(
            ("Conv", [name], {"strides": [stride], "pads": [kernel // 2, 0], "group": group})
        )
        steps.append((["Relu", "Sigmoid", "Softplus"][number], [], {}))
        inside = shape[0]
    model = chain(*steps, x=x, weights=kept)
    feeds = feeds_for(model, size=90 if x[2] == "time" else 2)
    assert largest_error(model, formed(model, feeds), feeds) <= TOLERANCE


@pytest.mark.parametrize("count", [0, 1])
def test_few_calls_are_enough(count):
    model = chain(("Relu", [], {}), ("Identity", [], {}), ("Neg", [], {}))
    assert [each.op_type for each in formed(model, feeds_for(model, count)).graph.node] == [
        "Relu",
        "Neg",
    ]

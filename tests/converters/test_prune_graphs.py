"""Properties of passes and pruning on random graphs."""

import numpy as np
import onnx
import pytest
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.passes.contract import largest_error
from edgekit_converters.prune import prune
from edgekit_converters.prune.ranking import step_sizes
from edgekit_converters.prune.remove import with_initializers, with_zeroed, without_units
from edgekit_converters.prune.rules import RULES
from edgekit_converters.prune.trace import follow
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from onnx import numpy_helper
from randomgraphs import graphs, images

from edgekit.errors import ModelError

PATIENT = settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


def traced(model):
    whole = with_initializers(model)
    trace = follow(whole, images(1)[0], RULES)
    return whole, trace, [group for group in trace.units.groups() if group.kept_because is None]


@given(graphs())
@PATIENT
def test_every_pass_keeps_the_outputs_or_is_reverted(model):
    feeds = images(2)
    for each in DEFAULT_PASSES:
        after, (report,) = apply_passes([each], model, feeds)
        event(f"{each.name} {report.outcome}")
        if report.outcome == "changed":
            onnx.checker.check_model(after, full_check=True)
            assert largest_error(model, after, images(2, seed=7)) <= 2 * each.tolerance
        else:
            assert after is model
        model = after


@given(graphs(), st.data())
@PATIENT
def test_a_model_without_channels_is_the_one_in_which_nobody_hears_them(model, data):
    """Whatever subset goes, aligned or not, and however it is spread over coupled layers."""
    whole, trace, free = traced(model)
    removed = set()
    for group in free:
        if len(group.units) > 1:
            few = st.sets(st.sampled_from(group.units), max_size=len(group.units) - 1)
            removed |= data.draw(few)
    event(f"removed {'some' if removed else 'none'}")
    smaller = without_units(whole, trace, removed)
    onnx.checker.check_model(smaller, full_check=True)
    assert largest_error(with_zeroed(whole, trace, removed), smaller, images(2)) <= 1e-4
    assert not removed or values(smaller) < values(whole)


@given(graphs(), st.data())
@PATIENT
def test_where_some_channels_are_heard_by_nobody_what_goes_first_changes_nothing(model, data):
    whole, trace, free = traced(model)
    wide = [group for group in free if step_sizes(group, 8)]
    if not wide:
        return
    group = data.draw(st.sampled_from(wide))
    size = step_sizes(group, 8)[0]
    unheard = group.units[-size:]
    deaf = with_zeroed(whole, trace, unheard)
    pruned = prune(deaf, images(4), share=1e-9)
    event("pruned")
    assert pruned.widths
    assert largest_error(deaf, pruned.model, images(3, seed=5)) <= 1e-4


def values(model):
    floats = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT]
    return sum(numpy_helper.to_array(tensor).size for tensor in floats)


@given(graphs(), st.sampled_from((0.1, 0.3, 0.9)))
@PATIENT
def test_pruning_gives_a_smaller_valid_model_or_says_why_not(model, share):
    feeds = images(6)
    _, _, free = traced(model)
    if not any(step_sizes(group, 8) for group in free):
        event("refused")
        with pytest.raises(ModelError, match="no channel can go"):
            prune(model, feeds, share)
        return
    event("pruned")
    pruned = prune(model, feeds, share)
    onnx.checker.check_model(pruned.model, full_check=True)
    assert values(pruned.model) < values(model)
    assert 0 < pruned.saved < 1
    assert all(after % 8 == 0 and after < before for before, after in pruned.widths.values())
    assert all(fit.after <= fit.before for fit in pruned.fits)
    assert np.isfinite(largest_error(model, pruned.model, images(2, seed=5)))
    assert all(np.isfinite(numpy_helper.to_array(t)).all() for t in pruned.model.graph.initializer)

import pytest
from edgekit_converters.calibration.calibrate import calibrate
from edgekit_converters.passes import DEFAULT_PASSES, apply_passes
from edgekit_converters.recipes.make import Material
from edgekit_converters.recipes.recipe import parse
from edgekit_converters.sensitivity.stability import calibration_stability, halves
from networks import conv_net, task_of

from edgekit.errors import TaskError

RECIPE = parse("int8_static_all_perchannel")
TASK = """
def samples(split):
    rng = np.random.default_rng(0)
    for number in range({count}):
        image = rng.standard_normal((1, 3, 16, 16)).astype(np.float32)
        yield image * {scale}, number, str(number // {per_group})

def predict(run, input):
    return int(run({{"x": input}})["y"].argmax())
"""


def task(tmp_path, count=16, scale="1", per_group=2):
    return task_of(tmp_path, TASK.format(count=count, scale=scale, per_group=per_group))


def stability(a_task):
    model, _ = apply_passes(DEFAULT_PASSES, conv_net(), [])
    return calibration_stability(RECIPE, Material(model, a_task, calibrate(model, a_task)))


def test_halves_are_disjoint_and_share_no_group(tmp_path):
    first, second = halves(task(tmp_path))
    labels = [[label for _, label, _ in each.samples("calibration")] for each in (first, second)]
    assert labels[0] == [0, 1, 4, 5, 8, 9, 12, 13]
    assert sorted(labels[0] + labels[1]) == list(range(16))
    assert len(list(first.samples("evaluation"))) == 16


def test_one_group_is_split_by_samples(tmp_path):
    first, second = halves(task(tmp_path, per_group=99))
    assert [label for _, label, _ in first.samples("calibration")] == list(range(0, 16, 2))
    assert [label for _, label, _ in second.samples("calibration")] == list(range(1, 16, 2))


def test_data_that_agree_with_themselves_are_stable(tmp_path):
    found = stability(task(tmp_path))
    assert found.samples == (8, 8)
    assert min(found.range_overlap.values()) > 0.4
    assert found.range_overlap["x"] > 0.8
    assert found.candidates_db > 20


def test_halves_that_saw_other_things_are_unstable(tmp_path):
    """One half is a hundred times louder."""
    found = stability(task(tmp_path, scale="(100 if number // 2 % 2 else 1)"))
    assert found.range_overlap["x"] < 0.05
    assert found.candidates_db < 20
    assert not found.is_stable


def test_a_single_sample_has_no_halves(tmp_path):
    with pytest.raises(TaskError, match="one calibration sample has no halves"):
        halves(task(tmp_path, count=1))

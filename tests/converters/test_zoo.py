"""Every kind of model goes through import, passes and forms, or is refused in one line."""

from dataclasses import dataclass

import onnx
import pytest
from edgekit_converters.importers import read_model
from edgekit_converters.passes import DEFAULT_PASSES, FORMS, apply_passes, choose_forms
from edgekit_converters.passes.contract import difference
from zoo import ZOO, zoo_feeds

from edgekit.engines import open_engine

TOLERANCE = 1e-3


@dataclass(frozen=True)
class Cheaper:
    is_cheaper: bool = True
    ratio: float = 0.5


def outputs(model, feeds):
    engine = open_engine("onnxruntime", model.SerializeToString())
    try:
        return [engine.run(feed) for feed in feeds]
    finally:
        engine.close()


@pytest.fixture(params=ZOO)
def source(request, tmp_path):
    path = tmp_path / f"{request.param}.onnx"
    onnx.save(ZOO[request.param](), path)
    return read_model(path)


def test_every_model_survives_passes_and_forms(source):
    feeds = zoo_feeds(source.model)
    clean, reports = apply_passes(DEFAULT_PASSES, source.model, feeds)
    formed, more = choose_forms(FORMS, clean, feeds, lambda _before, _after: Cheaper())
    assert [each for each in (*reports, *more) if each.outcome == "reverted"] == []
    unseen = zoo_feeds(source.model, seed=99)
    for model in (clean, formed):
        for expected, found in zip(
            outputs(source.model, unseen), outputs(model, unseen), strict=True
        ):
            assert expected.keys() == found.keys()
            for name, array in expected.items():
                assert difference(array, found[name]) <= TOLERANCE, name


def test_a_second_run_leaves_no_more(source):
    feeds = zoo_feeds(source.model)
    once, _ = apply_passes(DEFAULT_PASSES, source.model, feeds)
    twice, _ = apply_passes(DEFAULT_PASSES, once, feeds)
    assert len(twice.graph.node) <= len(once.graph.node)

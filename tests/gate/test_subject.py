import hashlib

from builders import small_files, small_manifest

from edgekit.budget import Budget, SizeBudget
from edgekit.bundle import write_bundle
from edgekit.gate.subject import budget_of, look_at
from edgekit.manifest import ClassifySpec


def bundle(folder, name="a.edgekit", files=None, **changes):
    path = folder / name
    write_bundle(path, small_manifest(**changes), files or small_files())
    return path


def test_a_plain_model_is_its_own_digest(small_onnx):
    subject = look_at(small_onnx)
    assert subject.sha256 == hashlib.sha256(small_onnx.read_bytes()).hexdigest()
    assert subject.model_bytes == subject.file_bytes == small_onnx.stat().st_size
    assert subject.target is None


def test_a_bundle_tells_the_size_of_its_model_and_of_all(tmp_path):
    path = bundle(tmp_path)
    subject = look_at(path)
    assert subject.model_bytes == len(small_files()["model.onnx"]) < subject.file_bytes
    assert subject.file == "a.edgekit"
    assert (subject.name, subject.version, subject.target) == ("small", "1.0", "host")


def test_bundles_answer_alike_only_with_the_same_model_decoder_and_labels(tmp_path):
    first = look_at(bundle(tmp_path))
    renamed = look_at(bundle(tmp_path, "b.edgekit", version="2.0"))
    decoded = look_at(bundle(tmp_path, "c.edgekit", decoder=ClassifySpec("y", top_k=1)))
    relabelled = small_files(**{"labels.json": b'["c", "b", "a"]'})
    labelled = look_at(bundle(tmp_path, "d.edgekit", files=relabelled))
    assert first.answers_like(renamed)
    assert not first.answers_like(decoded)
    assert not first.answers_like(labelled)


def test_a_bundle_carries_its_budget_and_a_plain_model_none(tmp_path, small_onnx):
    budget = Budget(size=SizeBudget(max_mb=1.0))
    assert budget_of(bundle(tmp_path, budget=budget)) == budget
    assert budget_of(small_onnx) == Budget()

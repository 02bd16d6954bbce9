"""Every hostile bundle in tests/hostile is refused, for the reason it was made for."""

import importlib.util
from pathlib import Path

import pytest

from edgekit.bundle import Bundle
from edgekit.errors import BundleError

FOLDER = Path(__file__).parent / "hostile"
_spec = importlib.util.spec_from_file_location("hostile_make", FOLDER / "make.py")
make = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(make)


@pytest.mark.parametrize("name", make.HOSTILE)
def test_a_hostile_bundle_is_refused_for_its_own_reason(name):
    _, reason = make.HOSTILE[name]
    with pytest.raises(BundleError) as refusal:
        Bundle.open(FOLDER / f"{name}.edgekit")
    assert reason in str(refusal.value)
    assert refusal.value.way_out
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", make.HOSTILE)
def test_the_files_are_what_their_script_writes(name):
    build, _ = make.HOSTILE[name]
    assert (FOLDER / f"{name}.edgekit").read_bytes() == build()


def test_no_file_lies_there_without_a_reason():
    assert {path.stem for path in FOLDER.glob("*.edgekit")} == set(make.HOSTILE)


def test_what_they_were_made_from_is_accepted(tmp_path):
    path = tmp_path / "valid.edgekit"
    path.write_bytes(make.valid())
    with Bundle.open(path) as bundle:
        assert bundle.read("model.onnx") == make.MODEL

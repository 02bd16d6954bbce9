"""The committed C of the extension is what generate.py writes today."""

import importlib.util
import re
from pathlib import Path

import cffi

NATIVE = Path(__file__).parents[2] / "edgekit" / "_native"


def load_generator():
    spec = importlib.util.spec_from_file_location("generate", NATIVE / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def of_this_header(source):
    """The lines that speak of our header; the rest is cffi's and differs between its versions."""
    return [line for line in source.splitlines() if re.search(r"\b_?(cffi_[a-z]_)?(ek|EK)_", line)]


def test_the_generated_source_is_fresh(tmp_path, capsys):
    committed = (NATIVE / "_kernels.c").read_text(encoding="utf-8")
    load_generator().generate(tmp_path / "_kernels.c")
    capsys.readouterr()
    fresh = (tmp_path / "_kernels.c").read_text(encoding="utf-8")
    way_out = "run: python edgekit/_native/generate.py"
    assert of_this_header(committed), "the pattern finds nothing"
    assert of_this_header(fresh) == of_this_header(committed), way_out
    if f"cffi {cffi.__version__};" in committed.splitlines()[0]:
        assert fresh == committed, way_out

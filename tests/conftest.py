"""Fixtures of the whole suite."""

import os
import signal
from pathlib import Path

import hypothesis
import onnx
import pytest
from browser import Browser
from builders import small_files, small_manifest, small_model

from edgekit.bundle import write_bundle

pytest_plugins = ["pytester"]

# The same examples in every run, so that a change is blamed for what it did; new ones are drawn
# with HYPOTHESIS_PROFILE=default.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


# A shell's background job ignores Ctrl-C, and so would every program that a test interrupts.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """No test reads or leaves anything in the user's cache."""
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def small_onnx(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.onnx"
    onnx.save(small_model(), path)
    return path


@pytest.fixture
def small_bundle(tmp_path) -> Path:
    path = tmp_path / "small-1.0.edgekit"
    write_bundle(path, small_manifest(), small_files())
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()

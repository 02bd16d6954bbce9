"""The examples' files as modules."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def ocr() -> Iterator[Path]:
    """The example's folder, importable."""
    folder = Path(__file__).parents[2] / "examples" / "ocr"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="session")
def kws() -> Iterator[Path]:
    """The keyword spotter's folder, importable after the other; both have `demo` and `task`."""
    folder = Path(__file__).parents[2] / "examples" / "keyword_spotting"
    sys.path.append(str(folder))
    yield folder
    sys.path.remove(str(folder))

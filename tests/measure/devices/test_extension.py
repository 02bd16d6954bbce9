"""edgekit for another machine: its files, once for each state of them."""

import os
import zipfile

import pytest

from edgekit.measure.devices import extension
from edgekit.measure.devices.extension import build_extension, copy_package, own_extension
from edgekit.measure.devices.runner import _package


def test_the_copy_has_every_python_file_and_the_given_library(tmp_path):
    library = tmp_path / "kernels-1.abi3.so"
    library.write_bytes(b"library")
    folder = copy_package(tmp_path, library)
    assert (folder / "edgekit/measure/worker.py").is_file()
    assert (folder / "edgekit/_native/_kernels.abi3.so").read_bytes() == b"library"
    assert not list(folder.rglob("*.c"))
    assert copy_package(tmp_path, library) == folder
    assert copy_package(tmp_path, None) != folder


def test_a_copy_that_was_interrupted_is_made_again(tmp_path):
    folder = copy_package(tmp_path, None)
    (tmp_path / f"{folder.name}.{os.getpid()}.partial").mkdir()
    folder.rename(tmp_path / "elsewhere")
    assert (copy_package(tmp_path, None) / "edgekit/measure/worker.py").is_file()


def test_copies_that_nobody_used_for_a_week_go(tmp_path):
    folder = copy_package(tmp_path, None)
    old = folder.stat().st_mtime - 8 * 86400
    stale = folder.rename(tmp_path / "edgekit-0123-python")
    os.utime(stale, (old, old))
    copy_package(tmp_path, None)
    assert not stale.exists()


def test_an_edgekit_without_its_sources_has_no_kernels_for_others(tmp_path, monkeypatch):
    monkeypatch.setattr(extension, "CHECKOUT", tmp_path)
    assert build_extension(tmp_path, None, "it") is None


def test_the_kernels_of_this_machine_are_found():
    assert own_extension().suffix == ".so"


def test_the_same_files_are_packed_to_the_same_bytes(tmp_path):
    first = _package(tmp_path, None)
    first.files[0].unlink()
    assert _package(tmp_path, None) == first
    with zipfile.ZipFile(first.files[0]) as archive:
        assert "edgekit/measure/worker.py" in archive.namelist()


@pytest.fixture(autouse=True)
def own_folder(tmp_path):
    yield
    assert not list(tmp_path.glob("*.zip.*.partial"))

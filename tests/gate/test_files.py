"""Files are whole or as they were, whatever happens while they are written."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgekit.errors import StorageError
from edgekit.gate.files import append_file, write_file


def test_a_report_that_cannot_be_written_leaves_what_was_there(tmp_path):
    target = tmp_path / "gate.json"
    target.mkdir()
    with pytest.raises(StorageError, match=r"gate\.json.*cannot be written"):
        write_file(target, b"{}")
    assert list(tmp_path.iterdir()) == [target]


def test_a_report_is_replaced_at_once(tmp_path):
    write_file(tmp_path / "gate.json", b"old")
    write_file(tmp_path / "gate.json", b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"new"]


def test_an_interrupt_leaves_what_was_there(tmp_path, monkeypatch):
    target = tmp_path / "gate.json"
    write_file(target, b"old")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(target, b"new")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


FULL = """
import resource, sys
from pathlib import Path
from edgekit.gate.files import append_file, write_file
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
path = Path(sys.argv[2])
content = b"x" * 5000
try:
    write_file(path, content) if sys.argv[1] == "write" else append_file(path, lambda *_: content)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize(("how", "error"), [("write", "StorageError"), ("append", "OSError")])
@pytest.mark.parametrize("before", [b"", b"before"])
def test_a_disk_that_fills_up_while_it_is_written_leaves_what_was_there(
    how, error, before, tmp_path
):
    """The limit of a process's files stands for the disk: the kernel writes what still fits."""
    path = tmp_path / "file"
    path.write_bytes(before)
    run = [sys.executable, "-c", FULL, how, str(path)]
    said = subprocess.run(run, capture_output=True, text=True, check=True).stdout
    assert said.startswith(error)
    assert "File too large" in said
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [before]


def test_what_many_add_at_once_stays_whole(tmp_path):
    path = tmp_path / "lines"
    with ThreadPoolExecutor(8) as pool:
        for n in range(40):
            pool.submit(append_file, path, lambda *_, n=n: f"{n} ".encode() * 5000 + b"\n")
    lines = path.read_bytes().splitlines()
    assert sorted({int(line.split()[0]) for line in lines}) == list(range(40))
    assert all(len(set(line.split())) == 1 for line in lines)

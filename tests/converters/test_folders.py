import subprocess
import sys
import tempfile
import time
from pathlib import Path

from edgekit_converters.folders import own_folder, work_folder

HOLD = """
import sys, time
from pathlib import Path
from edgekit_converters.folders import own_folder
with own_folder(Path(sys.argv[1]), "job-") as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_gone_at_the_end(tmp_path):
    with own_folder(tmp_path, "job-") as folder:
        (folder / "file").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_stays(tmp_path):
    killed, living = (
        subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
        for _ in range(2)
    )
    try:
        left, used = (process.stdout.readline().decode().strip() for process in (killed, living))
        killed.kill()
        killed.wait()
        time.sleep(0)
        with own_folder(tmp_path, "job-") as folder:
            assert {str(path) for path in tmp_path.iterdir()} == {used, str(folder)}
        assert left not in {str(path) for path in tmp_path.iterdir()}
    finally:
        for process in (killed, living):
            process.kill()
            process.wait()
            process.stdout.close()


def test_without_a_cache_folder_it_works_in_the_temporary_one(tmp_path, monkeypatch):
    (tmp_path / "taken").write_text("a file")
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "taken"))
    assert work_folder() == Path(tempfile.gettempdir())
    monkeypatch.setenv("EDGEKIT_CACHE", str(tmp_path / "cache"))
    assert work_folder() == tmp_path / "cache" / "work"

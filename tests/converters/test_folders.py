import subprocess
import sys
import time

from edgekit_converters.folders import own_folder

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

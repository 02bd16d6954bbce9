"""The agent as a board runs it: a real process of a bare Python."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from processes import wait_until

from edgekit.measure.devices.link import AGENT

SOURCE = AGENT.read_text()


def start(*arguments, env=None, source=SOURCE):
    return subprocess.Popen(
        [sys.executable, "-I", "-c", source, *map(str, arguments)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env,
    )  # fmt: skip


def ask(*arguments, feed=b"", env=None, source=SOURCE):
    with start(*arguments, env=env, source=source) as process:
        answer, words = process.communicate(feed, 30)
    return process.returncode, json.loads(answer or b"null"), words.decode().strip()


def digest_of(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def kept(tmp_path):
    """A session: its keeper and its folder."""
    process = start("keep", tmp_path, 30)
    folder = json.loads(process.stdout.readline())["folder"]
    yield process, folder
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


def test_it_says_what_the_board_is(tmp_path):
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    _, about, _ = ask("probe", "python3", env=env)
    assert about["arch"] == os.uname().machine
    assert about["python"] == list(sys.version_info[:2])
    assert about["root"] == str(tmp_path / ".cache/edgekit/board")


def test_a_board_without_a_writable_home_uses_androids_place(tmp_path):
    (tmp_path / "file").write_text("")
    source = SOURCE.replace("/data/local/tmp", str(tmp_path / "data"))
    env = {"EDGEKIT_CACHE": str(tmp_path / "file" / "below"), "PATH": os.environ["PATH"]}
    _, about, _ = ask("probe", "python3", env=env, source=source)
    assert about["root"] == str(tmp_path / "data/edgekit/board")


def test_a_board_that_can_be_written_nowhere_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    source = SOURCE.replace("/data/local/tmp", str(tmp_path / "file"))
    env = {"EDGEKIT_CACHE": str(tmp_path / "file" / "below"), "PATH": os.environ["PATH"]}
    code, _, words = ask("probe", "python3", env=env, source=source)
    assert code == 1
    assert words.endswith("can be written")


def test_a_file_arrives_whole_with_its_digest(tmp_path):
    code, answer, _ = ask("receive", tmp_path, "files/x", 3, 0, digest_of(b"abc"), feed=b"abc")
    assert (code, answer) == (0, -1)
    assert (tmp_path / "files/x").read_bytes() == b"abc"
    assert ask("have", tmp_path, "files/x", "files/y")[1] == {"files/x": -1, "files/y": 0}


def test_what_arrived_before_the_connection_dropped_stays_and_the_rest_follows(tmp_path):
    code, _, words = ask("receive", tmp_path, "x", 6, 0, digest_of(b"abcdef"), feed=b"abc")
    assert (code, words) == (1, "the connection ended before the file did")
    assert ask("have", tmp_path, "x")[1] == {"x": 3}
    code, _, _ = ask("receive", tmp_path, "x", 6, 3, digest_of(b"abcdef"), feed=b"def")
    assert code == 0
    assert (tmp_path / "x").read_bytes() == b"abcdef"


def test_what_arrives_damaged_is_refused_and_forgotten(tmp_path):
    code, _, words = ask("receive", tmp_path, "x", 3, 0, digest_of(b"abc"), feed=b"abX")
    assert (code, words) == (1, "x arrived with another digest")
    assert ask("have", tmp_path, "x")[1] == {"x": 0}


def test_archives_are_unpacked_together_and_removed(tmp_path):
    for name in "ab":
        with zipfile.ZipFile(tmp_path / f"{name}.zip", "w") as archive:
            archive.writestr(f"{name}/file", name)
    assert ask("unpack", tmp_path, "site", "a.zip", "b.zip")[0] == 0
    assert (tmp_path / "site/b/file").read_text() == "b"
    assert [path.name for path in tmp_path.iterdir()] == ["site"]


def test_a_bad_archive_leaves_nothing_half_unpacked(tmp_path):
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    assert ask("unpack", tmp_path, "site", "bad.zip")[0] != 0
    assert [path.name for path in tmp_path.iterdir()] == ["bad.zip"]


def test_samples_are_written_to_the_session(kept, tmp_path):
    _, folder = kept
    header = json.dumps([["0.0.npy", 3], ["1.0.npy", 2]]).encode()
    assert ask("extract", folder, feed=header + b"\nabcde")[0] == 0
    written = {name: Path(folder, name).read_bytes() for name in ("0.0.npy", "1.0.npy")}
    assert written == {"0.0.npy": b"abc", "1.0.npy": b"de"}


def test_samples_that_arrive_cut_are_refused(kept):
    header = json.dumps([["0.0.npy", 30]]).encode()
    code, _, words = ask("extract", kept[1], feed=header + b"\nabcde")
    assert (code, words) == (1, "the connection ended before the samples did")


def worker_of(folder):
    return subprocess.Popen(["sleep", "100"], env={**os.environ, "EDGEKIT_SESSION": folder})


@pytest.mark.parametrize("how", ["stdin ends", "SIGTERM", "SIGHUP"])
def test_a_session_takes_its_processes_and_its_folder_with_it(kept, how):
    keeper, folder = kept
    with worker_of(folder) as worker, worker_of("/another/session") as other:
        if how == "stdin ends":
            keeper.stdin.close()
        else:
            keeper.send_signal(signal.Signals[how])
        assert worker.wait(20) == -signal.SIGKILL
        keeper.wait(20)
        assert not Path(folder).exists()
        assert other.poll() is None
        other.kill()


def test_a_session_ends_when_nothing_is_heard_for_its_lease(tmp_path):
    with start("keep", tmp_path, 0.5) as keeper:
        folder = json.loads(keeper.stdout.readline())["folder"]
        wait_until(lambda: not Path(folder).exists())
        assert keeper.wait(20) == 0


def test_a_beating_session_outlives_its_lease(tmp_path):
    with start("keep", tmp_path, 1.0) as keeper:
        folder = json.loads(keeper.stdout.readline())["folder"]
        for _ in range(6):
            with pytest.raises(subprocess.TimeoutExpired):
                keeper.wait(0.3)
            keeper.stdin.write(b"\n")
            keeper.stdin.flush()
        assert Path(folder).exists()
        keeper.stdin.close()


def test_the_next_session_cleans_up_after_a_keeper_that_was_killed(kept, tmp_path):
    keeper, folder = kept
    with worker_of(folder) as worker:
        keeper.kill()
        keeper.wait()
        assert Path(folder).exists()
        with start("keep", tmp_path, 30) as next_keeper:
            next_keeper.stdout.readline()
            assert not Path(folder).exists()
            assert worker.wait(20) == -signal.SIGKILL
            next_keeper.stdin.close()


def test_the_next_session_leaves_one_that_is_kept_alone(kept, tmp_path):
    with start("keep", tmp_path, 30) as next_keeper:
        next_keeper.stdout.readline()
        assert Path(kept[1]).exists()
        next_keeper.stdin.close()


def test_what_nobody_used_for_a_week_goes(tmp_path):
    for name in ("wheels-old", "wheels-new", "files/old"):
        (tmp_path / name).mkdir(parents=True)
    long_ago = 8 * 86400
    for name in ("wheels-old", "files/old"):
        old = (tmp_path / name).stat().st_mtime - long_ago
        os.utime(tmp_path / name, (old, old))
    with start("keep", tmp_path, 30) as keeper:
        keeper.stdout.readline()
        assert sorted(p.name for p in tmp_path.iterdir() if "session" not in p.name) == [
            "files", "wheels-new",
        ]  # fmt: skip
        assert not list((tmp_path / "files").iterdir())
        keeper.stdin.close()

"""What runs on a board before edgekit does: stdlib only, sent with each command as `python3 -c`.

    probe PROGRAM                      what the board is, and where its cache can be, as JSON
    have ROOT NAME...                  bytes there of each; -1 for what is whole
    receive ROOT NAME SIZE OFFSET SHA  stdin to a file of the cache, from an offset on
    unpack ROOT FOLDER NAME...         zip files of the cache to a folder of it, and remove them
    keep ROOT LEASE_S                  a session: its folder lasts while lines come on stdin
    extract FOLDER                     stdin to files of a session: a JSON line of names and sizes

What is cached is written beside its place and renamed when it is whole. What outlives its
connection is ended by the keeper: every process whose environment names the session.
"""

import fcntl
import hashlib
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

MARK = "EDGEKIT_SESSION"
IDLE_S = 60.0  # a sender that is silent for so long has gone
KEPT_S = 7 * 86400.0  # what nobody has used for a week goes
WHOLE = -1
ANDROID = "/data/local/tmp/edgekit"


def say(value: object) -> None:
    """One JSON line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def probe(program: str) -> None:
    """Print what the board is."""
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        libc = ""
    python = list(sys.version_info[:2])
    about = {"arch": os.uname().machine, "python": python, "libc": libc, "program": program}
    say(about | {"root": str(_writable_root())})


def _writable_root() -> Path:
    """The first place for the cache where a file can be made."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    named = os.environ.get("EDGEKIT_CACHE") or f"{home}/edgekit"
    for parent in (named, ANDROID):
        try:
            root = Path(parent).expanduser() / "board"
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                return root
        except (OSError, RuntimeError):  # no home either
            continue
    sys.exit(f"neither {named} nor {ANDROID} can be written")


def have(root: str, *names: str) -> None:
    """Print how much of each entry there is; what is whole counts as used now."""
    say({name: _size(Path(root, name)) for name in names})


def _size(path: Path) -> int:
    try:
        os.utime(path)
        os.utime(path.parent)
    except OSError:
        partial = _partial(path)
        return partial.stat().st_size if partial.exists() else 0
    return WHOLE


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.partial")


def receive(root: str, name: str, size: str, offset: str, digest: str) -> None:
    """Go on with a file; it gets its name when its digest is right."""
    path = Path(root, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(_partial(path), os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        _lock(file)
        file.truncate(int(offset))
        file.seek(int(offset))
        for part in _stdin():
            file.write(part)
            file.flush()
        if file.tell() < int(size):
            sys.exit("the connection ended before the file did")
        if _digest(file) != digest:
            _partial(path).unlink()
            sys.exit(f"{name} arrived with another digest")
        _partial(path).rename(path)
    say(WHOLE)


def _digest(file: IO[bytes]) -> str:
    found = hashlib.sha256()
    file.seek(0)
    for part in iter(lambda: file.read(1 << 20), b""):
        found.update(part)
    return found.hexdigest()


def _lock(file: IO[bytes]) -> None:
    """Wait for the sender before, whose connection has dropped, to give up."""
    deadline = time.monotonic() + 2 * IDLE_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit("another connection is sending the same file")
            time.sleep(0.2)


def unpack(root: str, folder: str, *names: str) -> None:
    """Unpack files of the cache, then remove them."""
    target = Path(root, folder)
    partial = tempfile.mkdtemp(prefix="unpacking-", dir=root)
    try:
        for name in names:
            with zipfile.ZipFile(Path(root, name)) as archive:
                archive.extractall(partial)
        if not target.is_dir():
            Path(partial).rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for name in names:
        Path(root, name).unlink(missing_ok=True)
    say(WHOLE)


def extract(folder: str) -> None:
    """Write the files of a session."""
    header, _, data = b"".join(_stdin()).partition(b"\n")
    start = 0
    for name, size in json.loads(header):
        Path(folder, Path(name).name).write_bytes(data[start : start + size])
        start += size
    if start != len(data):
        sys.exit("the connection ended before the samples did")
    say(WHOLE)


def keep(root: str, lease_s: str) -> None:
    """Hold a session until stdin ends or is silent for longer than the lease."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(1))
    _remove_stale(Path(root))
    folder = Path(tempfile.mkdtemp(prefix="session-", dir=root))
    try:
        with (folder / "keeper").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            say({"folder": str(folder)})
            while select.select([0], [], [], float(lease_s))[0] and os.read(0, 1 << 16):
                pass
    finally:
        _end(folder)


def _end(folder: Path) -> None:
    """End every process of a session and remove its folder; twice, for one that just started."""
    for _ in range(2):
        for pid in _processes_of(folder):
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        shutil.rmtree(folder, ignore_errors=True)


def _processes_of(folder: Path) -> "list[int]":
    wanted = f"{MARK}={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
            except OSError:
                continue
    return found


def _remove_stale(root: Path) -> None:
    """Sessions whose keeper was killed, and what nobody has used for a week."""
    for path in root.iterdir():
        if path.name.startswith("session-"):
            if not _kept(path):
                _end(path)
        elif path.name == "files":
            for each in path.iterdir():
                _remove_old(each)
        else:
            _remove_old(path)


def _kept(folder: Path) -> bool:
    try:
        with (folder / "keeper").open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # its keeper has just made the folder, or never could
        return folder.exists() and folder.stat().st_mtime > time.time() - IDLE_S
    except OSError:
        return True
    return False


def _remove_old(path: Path) -> None:
    try:
        if path.stat().st_mtime > time.time() - KEPT_S:
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
    except OSError:
        return


def _stdin() -> "Iterator[bytes]":
    """Parts of stdin until it ends."""
    while True:
        if not select.select([0], [], [], IDLE_S)[0]:
            sys.exit(f"nothing came for {IDLE_S:g} s")
        part = os.read(0, 1 << 20)
        if not part:
            return
        yield part


OPERATIONS = {each.__name__: each for each in (probe, have, receive, unpack, extract, keep)}


def main(operation: str, *arguments: str) -> None:
    """Run one operation; a full disk and the like is one line on stderr."""
    try:
        OPERATIONS[operation](*arguments)
    except OSError as error:
        sys.exit(f"{error.filename or operation}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Processes as /proc shows them, and waiting for what must happen."""

import contextlib
import os
import time
from pathlib import Path


def wait_until(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def all_processes():
    """(id, folder below /proc) of each, but for this one."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name), entry


def stat_of(entry):
    """State and parent of a process."""
    state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
    return state, int(parent)


def processes_with(words):
    """Those that live and have these words in their environment or command line."""
    found = []
    for pid, entry in all_processes():
        with contextlib.suppress(OSError):
            said = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            if words.encode() in said and stat_of(entry)[0] != "Z":
                found.append(pid)
    return found


def children_of(parent):
    found = []
    for pid, entry in all_processes():
        with contextlib.suppress(OSError):
            if stat_of(entry)[1] == parent:
                found.append(pid)
    return found


def is_alive(pid):
    try:
        return stat_of(Path(f"/proc/{pid}"))[0] != "Z"
    except OSError:
        return False

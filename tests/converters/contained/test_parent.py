"""Work in a child: what ends the child is refused, everything else comes through as it was."""

import sys
from functools import partial

import pytest
from edgekit_converters.contained.parent import contained
from processes import processes_with

from edgekit.errors import CrashError, StorageError

WORK = """
import os, signal, sys, time
from pathlib import Path
from edgekit.errors import CrashError, StorageError

def end(how):
    if how == "exit":
        os._exit(7)
    os.kill(os.getpid(), getattr(signal, how))
    time.sleep(10)

def visits(folder):
    path = Path(folder) / "visits"
    path.write_text(path.read_text() + "x" if path.exists() else "x")
    return len(path.read_text())

def three(how, folder, risks, progress):
    visits(folder)
    made = []
    for name in ("a", "b", "c"):
        try:
            risks.take(name)
            progress.start(f"making {name}", 9)
            progress.advance(4)
            if name == "b":
                print("last words", file=sys.stderr, flush=True)
                end(how)
        except CrashError as error:
            made.append(error.problem)
        else:
            made.append(name)
    risks.rest()
    return made, risks.spent_s

def needed(risks, progress):
    risks.take("a")
    risks.rest()
    progress.start("reading", None)
    os.abort()

def once(folder, risks, progress):
    if visits(folder) == 1:
        end("SIGKILL")
    return "done"

def failing(kind, risks, progress):
    print("seen by nobody's parser")
    raise {"refused": StorageError("file", "full", "free"), "bug": ZeroDivisionError("0")}[kind]

def steps(folder, risks, progress):
    def items():
        yield 1
        yield 2
        if visits(folder) == 1:
            os.abort()
        yield 3
    cut = []
    return list(risks.each("counting", items(), cut)), cut
"""


@pytest.fixture
def run(tmp_path, monkeypatch, capfd):
    """Run a function of a module that the child can import, too; what it told goes to `notes`."""
    (tmp_path / "childwork.py").write_text(WORK)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "childwork", raising=False)
    import childwork

    class Notes(list):
        def start(self, stage, total):
            pass

        def advance(self, done):
            pass

        note = list.append

    def run(name, *given):
        run.notes = Notes()
        work = partial(getattr(childwork, name), *given)
        return contained(work, tmp_path / "net.onnx", tmp_path, run.notes)

    return run


@pytest.mark.parametrize(
    ("how", "said"),
    [("SIGABRT", "signal SIGABRT"), ("SIGSEGV", "signal SIGSEGV"), ("exit", "exit code 7")],
)
def test_what_ends_the_child_is_refused_with_the_reason_and_the_rest_is_done(
    run, tmp_path, how, said
):
    problem = f"its process ended while making b, at sample 4 ({said}: last words)"
    made, spent_s = run("three", how, str(tmp_path))
    assert made == ["a", problem, "c"]
    assert run.notes == [f"b: {problem}; going on without it"]
    assert spent_s > 0
    assert (tmp_path / "visits").read_text() == "xx"


def test_what_cannot_be_spared_is_one_error_that_names_the_model_and_the_stage(run):
    said = r"net.onnx': its process ended while reading \(signal SIGABRT.*run it alone"
    with pytest.raises(CrashError, match=said):
        run("needed")


def test_a_child_that_is_killed_once_is_started_again_as_it_was(run, tmp_path):
    assert run("once", str(tmp_path)) == "done"
    assert "SIGKILL" in run.notes[0]
    assert "once more" in run.notes[0]


def test_what_is_killed_twice_is_refused(run, tmp_path):
    made, _ = run("three", "SIGKILL", str(tmp_path))
    assert "SIGKILL" in made[1]
    assert (tmp_path / "visits").read_text() == "xxx"


def test_errors_come_through_as_they_were_and_prints_go_to_stderr(run, capfd):
    with pytest.raises(StorageError, match="file: full; free"):
        run("failing", "refused")
    with pytest.raises(ZeroDivisionError) as caught:
        run("failing", "bug")
    assert "childwork.py" in caught.value.__notes__[0]
    said = capfd.readouterr()
    assert said.out == ""
    assert said.err.count("nobody's parser") == 2


def test_an_iterator_ends_before_the_item_that_ended_a_child(run, tmp_path):
    found, cut = run("steps", str(tmp_path))
    assert found == [1, 2]
    assert [f"{line}; going on without it" for line in cut] == run.notes
    assert cut[0].startswith("counting, step 3: its process ended while loading (signal SIGABRT")


def test_a_child_that_is_told_to_end_is_an_interruption_and_leaves_nothing(run, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        run("three", "SIGTERM", str(tmp_path))
    assert processes_with(str(tmp_path)) == []

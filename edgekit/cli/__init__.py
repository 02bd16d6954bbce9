"""The `edgekit` command: one file per command. The only part that prints.

Exit codes: 0 pass · 1 budget violated · 2 usage or configuration · 3 inconclusive ·
4 signature or provenance refused · 5 internal error · 130 interrupted · 143 told to end.
"""

import argparse
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import metadata
from typing import Protocol

import edgekit
from edgekit.cli import bench, doctor, gate, history, inspect, run, settings
from edgekit.errors import EdgekitError, MissingExtraError

INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended
TERMINATED = 143  # likewise, by SIGTERM
INTERNAL_ERROR = 5

DESCRIPTION = """\
Make a trained model small and fast for one device, prove it, pack it, ship it.

  edgekit init model.onnx                            write a task file to start from
  edgekit optimize model.onnx --task task.py         search for the cheapest model in budget
  edgekit explain                                    say why the other candidates failed
  edgekit run out/model-1.edgekit photo.png          run what it packed
  edgekit gate new.edgekit --baseline old.edgekit    judge a release: exit code 0, 1 or 3
"""


class Command(Protocol):
    """What a command's module defines."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's arguments."""

    def run(self, args: argparse.Namespace) -> int:
        """Do it; returns the exit code."""


COMMANDS: dict[str, Command] = {
    "run": run,
    "inspect": inspect,
    "bench": bench,
    "gate": gate,
    "gate history": history,
    "doctor": doctor,
}

EXTRA_OF_PACKAGE = {
    "ai_edge_litert": "litert",
    "distributed": "sweep",
    "jinja2": "convert",
    "onnx": "convert",
    "onnxconverter_common": "convert",
    "PIL": "convert",
    "rich": "convert",
}


class _Terminated(BaseException):
    """SIGTERM came, which is how CI cancels a job: what Ctrl-C would clean up is cleaned up."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    with _termination_raises():
        return _main(arguments)


@contextmanager
def _termination_raises() -> Iterator[None]:
    """SIGTERM as an exception; only a main thread may ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _raise_terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise_terminated(number: int, frame: object) -> None:
    raise _Terminated


def _main(arguments: Sequence[str] | None) -> int:
    try:
        parser = _parser(commands())
        words = list(sys.argv[1:] if arguments is None else arguments)
        args = settings.parse(parser, _one_name(words))
        if args.command is None:
            parser.print_help()
            return 2
        return int(args.run(args))
    except KeyboardInterrupt:
        return _say("interrupted; nothing was left half-written", INTERRUPTED)
    except _Terminated:
        return _say("told to end; nothing was left half-written", TERMINATED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # no second error at exit
        return 0
    except Exception as error:
        return _report(error)


def _report(error: Exception) -> int:
    """Say what went wrong: one line for a mistake, a traceback before it for a bug."""
    if isinstance(error, ModuleNotFoundError):
        error = _missing_package(error)
    if isinstance(error, EdgekitError):
        return _say(str(error), error.exit_code)
    if isinstance(error, OSError):
        problem = f"{error.filename or 'a file'}: {error.strerror or error}"
        return _say(f"{problem}; free some space or check the path and its permissions", 2)
    traceback.print_exception(error)
    text = f"internal error: {type(error).__name__}: {error}; please report it with the lines above"
    return _say(text, INTERNAL_ERROR)


def commands() -> dict[str, Command]:
    """Every command by name: the ones here and those that installed packages add."""
    added = {entry.name: entry for entry in metadata.entry_points(group="edgekit.commands")}
    return {**{name: entry.load() for name, entry in sorted(added.items())}, **COMMANDS}


def _one_name(words: list[str]) -> list[str]:
    """A command of two words as one argument: `gate history`."""
    two = " ".join(words[:2])
    return [two, *words[2:]] if two in COMMANDS else words


def _parser(known: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgekit",
        description=DESCRIPTION,
        epilog="Exit codes: 0 pass, 1 budget violated, 2 usage, 3 inconclusive, 4 provenance, "
        "5 internal error. Settings may stand in edgekit.toml, one table per command.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"edgekit {edgekit.__version__}")
    parser.set_defaults(command=None)
    subparsers = parser.add_subparsers(metavar="COMMAND")
    for name, command in known.items():
        subparser = subparsers.add_parser(
            name,
            help=command.HELP,
            description=command.HELP,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(command=name, run=command.run)
    return parser


def _missing_package(error: ModuleNotFoundError) -> Exception:
    """The same error, or the extra to install where one would bring the package."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRA_OF_PACKAGE:
        return error
    problem = f"this command needs {package}, which is not installed"
    way_out = f"run: pip install 'edgekit[{EXTRA_OF_PACKAGE[package]}]'"
    return MissingExtraError("edgekit", problem, way_out)


def _say(text: str, code: int) -> int:
    print(f"edgekit: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())

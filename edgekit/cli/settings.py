"""Command-line arguments with defaults from `edgekit.toml`: a flag wins over the file.

The file has one table per command whose keys are the command's flags, dashes or underscores:

    [optimize]
    task = "task.py"
    max-drop = 0.01

Paths in it are relative to the folder the command is run in. Unknown tables and keys are refused.
What `[optimize]` says holds for `edgekit explain` too, as far as it has the same flags.
"""

import argparse
import difflib
import tomllib
from pathlib import Path
from typing import Any

from edgekit.errors import StorageError, UsageError

FILE = "edgekit.toml"
ALSO_FOR = {"optimize": "explain"}
"""Commands whose table is read for another one too, whose own table wins."""


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse a command line, with the file's values as defaults.

    Raises:
        UsageError: the file is malformed, or names an unknown command, flag or value.
        SystemExit: the command line is wrong; argparse has said why.
    """
    path = Path(FILE)
    if path.is_file():
        _apply(read(path), _subparsers(parser), str(path))
    return parser.parse_args(arguments)


def read(path: Path) -> dict[str, Any]:
    """The tables of a settings file."""
    try:
        return tomllib.loads(path.read_text("utf8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"file {str(path)!r}", f"it is not TOML: {error}", "correct it") from error
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise StorageError(f"file {str(path)!r}", problem, "check its permissions") from error


def nearest(name: str, known: list[str]) -> str:
    """A way out for a misspelt name: the closest known one, or all of them."""
    close = difflib.get_close_matches(name, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(known))}"


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _apply(tables: dict[str, Any], parsers: dict[str, argparse.ArgumentParser], file: str) -> None:
    for command, table in sorted(tables.items(), key=lambda entry: entry[0] not in ALSO_FOR):
        thing = f"file {file!r}, table [{command}]"
        if command not in parsers:
            raise UsageError(thing, "there is no such command", nearest(command, list(parsers)))
        if not isinstance(table, dict):
            raise UsageError(thing, "it is not a table", f"write [{command}] above its settings")
        actions = _actions(parsers[command])
        other = ALSO_FOR.get(command)
        others = _actions(parsers[other]) if other in parsers else {}
        for key, value in table.items():
            dest = key.replace("-", "_")
            if dest not in actions:
                known = [name.replace("_", "-") for name in actions]
                raise UsageError(thing, f"unknown key {key!r}", nearest(key, known))
            for each in filter(None, (actions[dest], others.get(dest))):
                each.default = _converted(each, value, f"{thing}, key {key!r}")
                each.required = False


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    return {action.dest: action for action in parser._actions if action.dest != "help"}


def _converted(action: argparse.Action, value: Any, thing: str) -> Any:
    """A TOML value as the flag would give it."""
    if action.nargs in ("+", "*") or isinstance(action, argparse._AppendAction):
        if not isinstance(value, list):
            raise UsageError(thing, f"{value!r} is not a list", "write it in brackets")
        return [_one(action, item, thing) for item in value]
    return _one(action, value, thing)


def _one(action: argparse.Action, value: Any, thing: str) -> Any:
    if action.nargs == 0:
        if not isinstance(value, bool):
            raise UsageError(thing, f"{value!r} is not true or false", "write one of them")
        return value
    if isinstance(value, bool | dict | list):
        raise UsageError(thing, f"{value!r} is no single value", "write a number or a string")
    try:
        converted = action.type(str(value)) if callable(action.type) else str(value)
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise UsageError(thing, f"{value!r} is refused: {error}", "correct it") from error
    if action.choices is not None and converted not in action.choices:
        known = ", ".join(map(str, action.choices))
        raise UsageError(thing, f"{value!r} is none of {known}", "choose one of them")
    return converted

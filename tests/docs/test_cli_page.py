"""docs/cli.md names every command and every flag, and no flag that is not there."""

import argparse
import re
from pathlib import Path

import pytest

from edgekit import cli

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf8")
SECTIONS = dict(
    re.findall(r"^## edgekit ([\w ]+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
)


def test_every_command_has_a_section():
    assert set(SECTIONS) == set(cli.commands())


@pytest.mark.parametrize("name", SECTIONS)
def test_a_section_names_the_flags_of_its_command(name):
    parser = argparse.ArgumentParser(add_help=False)
    cli.commands()[name].add_arguments(parser)
    flags = {option for action in parser._actions for option in action.option_strings}
    rows = " ".join(re.findall(r"^\| (`--.*?) \|", SECTIONS[name], re.MULTILINE))
    assert set(re.findall(r"--[a-z-]+", rows)) == flags

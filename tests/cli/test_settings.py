"""`edgekit.toml` gives defaults, a flag wins, and what it should not hold is refused."""

import argparse
from pathlib import Path

import pytest

from edgekit.cli.settings import parse
from edgekit.errors import UsageError


@pytest.fixture
def parsed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(toml, *arguments):
        Path("edgekit.toml").write_text(toml)
        parser = argparse.ArgumentParser()
        command = parser.add_subparsers().add_parser("optimize")
        command.add_argument("model", type=Path)
        command.add_argument("--task", type=Path, required=True)
        command.add_argument("--max-drop", type=float)
        command.add_argument("--threads", type=int, default=1)
        command.add_argument("--mode", choices=("fast", "slow"))
        command.add_argument("--certify", action="store_true")
        command.add_argument("--only", nargs="+")
        return parse(parser, ["optimize", "m.onnx", *arguments])

    return run


def test_the_file_gives_defaults(parsed):
    toml = '[optimize]\ntask = "t.py"\nmax-drop = 0.02\ncertify = true\nonly = ["a", "b"]\n'
    args = parsed(toml)
    assert (args.task, args.max_drop, args.certify) == (Path("t.py"), 0.02, True)
    assert args.only == ["a", "b"]
    assert args.threads == 1


def test_a_flag_wins_over_the_file(parsed):
    args = parsed('[optimize]\ntask = "t.py"\nmax_drop = 0.02\n', "--max-drop", "0.5")
    assert args.max_drop == 0.5


@pytest.mark.parametrize(
    ("toml", "reason"),
    [
        ("[optimise]\n", "no such command; did you mean 'optimize'"),
        ("optimize = 3\n", "it is not a table"),
        ("[optimize]\nmax-drp = 1\n", "unknown key 'max-drp'; did you mean 'max-drop'"),
        ('[optimize]\nmax-drop = "low"\n', "'low' is refused"),
        ("[optimize]\nthreads = 1.5\n", "1.5 is refused"),
        ('[optimize]\nmode = "medium"\n', "none of fast, slow"),
        ('[optimize]\ncertify = "yes"\n', "not true or false"),
        ('[optimize]\nonly = "a"\n', "not a list"),
        ("[optimize]\nmax-drop = true\n", "no single value"),
        ("[optimize\n", "it is not TOML"),
    ],
)
def test_what_the_file_should_not_hold_is_refused(parsed, toml, reason):
    with pytest.raises(UsageError, match=reason):
        parsed(toml)


def explained(*arguments):
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers()
    for name in ("optimize", "explain"):
        command = commands.add_parser(name)
        command.add_argument("--max-drop", type=float, default=0.01)
        command.add_argument("--seed", type=int, default=0)
    commands.choices["optimize"].add_argument("--name")
    return parse(parser, ["explain", *arguments])


@pytest.mark.parametrize("own_first", [True, False])
def test_what_optimize_is_told_holds_for_explain_whose_own_table_wins(
    tmp_path, monkeypatch, own_first
):
    monkeypatch.chdir(tmp_path)
    tables = ["[explain]\nseed = 3\n", '[optimize]\nmax-drop = 0.02\nseed = 2\nname = "kws"\n']
    Path("edgekit.toml").write_text("".join(tables if own_first else tables[::-1]))
    args = explained()
    assert (args.max_drop, args.seed) == (0.02, 3)
    assert not hasattr(args, "name")
    assert explained("--max-drop", "0.5").max_drop == 0.5

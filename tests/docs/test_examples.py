"""Every example in the documentation runs and gives what the page says.

Blocks marked `python` are run: with prompts as doctests, without as they are. Blocks marked
`console` are run in a shell, line by line. The blocks of a page share their names.
"""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(python|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
"""`...` stands for anything, and white space may differ."""


def blocks(page: Path) -> list[tuple[str, int, str]]:
    """(kind, line of its first line, text) of every block that is run."""
    text = page.read_text("utf8")
    return [
        (block[1], text.count("\n", 0, block.start(2)) + 1, block[2])
        for block in BLOCK.finditer(text)
    ]


WITH_EXAMPLES = [page for page in PAGES if blocks(page)]


@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_examples_of_a_page_give_what_it_says(page, desk, monkeypatch):
    monkeypatch.chdir(desk)
    names: dict[str, object] = {"__name__": "__main__"}
    for kind, line, text in blocks(page):
        if kind == "console":
            run_in_shell(text, f"{page.name}:{line}")
        elif ">>>" in text:
            run_doctest(text, names, page, line)
        else:
            exec(compile(text, f"{page.name}:{line}", "exec"), names)


def run_doctest(text: str, names: dict[str, object], page: Path, line: int) -> None:
    parsed = doctest.DocTestParser().get_doctest(text, names, page.name, str(page), line - 1)
    parsed.globs = names
    failures: list[str] = []
    doctest.DocTestRunner(optionflags=LOOSELY).run(parsed, out=failures.append, clear_globs=False)
    assert not failures, "".join(failures)


def run_in_shell(text: str, where: str) -> None:
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        shell = subprocess.run(
            command,
            shell=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            check=False,
        )
        found = shell.stdout
        same = doctest.OutputChecker().check_output(expected, found, LOOSELY)
        assert same, f"{where}: $ {command}\nexpected:\n{expected}\nfound:\n{found}"


def test_there_are_examples_to_run():
    assert ROOT / "README.md" in WITH_EXAMPLES
    assert ROOT / "docs" / "sdk.md" in WITH_EXAMPLES

"""What the pages point at is there, and what they list is complete."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES = [*OUTSIDE, *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("examples/*/*.md"))]
LINK = re.compile(r"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_point_at_files_that_are_there(page):
    links = LINK.findall(page.read_text("utf8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_specification_names_every_hostile_bundle_and_no_other():
    page = (ROOT / "docs" / "bundle-format.md").read_text("utf8")
    named = set(re.findall(r"`([a-z-]+)`", page[page.index("## Refusals") :]))
    there = {path.stem for path in (ROOT / "tests" / "hostile").glob("*.edgekit")}
    assert named == there


def test_the_specification_gives_the_limits_of_the_reader():
    from edgekit import bundle, container

    page = (ROOT / "docs" / "bundle-format.md").read_text("utf8")
    assert f"at most {container.MAX_FILES} entries and {container.MAX_BUNDLE_BYTES:,} bytes" in page
    assert f"1 to {container.MAX_PATH_CHARACTERS} characters" in page
    assert f"first multiple of {container.ALIGNMENT_BYTES}" in page
    assert f"at most {bundle.MAX_MANIFEST_BYTES >> 20} MiB" in page


def test_the_readme_names_every_command():
    from edgekit import cli

    table = (ROOT / "README.md").read_text("utf8")
    assert set(re.findall(r"^\| `edgekit ([a-z ]*[a-z])", table, re.MULTILINE)) == set(
        cli.commands()
    )

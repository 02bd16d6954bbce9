from edgekit.gate.markdown import to_markdown


def test_every_limit_has_a_row_with_its_verdict(report):
    text = to_markdown(report)
    for verdict in report.verdicts:
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {verdict.budget} |")]
        assert f"**{verdict.outcome.value}**" in row


def test_every_row_of_a_table_has_as_many_cells_as_its_head(report):
    tables = to_markdown(report).split("\n\n")
    for table in (part.splitlines() for part in tables if part.startswith("|")):
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1


def test_the_headline_says_the_verdict(report):
    assert to_markdown(report).startswith("## Gate: FAIL, a limit is violated\n")


def test_names_cannot_become_html_outside_code(report):
    outside = "".join(to_markdown(report).split("`")[::2])
    assert "<b>" not in outside

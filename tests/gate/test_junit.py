from xml.etree import ElementTree

from edgekit.gate.junit import to_junit


def test_every_limit_is_a_case_and_the_counts_are_right(report):
    (suite,) = ElementTree.fromstring(to_junit(report))
    names = [case.get("name") for case in suite]
    assert names == [verdict.budget for verdict in report.verdicts]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("5", "1", "2")


def test_a_violated_limit_is_a_failure_and_an_open_one_an_error(report):
    (suite,) = ElementTree.fromstring(to_junit(report))
    kinds = {case.get("name"): case[0].tag for case in suite}
    assert kinds["latency.max_ratio"] == "failure"
    assert kinds["instructions.max_ratio"] == "error"
    assert kinds["size.max_mb"] == "system-out"


def test_characters_that_xml_cannot_hold_are_replaced(report):
    assert "\x01" in report.candidate.file
    (suite,) = ElementTree.fromstring(to_junit(report))
    assert suite.get("name") == "edgekit gate <b>after|�.edgekit"

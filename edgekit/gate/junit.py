"""JUnit XML: one test case a limit, so that every CI shows the verdict without a plugin.

FAIL is a failure, INCONCLUSIVE an error: both stop a pipeline, and it shows which of them it was.
Under the policy for pull requests INCONCLUSIVE is a skipped case, which stops none.
"""

import re
from xml.etree import ElementTree

from edgekit.gate.report import GateReport
from edgekit.gate.verdict import Outcome

COUNTS = {"error": "errors", "skipped": "skipped"}
FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold; a runtime's last words may have them."""


def to_junit(report: GateReport) -> bytes:
    """The report as JUnit XML, UTF-8."""
    outcomes = [verdict.outcome for verdict in report.verdicts]
    open_cases = "skipped" if report.policy == "pull-request" else "error"
    elements = {Outcome.FAIL: "failure", Outcome.INCONCLUSIVE: open_cases}
    suite = ElementTree.Element(
        "testsuite",
        name=f"edgekit gate {_clean(report.candidate.file)}",
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAIL)),
        timestamp=report.created,
    )
    suite.set(COUNTS[open_cases], str(outcomes.count(Outcome.INCONCLUSIVE)))
    for verdict in report.verdicts:
        case = ElementTree.SubElement(
            suite, "testcase", classname="edgekit.gate", name=_clean(verdict.title)
        )
        element = elements.get(verdict.outcome)
        if element is None:
            ElementTree.SubElement(case, "system-out").text = _clean(verdict.reason)
        else:
            kind, reason = verdict.outcome.value, _clean(verdict.reason)
            told = ElementTree.SubElement(case, element, message=reason)
            told.text = reason
            if element != "skipped":
                told.set("type", kind)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)

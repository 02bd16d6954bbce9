"""JUnit XML: one test case a limit, so that every CI shows the verdict without a plugin.

FAIL is a failure, INCONCLUSIVE an error: both stop a pipeline, and it shows which of them it was.
"""

import re
from xml.etree import ElementTree

from edgekit.gate.report import GateReport
from edgekit.gate.verdict import Outcome

ELEMENTS = {Outcome.FAIL: "failure", Outcome.INCONCLUSIVE: "error"}
FORBIDDEN = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold; a runtime's last words may have them."""


def to_junit(report: GateReport) -> bytes:
    """The report as JUnit XML, UTF-8."""
    outcomes = [verdict.outcome for verdict in report.verdicts]
    suite = ElementTree.Element(
        "testsuite",
        name=f"edgekit gate {_clean(report.candidate.file)}",
        tests=str(len(outcomes)),
        failures=str(outcomes.count(Outcome.FAIL)),
        errors=str(outcomes.count(Outcome.INCONCLUSIVE)),
        timestamp=report.created,
    )
    for verdict in report.verdicts:
        case = ElementTree.SubElement(
            suite, "testcase", classname="edgekit.gate", name=verdict.budget
        )
        element = ELEMENTS.get(verdict.outcome)
        if element is None:
            ElementTree.SubElement(case, "system-out").text = _clean(verdict.reason)
        else:
            kind, reason = verdict.outcome.value, _clean(verdict.reason)
            ElementTree.SubElement(case, element, type=kind, message=reason).text = reason
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    text: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _clean(text: str) -> str:
    return FORBIDDEN.sub("�", text)

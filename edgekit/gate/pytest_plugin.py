"""A pytest plugin: release gates inside a test suite. The only importer of pytest.

Every pytest run of everyone who has edgekit installed loads this file. So it imports nothing but
pytest and does nothing until a test asks for one of its fixtures.

    gate(model)                    judge a model file or bundle; the test fails with it
    gate.recorded(benchmark)       judge times that pytest-benchmark recorded
    edgekit_inputs(bundle)         seeded inputs made from a bundle alone
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgekit.budget import Budget
    from edgekit.gate.recorded import Recorded
    from edgekit.gate.report import GateReport
    from edgekit.gate.verdict import Verdict

PROPERTY = "edgekit gate "
"""Start of the names of what a test reports, so that pytest-xdist's controller can show it."""
OPTIONS: tuple[tuple[str, str, Any, Any, str], ...] = (
    ("budget", "FILE", None, str, "limits as TOML; the candidate's own if absent"),
    ("baseline", "FILE", [], "append", "what it must not be worse than; may be given again"),
    ("task", "FILE", None, str, "task file, for limits on accuracy"),
    ("data", "FILE.py[:SPLIT]", None, str, "data for limits on schema, drift and labels"),
    ("device", "URL", [], "append", "where to time or count (local); may be given again"),
    ("policy", "POLICY", "release", ("release", "pull-request"), "what inconclusive means"),
    ("threads", "N", 1, int, "threads of one inference (1)"),
    ("seed", "N", 0, int, "of all that is drawn (0)"),
    ("max-seconds", "S", 60.0, float, "longest time to spend on timing (60)"),
    ("timeout", "S", 300.0, float, "seconds until a silent model has failed (300)"),
    ("reports", "FOLDER", None, str, "write JSON, JUnit, markdown and HTML of each gate there"),
)
Files = str | Path | Sequence[str | Path]


class Overrides(TypedDict, total=False):
    """What a call may say otherwise than the command line."""

    baseline: Files
    task: str | Path | None
    data: str | None
    budget: "str | Path | Mapping[str, Any] | None"
    device: str | Sequence[str]
    policy: str
    threads: int
    seed: int
    max_seconds: float
    timeout: float


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options, named as those of `edgekit gate`."""
    group = parser.getgroup("edgekit", "release gates (edgekit)")
    for name, metavar, default, kind, text in OPTIONS:
        how: dict[str, Any] = {"type": kind}
        if kind == "append":
            how = {"action": "append"}
        elif isinstance(kind, tuple):
            how = {"choices": kind}
        group.addoption(
            f"--edgekit-{name}",
            metavar=metavar,
            default=default,
            help=text,
            dest=_dest(name),
            **how,
        )


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> "Gate":
    """Judge a model: `gate("model.edgekit")` fails the test unless every limit is kept."""
    return Gate(request)


@pytest.fixture
def edgekit_inputs() -> Callable[..., list[Any]]:
    """`edgekit.synthetic.synthetic_inputs`: seeded raw inputs made from a bundle alone."""
    from edgekit.synthetic import synthetic_inputs

    return synthetic_inputs


class Gate:
    """The fixture `gate`."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._node = request.node
        self._defaults = {_key(name): request.config.getoption(_dest(name)) for name, *_ in OPTIONS}
        self._reports = self._defaults.pop("reports")

    def __call__(self, model: str | Path, **overrides: Unpack[Overrides]) -> "GateReport":
        """Judge a release as `edgekit gate` does, while no other process of this user measures.

        Args:
            model: a .edgekit, .onnx or .tflite file.
            overrides: what to take instead of the command line's options.

        Returns:
            The report, where the test does not fail: on FAIL, and on INCONCLUSIVE under the
            policy `release`. Under `pull-request` the summary of the run shows it.
        """
        __tracebackhide__ = True
        wished = self._wished(overrides)
        try:
            report = _judge(Path(model), wished)
            self._write(report)
        except _edgekit_error() as error:
            pytest.fail(f"edgekit: {error}", pytrace=False)
        from edgekit.gate.words import as_text

        text = as_text(report)
        self._told(report.candidate.file, text, failed=report.exit_code != 0)
        return report

    def recorded(
        self,
        recording: Any,
        *,
        benchmark: str | None = None,
        **overrides: Unpack[Overrides],
    ) -> "tuple[Verdict, ...]":
        """Judge the budget's `[latency]` by what pytest-benchmark recorded.

        Args:
            recording: a JSON file of pytest-benchmark, several of them, or its fixture
                `benchmark` after it was called.
            benchmark: name of one, where a file has several.
            overrides: `baseline`, which are JSON files too, `budget` and `policy`.
        """
        __tracebackhide__ = True
        wished = self._wished(overrides)
        try:
            verdicts = _judge_recorded(recording, benchmark, wished, overrides)
        except _edgekit_error() as error:
            pytest.fail(f"edgekit: {error}", pytrace=False)
        from edgekit.gate.verdict import Outcome, overall
        from edgekit.gate.words import HEADLINES, verdict_lines

        outcome = overall(verdicts)
        text = "\n".join([*verdict_lines(verdicts), f"{outcome.value}: {HEADLINES[outcome]}"])
        lenient = wished["policy"] == "pull-request" and outcome is Outcome.INCONCLUSIVE
        self._told("recorded times", text, failed=outcome is not Outcome.PASS and not lenient)
        return verdicts

    def _wished(self, overrides: Overrides) -> dict[str, Any]:
        unknown = set(overrides) - set(self._defaults)
        if unknown:
            known = ", ".join(self._defaults)
            raise TypeError(f"gate() takes no {', '.join(sorted(unknown))}; it takes {known}")
        policy = overrides.get("policy", "release")
        if policy not in ("release", "pull-request"):
            raise TypeError(f"policy={policy!r} is none of 'release', 'pull-request'")
        return self._defaults | dict(overrides)

    def _told(self, what: str, text: str, *, failed: bool) -> None:
        """Keep the sentences for summary and JUnit, and fail with them."""
        __tracebackhide__ = True
        self._node.user_properties.append((f"{PROPERTY}{what}", text))
        if failed:
            pytest.fail(text, pytrace=False)

    def _write(self, report: "GateReport") -> None:
        if self._reports is None:
            return
        from edgekit.gate.outputs import SUFFIXES, write_reports

        folder = Path(self._reports)
        folder.mkdir(parents=True, exist_ok=True)
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", self._node.nodeid).strip("-")
        count = sum(name.startswith(PROPERTY) for name, _ in self._node.user_properties)
        stem += f"-{count + 1}" if count else ""
        write_reports(report, {kind: folder / f"{stem}{end}" for kind, end in SUFFIXES.items()})


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show every verdict in a line, and the sentences of those that are open."""
    reports = [
        report
        for kind in ("passed", "failed", "skipped", "xfailed", "xpassed")
        for report in terminalreporter.getreports(kind)
        if getattr(report, "when", None) == "call"
    ]
    told = [
        (report.nodeid, name.removeprefix(PROPERTY), str(text))
        for report in reports
        for name, text in report.user_properties
        if name.startswith(PROPERTY)
    ]
    asked = terminalreporter.config.getoption(_dest("budget")) is not None
    if not told and not asked:
        return
    terminalreporter.section("edgekit gate")
    for nodeid, what, text in told:
        *lines, last = text.splitlines()
        terminalreporter.line(f"{nodeid}: {what}: {last}")
        for line in lines if last.startswith("INCONCLUSIVE") else ():
            terminalreporter.line(f"  {line}")
    if not told:
        terminalreporter.line("--edgekit-budget was given, and no test called gate()")


def _judge(model: Path, wished: dict[str, Any]) -> "GateReport":
    from edgekit.gate.alone import measuring_alone
    from edgekit.gate.evidence import gather
    from edgekit.gate.judge import judge
    from edgekit.gate.report import make_report
    from edgekit.gate.wanted import LOCAL, Wanted, data_set

    budget = _budget(model, wished["budget"])
    device = wished["device"]
    wanted = Wanted(
        candidate=model,
        baselines=_paths(wished["baseline"]),
        task=Path(wished["task"]) if wished["task"] else None,
        data=data_set(wished["data"]) if wished["data"] else None,
        devices=(device,) if isinstance(device, str) else tuple(device) or (LOCAL,),
        threads=wished["threads"],
        seed=wished["seed"],
        max_s=wished["max_seconds"],
        timeout_s=wished["timeout"],
    )
    with measuring_alone():
        evidence = gather(wanted, budget)
    return make_report(budget, evidence, judge(budget, evidence), wished["policy"])


def _judge_recorded(
    recording: Any, name: str | None, wished: dict[str, Any], overrides: Overrides
) -> "tuple[Verdict, ...]":
    from edgekit.errors import UsageError
    from edgekit.gate.recorded import from_fixture, judge_recorded, read_recorded

    if wished["budget"] is None:
        raise UsageError("recorded times", "there is no budget", "give --edgekit-budget or budget=")
    budget = _budget(Path(), wished["budget"])
    candidates: list[Recorded] = []
    if isinstance(recording, str | Path | list | tuple):
        candidates = [read_recorded(path, name) for path in _paths(recording)]
    elif (found := from_fixture(recording)) is not None:
        candidates, name = [found], name or found.name
    # the command line's baselines are models
    baselines = [read_recorded(path, name) for path in _paths(overrides.get("baseline", ()))]
    return judge_recorded(budget, candidates, baselines)


def _budget(model: Path, given: Any) -> "Budget":
    from collections.abc import Mapping

    from edgekit.gate.budget import budget_for, parse_budget

    if isinstance(given, Mapping):
        return parse_budget(given, "the budget of this call")
    return budget_for(model, Path(given) if given is not None else None)


def _paths(given: Files) -> tuple[Path, ...]:
    return (Path(given),) if isinstance(given, str | Path) else tuple(map(Path, given))


def _edgekit_error() -> type[Exception]:
    from edgekit.errors import EdgekitError

    return EdgekitError


def _dest(name: str) -> str:
    return f"edgekit_{_key(name)}"


def _key(name: str) -> str:
    return name.replace("-", "_")

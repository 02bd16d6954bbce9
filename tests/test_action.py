"""action.yml: its schema, its safety, and its steps run for real as a runner would run them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
ACTION = YAML(typ="safe").load(ROOT / "action.yml")
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


class Runner:
    """A job of GitHub Actions: its folders, its files, and the action's steps one by one."""

    def __init__(self, folder):
        self.folder, self.temp = folder / "workspace", folder / "temp"
        self.output, self.summary = folder / "output", folder / "summary"
        self.folder.mkdir(exist_ok=True)
        self.temp.mkdir(exist_ok=True)

    def run(self, name, **inputs):
        """Run a step as `shell: bash` does; inputs that are absent have their defaults."""
        given = {key: spec.get("default", "") for key, spec in ACTION["inputs"].items()}
        given |= {key.replace("_", "-"): str(value) for key, value in inputs.items()}
        step = STEPS[name]
        self.output.write_text("")
        self.summary.write_text("")
        environment = {
            **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
            **{k: _evaluated(v, given) for k, v in step["env"].items()},
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_SHA": "c0ffee" * 6 + "c0ff",
            "RUNNER_TEMP": str(self.temp),
            "PIP_CONSTRAINT": str(ROOT / "requirements.lock"),
            "EDGEKIT_CACHE": str(self.temp / "cache"),
        }
        script = self.temp / "step.sh"
        script.write_text(step["run"])
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def outputs(self):
        """What a workflow sees of the action."""
        lines = dict(line.split("=", 1) for line in self.output.read_text().splitlines())
        step = re.compile(r"\$\{\{ steps\.gate\.outputs\.([a-z-]+) \}\}")
        names = {key: step.fullmatch(spec["value"])[1] for key, spec in ACTION["outputs"].items()}
        assert set(lines) <= set(names.values())
        return {key: lines.get(name, "") for key, name in names.items()}


def _evaluated(text, inputs):
    """The one kind of expression that the steps' variables use."""
    return EXPRESSION.sub(
        lambda found: inputs[re.fullmatch(r"inputs\.([a-z-]+)", found[1])[1]], text
    )


def check(*arguments):
    command = [sys.executable, "-m", "check_jsonschema", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def zizmor(*files):
    """The auditor of workflows and actions, without its look-ups online."""
    program = Path(sys.executable).with_name("zizmor")
    config = ROOT / ".ci/zizmor.yml"
    return subprocess.run(
        [program, "--offline", "--no-progress", "--config", config, *files],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_it_keeps_the_schema_of_actions():
    done = check("--builtin-schema", "vendor.github-actions", ROOT / "action.yml")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("schema", "name"),
    [
        ("github-workflows", "arm-runner.yml"),
        ("github-workflows", "emulated-arm.yml"),
        ("gitlab-ci", "gitlab-ci.yml"),
    ],
)
def test_the_examples_keep_their_schemas(schema, name):
    done = check("--builtin-schema", f"vendor.{schema}", ROOT / "examples/ci" / name)
    assert done.returncode == 0, done.stdout


def test_the_auditor_finds_nothing_and_finds_what_is_planted(tmp_path):
    done = zizmor(ROOT / "action.yml", *sorted((ROOT / "examples/ci").glob("*-*.yml")))
    assert done.returncode == 0, done.stdout
    planted = (
        (ROOT / "action.yml").read_text().replace('-- "$CANDIDATE"', "${{ inputs.candidate }}")
    )
    (tmp_path / "action.yml").write_text(planted)
    assert "template-injection" in zizmor(tmp_path / "action.yml").stdout


def test_no_input_is_part_of_a_script_and_each_is_used_and_described():
    scripts = "".join(step["run"] for step in STEPS.values())
    assert "${{" not in scripts
    variables = "".join(value for step in STEPS.values() for value in step["env"].values())
    used = {found.removeprefix("inputs.") for found in EXPRESSION.findall(variables)}
    assert used == set(ACTION["inputs"])
    page = (ROOT / "docs/ci.md").read_text("utf8")
    for key in (*ACTION["inputs"], *ACTION["outputs"]):
        assert f"| `{key}` |" in page


def test_the_examples_use_inputs_and_outputs_that_there_are():
    for path in (ROOT / "examples/ci").glob("*-*.yml"):
        text = path.read_text("utf8")
        steps = [
            s for job in YAML(typ="safe").load(text).get("jobs", {}).values() for s in job["steps"]
        ]
        for step in steps:
            if "edgekit@" in step.get("uses", ""):
                assert set(step["with"]) <= set(ACTION["inputs"])
        assert set(re.findall(r"steps\.gate\.outputs\.([a-z-]+)", text)) <= set(ACTION["outputs"])


def test_the_snippets_use_flags_that_there_are():
    import argparse

    from edgekit import cli

    parsers = {name: argparse.ArgumentParser() for name in cli.commands()}
    for name, parser in parsers.items():
        cli.commands()[name].add_arguments(parser)
    seen = 0
    for path in (ROOT / "examples/ci").iterdir():
        text = re.sub(r"\\\n|\n {6}(?=[a-z-])", " ", path.read_text("utf8"))
        for words in re.findall(r"bin/edgekit\"? (gate .*)", text):
            command = "gate history" if words.startswith("gate history") else "gate"
            assert set(re.findall(r"--[a-z-]+", words)) <= set(
                parsers[command]._option_string_actions
            )
            seen += 1
    assert seen >= 5


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A runner on which the first step installed edgekit from the action's own commit."""
    runner = Runner(tmp_path_factory.mktemp("runner"))
    done = runner.run("Install edgekit", python=sys.executable)
    assert done.returncode == 0, done.stderr
    return runner


@pytest.fixture
def job(installed, small_onnx):
    """A workspace with a model, and budgets that it keeps, breaks and leaves open."""
    (installed.folder / "model.onnx").write_bytes(small_onnx.read_bytes())
    for name, text in (
        ("kept", "[size]\nmax_mb = 1\nmax_ratio = 1.0"),
        ("broken", "[size]\nmax_mb = 1e-6"),
        ("open", "[accuracy]\nmin_score = 0.5"),
    ):
        (installed.folder / f"{name}.toml").write_text(text)
    return installed


@pytest.mark.slow
@pytest.mark.parametrize(
    ("budget", "policy", "code", "verdict"),
    [
        ("kept", "release", 0, "PASS"),
        ("broken", "release", 1, "FAIL"),
        ("open", "release", 3, "INCONCLUSIVE"),
        ("open", "pull-request", 0, "INCONCLUSIVE"),
    ],
)
def test_the_gate_step_gives_verdict_reports_summary_and_exit_code(
    job, budget, policy, code, verdict
):
    done = job.run(
        "Gate", candidate="model.onnx", budget=f"{budget}.toml", policy=policy, max_seconds=0.1,
        baseline="model.onnx\n\nmodel.onnx\n", history="history.jsonl",
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    outputs = job.outputs()
    assert (outputs["verdict"], outputs["exit-code"]) == (verdict, str(code))
    report = json.loads(Path(outputs["json"]).read_text())
    assert report["outcome"] == verdict
    assert report["commit"].startswith("c0ffee")
    assert len(report["baselines"]) == 2
    assert ElementTree.parse(outputs["junit"]).getroot().tag == "testsuites"
    assert Path(outputs["html"]).read_text().startswith("<!doctype html>")
    assert job.summary.read_text() == Path(outputs["markdown"]).read_text()
    kinds = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 1}
    assert len(re.findall("^::(?:error|warning) ", done.stdout, re.MULTILINE)) == kinds[verdict]
    assert (job.folder / "history.jsonl").read_text().count(verdict)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "hostile"),
    [
        ("candidate", '"; touch hacked; "'),
        ("candidate", "--help"),
        ("candidate", "history"),
        ("candidate", "$(touch hacked)"),
        ("baseline", "`touch hacked`"),
        ("budget", "--json"),
        ("reports", "$(touch hacked)"),
        ("reports", "x\nverdict=PASS"),
    ],
)
def test_no_input_runs_anything_or_makes_outputs_of_its_own(job, key, hostile):
    given = {"candidate": "model.onnx", "budget": "kept.toml", "max_seconds": 0.1} | {key: hostile}
    done = job.run("Gate", **given)
    assert not (job.folder / "hacked").exists()
    if hostile == "$(touch hacked)" and key == "reports":
        assert Path(job.outputs()["json"]) == Path(hostile, "gate.json")
    else:
        assert done.returncode == 2, done.stdout
        assert job.outputs()["verdict"] in ("ERROR", "")


@pytest.mark.slow
def test_a_gate_that_ends_in_an_error_leaves_no_report_of_the_gate_before(job):
    assert job.run("Gate", candidate="model.onnx", budget="broken.toml").returncode == 1
    before = Path(job.outputs()["json"])
    assert job.run("Gate", candidate="missing.onnx", budget="kept.toml").returncode == 2
    assert job.outputs() == dict.fromkeys(ACTION["outputs"], "") | {
        "verdict": "ERROR", "exit-code": "2",
    }  # fmt: skip
    assert not before.exists()

"""What a gate gathers, made up: no clock, no process, no model."""

from recordings import measured, record

from edgekit.gate.budget import parse_budget
from edgekit.gate.counted import InstructionFigures, SideCounts
from edgekit.gate.evidence import CRASHED, Evidence
from edgekit.gate.judge import judge
from edgekit.gate.report import make_report
from edgekit.gate.scored import Accuracy, Against
from edgekit.gate.subject import Subject
from edgekit.measure.accuracy import Drop
from edgekit.measure.devices.measurement import Counts
from edgekit.measure.estimate import Estimate

BEFORE = Subject("before.edgekit", "onnxruntime", "a" * 64, "a" * 64, 4_000_000, 4_100_000,
                 "ocr", "1.0", "cortex-a76", "fp32", "f" * 64)  # fmt: skip
AFTER = Subject("after.edgekit", "onnxruntime", "b" * 64, "b" * 64, 1_000_000, 1_100_000,
                "ocr", "1.1", "cortex-a76", "int8", "f" * 64)  # fmt: skip


def drop(point=0.004, spread=0.003, **changes):
    fields = {
        "point": point, "low": point - 1.2 * spread, "high": point + 1.2 * spread,
        "lower": point - spread, "upper": point + spread, "agreement": 0.97, "samples": 500,
        "groups": 25, "method": "bootstrap over groups, 1000 resamples", "samples_to_settle": None,
    }  # fmt: skip
    return Drop(**(fields | changes))


MISSING = {
    "timing": "nothing was timed",
    "instructions": "instructions are counted on an emulated Arm CPU",
    "accuracy": "nothing to score with: give --task",
}


def accuracy(dropped=None, **changes):
    against = Against(
        score=0.954,
        drop=dropped or drop(),
        agreement=Estimate(0.97, 0.95, 0.985, 0.955, 0.98, "bootstrap over groups"),
    )
    fields = {
        "task": "task.py",
        "score": Estimate(0.95, 0.93, 0.97, 0.935, 0.965, "bootstrap over groups, 1000 resamples"),
        "against": (against,),
    }
    return Accuracy(**(fields | changes))


def evidence(slower=1.0, dropped=None, **changes):
    fields = {
        "candidate": AFTER, "baselines": (BEFORE,), "accuracy": accuracy(dropped),
        "timing": measured(record(slower)), "missing": MISSING,
    }  # fmt: skip
    return Evidence(**(fields | changes))


def counts(ratio=1.0, device="arm://cortex-a76", baselines=1, floor=0.001):
    def side(instructions):
        return SideCounts(instructions, Counts(instructions, 10, 5), True)

    millions = [10_000_000] * baselines
    return InstructionFigures(
        device, "3 given inputs", side(round(1e7 * ratio)), tuple(map(side, millions)), floor,
        {"qemu": "7.2"},
    )  # fmt: skip


def crashed(words):
    return Evidence(AFTER, (BEFORE,), crash=words, missing=dict.fromkeys(MISSING, CRASHED))


LIMITS = {
    "accuracy": {"max_drop": 0.01, "min_agreement": 0.9},
    "latency": {"max_ratio": 1.05, "p99_ms": 40.0},
    "instructions": {"max_ratio": 1.01, "max_millions": 5.0},
    "size": {"max_mb": 2, "max_ratio": 1.0},
}


def report_of(found):
    budget = parse_budget(LIMITS, "budget")
    return make_report(budget, found, judge(budget, found))

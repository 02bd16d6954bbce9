"""Further metrics of a task: `metrics = {"recall": function}` in its file.

Each function takes predictions and labels, like `score`, and returns 0 to 1, higher is better.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from edgekit.errors import TaskError
from edgekit.measure.accuracy import Predictions
from edgekit.task import Task


@dataclass(frozen=True)
class Metric:
    """One of them; see `Scorer`."""

    name: str
    thing: str
    function: Callable[[list[Any], list[Any]], Any]

    def score(self, predictions: list[Any], labels: list[Any]) -> float:
        """Its value.

        Raises:
            TaskError: it fails, or is no number from 0 to 1.
        """
        try:
            value = float(self.function(predictions, labels))
        except Exception as error:
            problem = f"metric {self.name!r} raised {type(error).__name__}: {error}"
            raise TaskError(self.thing, problem, "fix its function") from error
        if math.isnan(value) or not 0 <= value <= 1:
            problem = f"metric {self.name!r} is {value}, expected a number from 0 to 1"
            raise TaskError(self.thing, problem, "return one where higher is better")
        return value

    def scored(self, answers: Predictions) -> Predictions:
        """The same answers with this metric as their score."""
        return replace(answers, score=self.score(answers.predictions, answers.labels))


def task_metrics(task: Task) -> tuple[Metric, ...]:
    """The metrics of a task; most have none.

    Raises:
        TaskError: `metrics` is no mapping of names to functions.
    """
    named = getattr(task.module, "metrics", {})
    if not isinstance(named, Mapping) or not all(
        isinstance(name, str) and callable(function) for name, function in named.items()
    ):
        problem = f"metrics is {type(named).__name__}, expected names and functions"
        raise TaskError(task.thing, problem, 'write metrics = {"recall": recall}')
    return tuple(Metric(name, task.thing, function) for name, function in named.items())

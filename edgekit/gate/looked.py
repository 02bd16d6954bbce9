"""Look at data through the candidate: schema, drift, labels; only where a budget asks."""

from dataclasses import dataclass

from msgspec.structs import replace

from edgekit.budget import Budget, DriftBudget, LabelsBudget, SchemaBudget
from edgekit.errors import UsageError
from edgekit.gate.wanted import EVALUATION, Wanted
from edgekit.measure.contained import contained_model
from edgekit.measure.dataset import DataFigures, Look, Use, answers_of, look_at_data, use_of
from edgekit.measure.labels import SHOWN, LabelFigures, disagreements, why_not_compared
from edgekit.task import Task, load_data


def asks_for_data(budget: Budget) -> bool:
    """Whether a budget limits something about data."""
    found = (budget.schema, budget.drift, budget.labels)
    return found != (SchemaBudget(), DriftBudget(), LabelsBudget())


@dataclass(frozen=True)
class Source:
    """Data to look at: a split of a file, and the tasks that may say how to predict on it."""

    data: Task
    split: str
    tasks: tuple[Task, ...]


def source_of(wanted: Wanted, budget: Budget, task: Task | None) -> Source | None:
    """The data that is wanted, else the task's evaluation split; None where no limit asks.

    Raises:
        TaskError: the file breaks its promise.
        UsageError: data was given that no limit asks for.
    """
    if not asks_for_data(budget):
        if wanted.data is not None:
            problem = "no limit of the budget is about data"
            way_out = "add [schema], [drift] or [labels] to the budget, or leave --data out"
            raise UsageError(f"data {str(wanted.data.path)!r}", problem, way_out)
        return None
    if wanted.data is not None:
        data = load_data(wanted.data.path)
        return Source(data, wanted.data.split, (data,) if task is None else (data, task))
    return Source(task, EVALUATION, (task,)) if task is not None else None


def look(wanted: Wanted, budget: Budget, source: Source) -> DataFigures:
    """Look at data through the candidate, and for labels through the first baseline.

    Raises:
        BundleError: the candidate is damaged.
        CrashError: a model ended or hung the process that ran it.
        TaskError: the data or the task break their promise.
    """
    use = use_of(wanted.candidate, source.tasks)
    with contained_model(wanted.candidate, timeout_s=wanted.timeout_s) as model:
        figures, seen = look_at_data(source.data, source.split, use, model.inputs, model.run)
    if budget.labels.max_disagreement_share is None or figures.labels is None:
        return figures
    return replace(figures, labels=_compared(wanted, source, use, seen, figures.labels))


def _compared(
    wanted: Wanted, source: Source, use: Use, seen: Look, found: LabelFigures
) -> LabelFigures:
    """With the answers of the first baseline, or of the candidate where there is none."""
    answers, file = seen.answers, wanted.candidate
    if wanted.baselines:
        file = wanted.baselines[0]
        asked = use_of(file, source.tasks)
        with contained_model(file, timeout_s=wanted.timeout_s) as model:
            answers = answers_of(source.data, source.split, asked, model.run, set(seen.answers))
    labels = dict(enumerate(seen.labelled.labels))
    why = why_not_compared(labels, answers)
    if why is not None:
        return replace(found, not_compared=why)
    differ = disagreements(labels, answers, use.names)
    return replace(
        found,
        compared=len(answers),
        disagreements=len(differ),
        disagreeing=tuple(differ[:SHOWN]),
        answered_by=file.name,
    )

"""A budget file: TOML → `budget.Budget`, with nothing unknown and nothing impossible in it."""

import difflib
import math
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from edgekit.budget import Budget, MetricBudget
from edgekit.errors import BudgetError, StorageError, UsageError
from edgekit.gate.subject import budget_of

METRICS = "metrics"
TABLES: dict[str, tuple[str, ...]] = {
    table.name: tuple(field.name for field in msgspec.structs.fields(table.type))
    for table in msgspec.structs.fields(Budget)
    if table.name != METRICS
}
"""Every table of a budget and its keys, but the tables [metrics.NAME]."""

METRIC_KEYS = tuple(field.name for field in msgspec.structs.fields(MetricBudget))
METRIC_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")


def load_budget(path: Path) -> Budget:
    """Read a budget file.

    Raises:
        BudgetError: it is not TOML, names an unknown table or key, sets a limit that nothing can
            meet, or sets no limit at all.
        StorageError: it cannot be read.
    """
    thing = f"budget {str(path)!r}"
    try:
        tables = tomllib.loads(path.read_text("utf8"))
    except OSError as error:
        problem = f"it cannot be read ({error.strerror})"
        raise StorageError(thing, problem, "check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BudgetError(thing, f"it is not TOML: {error}", "correct the line") from error
    return parse_budget(tables, thing)


def budget_for(candidate: Path, given: Path | None) -> Budget:
    """The budget of a file that was given, else the one that the candidate carries.

    Raises:
        BudgetError: as for `load_budget`.
        UsageError: there is none.
    """
    if given is not None:
        return load_budget(given)
    budget = budget_of(candidate)
    if not limits(budget):
        problem = "it carries no budget and none was given"
        raise UsageError(f"candidate {str(candidate)!r}", problem, "give --budget FILE")
    return budget


def parse_budget(tables: Mapping[str, Any], thing: str) -> Budget:
    """Check the tables of a budget.

    Args:
        tables: limits by table and key.
        thing: what to call the budget in an error.

    Raises:
        BudgetError: as for `load_budget`.
    """
    for name, table in tables.items():
        _check_known(f"{thing}, table [{name}]", "table", name, (*TABLES, METRICS))
        if name == METRICS and isinstance(table, Mapping):
            for metric, metric_limits in table.items():
                _check_metric_name(thing, metric)
                _check_table(thing, f"{METRICS}.{metric}", metric_limits, METRIC_KEYS)
        else:
            _check_table(thing, name, table, TABLES.get(name, ()))
    budget = _convert(tables, thing)
    if not limits(budget):
        raise BudgetError(thing, "it sets no limit", "set one, such as [latency] max_ratio = 1.05")
    return budget


def limits(budget: Budget) -> dict[str, float | str]:
    """The limits that a budget sets, by `table.key` or `metrics.name.key`, metrics last."""
    tables = {table: (getattr(budget, table), keys) for table, keys in TABLES.items()}
    tables |= {f"{METRICS}.{name}": (each, METRIC_KEYS) for name, each in budget.metrics.items()}
    return {
        f"{table}.{key}": value
        for table, (found, keys) in tables.items()
        for key in keys
        if (value := getattr(found, key)) is not None
    }


def _check_table(thing: str, name: str, table: object, known: tuple[str, ...]) -> None:
    if not isinstance(table, Mapping):
        problem = f"it is {table!r}, expected a table of limits"
        raise BudgetError(f"{thing}, key {name!r}", problem, f"write [{name}] above the limits")
    for key, value in table.items():
        where = f"{thing}, [{name}] {key}"
        _check_known(where, "key", key, known)
        _check_finite(where, value)


def _check_metric_name(thing: str, name: str) -> None:
    if not METRIC_NAME.fullmatch(name):
        problem = "a metric's name has letters, digits, dashes and underscores"
        raise BudgetError(f"{thing}, [{METRICS}.{name!r}]", problem, "rename it in task and budget")


def _check_known(where: str, kind: str, name: str, known: tuple[str, ...]) -> None:
    if name in known:
        return
    close = difflib.get_close_matches(name, known, 1, cutoff=0.4)
    way_out = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    raise BudgetError(where, f"there is no {kind} {name!r}", way_out)


def _check_finite(where: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise BudgetError(where, f"{value} is no limit", "write a number, or leave the key out")


def _convert(tables: Mapping[str, Any], thing: str) -> Budget:
    try:
        return msgspec.convert(tables, Budget)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        table, _, key = place.rstrip("`").rpartition(".")
        way_out = "limits are numbers without units; the unit is in the key's name"
        raise BudgetError(f"{thing}, [{table}] {key}", text, way_out) from error

"""A file of models → the searches it asks for, all checked before the first one starts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from edgekit.cli.settings import nearest, read
from edgekit.errors import StorageError, UsageError
from edgekit_converters.search.effort import CPU_S

MODELS, DEFAULTS = "model", "defaults"


class Wish(Struct, frozen=True):
    """What a `[[model]]` and `[defaults]` say together; names and units as in the file.

    Attributes:
        model: the trained model, relative to the file.
        task: its task file, likewise.
        name: of its bundles; the model file's name if empty.
        targets: what to make it for.
        max_drop: budgets of the drop, 0 to 1: one search for each.
        max_ratio: of the cost over that of the model that came; None for no limit.
        max_mb: of the model file, likewise.
        certify: ask max_drop of the 95 % bound.
        device: where cost is measured; None to choose.
        version: of the bundles.
        seed: of every random choice.
        cpu_seconds: that each search may take.
        memory: that one search may take.
    """

    model: str
    task: str
    name: str = ""
    targets: tuple[str, ...] = ("host",)
    max_drop: float | tuple[float, ...] = 0.01
    max_ratio: float | None = None
    max_mb: float | None = None
    certify: bool = False
    device: str | None = None
    version: str = "1"
    seed: int = 0
    cpu_seconds: float = CPU_S
    memory: str = "1GB"


KEYS = tuple(field.name for field in msgspec.structs.fields(Wish))


class Job(Struct, frozen=True):
    """One search.

    Attributes:
        name: of its folder and of its row: `kws.cortex-a76.0.01`.
        wish: what was asked for, with absolute paths.
        target: one of its targets.
        max_drop: one of its budgets.
    """

    name: str
    wish: Wish
    target: str
    max_drop: float

    @property
    def stem(self) -> str:
        """What its files are called, without a suffix."""
        from edgekit_converters.packing.publish import identify

        return identify(self.wish.name, self.wish.version).stem

    def arguments(self, out: Path) -> list[str]:
        """Of `edgekit optimize`."""
        wish = self.wish
        given = {
            "--task": wish.task, "--target": self.target, "--max-drop": f"{self.max_drop!r}",
            "--name": wish.name, "--version": wish.version, "--seed": f"{wish.seed}",
            "--cpu-seconds": f"{wish.cpu_seconds!r}", "--memory": wish.memory, "--out": str(out),
        }  # fmt: skip
        given |= {"--device": wish.device} if wish.device else {}
        flags = ["--json", *(["--certify"] if wish.certify else [])]
        return [wish.model, *(word for pair in given.items() for word in pair), *flags]


def read_plan(path: Path) -> list[Job]:
    """Every search that a file asks for, in its order.

    Raises:
        UsageError: it is not TOML, has an unknown table or key or a value of another kind, asks for
            nothing or for the same search twice.
        TargetError: a target is unknown.
        StorageError: it cannot be read, or a model or task is not there.
    """
    thing = f"sweep {str(path)!r}"
    tables = read(path)
    wishes = [_wish(path.parent, where, entry) for where, entry in _entries(tables, thing)]
    jobs = [job for where, wish in wishes for job in _jobs(where, wish)]
    seen: set[str] = set()
    for job in jobs:
        if job.name in seen:
            problem = f"it asks twice for {job.name}"
            raise UsageError(thing, problem, "give one of the models another name")
        seen.add(job.name)
    return jobs


def _entries(tables: Mapping[str, Any], thing: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each model with what it does not say itself from the defaults."""
    _refuse_unknown(tables, (MODELS, DEFAULTS), thing, "table")
    defaults, models = tables.get(DEFAULTS, {}), tables.get(MODELS)
    if not isinstance(models, list) or not all(isinstance(each, dict) for each in models):
        raise UsageError(thing, "it has no list of models", "write [[model]] above each model")
    if not isinstance(defaults, dict):
        raise UsageError(thing, "defaults is no table", "write [defaults]")
    _refuse_unknown(defaults, KEYS, f"{thing}, [defaults]", "key")
    for number, model in enumerate(models, 1):
        where = f"{thing}, [[model]] {number}"
        _refuse_unknown(model, KEYS, where, "key")
        yield where, {**defaults, **model}


def _refuse_unknown(table: Mapping[str, Any], known: Sequence[str], where: str, kind: str) -> None:
    for name in table:
        if name not in known:
            raise UsageError(where, f"unknown {kind} {name!r}", nearest(name, list(known)))


def _wish(folder: Path, where: str, entry: dict[str, Any]) -> tuple[str, Wish]:
    from edgekit_converters.packing.publish import identify

    try:
        wish = msgspec.convert(entry, Wish)
    except msgspec.ValidationError as error:
        way_out = f"the keys are {', '.join(KEYS)}; docs/sweep.md says what they take"
        raise UsageError(where, str(error).lower(), way_out) from error
    model, task = (_file(folder / each, where) for each in (wish.model, wish.task))
    name = identify(wish.name or model.stem, wish.version).name
    return where, msgspec.structs.replace(wish, model=str(model), task=str(task), name=name)


def _file(path: Path, where: str) -> Path:
    if not path.is_file():
        problem = f"there is no file {str(path)!r}"
        raise StorageError(where, problem, "paths are relative to the sweep's file")
    return path.resolve()


def _jobs(where: str, wish: Wish) -> Iterator[Job]:
    from edgekit_converters.search.goal import Goal
    from edgekit_converters.targets import load_target

    drops = wish.max_drop if isinstance(wish.max_drop, tuple) else (wish.max_drop,)
    if not drops or not wish.targets:
        problem = "it names no target or no max_drop"
        raise UsageError(where, problem, "name one of each at least, or leave the key out")
    for limit in (wish.max_ratio, wish.max_mb, wish.cpu_seconds):
        if limit is not None and not limit >= 0:
            raise UsageError(where, f"a limit is {limit:g}", "limits are zero or more")
    for target in wish.targets:
        load_target(target)
        for drop in drops:
            Goal(drop, wish.certify)
            yield Job(f"{wish.name}.{target}.{drop:g}", wish, target, drop)

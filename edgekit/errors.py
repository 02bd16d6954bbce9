"""One tree of errors. Each names the thing, the value and the way out, and carries an exit code.

    EdgekitError             2
    ├── UsageError           2   a flag, a setting or a configuration file is wrong
    ├── BundleError          2   a bundle is damaged, hostile or of an unknown schema
    ├── InputError           2   a raw input or tensor is not what the manifest says
    ├── ModelError           2   a trained model cannot be read, rewritten or run
    │   └── CrashError       2   a model ended or hung the process that ran it
    ├── TaskError            2   a task file does not keep its promise
    ├── TargetError          2   an unknown target, or one that cannot be measured here
    ├── BudgetError          2   a budget file is malformed or impossible
    ├── DeviceError          2   a device cannot be reached or does not answer
    ├── StorageError         2   a file or folder cannot be read or written
    ├── MissingExtraError    2   a package that an extra would install is not there
    ├── ProvenanceError      4   a signature or its origin is refused
    └── InternalError        5   edgekit broke its own promise: a bug

Exit code 1 (budget violated) and 3 (inconclusive) are verdicts, not errors.
"""


class EdgekitError(Exception):
    """Base of every error that edgekit raises on purpose.

    Args:
        thing: what is wrong, named: `bundle 'kws.edgekit'`.
        problem: what was found and what was expected, with the values.
        way_out: what the reader can do about it.
    """

    exit_code = 2

    def __init__(self, thing: str, problem: str, way_out: str) -> None:
        super().__init__(f"{thing}: {problem}; {way_out}")
        self.thing = thing
        self.problem = problem
        self.way_out = way_out

    def __reduce__(self) -> tuple[type["EdgekitError"], tuple[str, str, str]]:
        """Pickle by the three parts, so that errors cross process borders."""
        return type(self), (self.thing, self.problem, self.way_out)


class UsageError(EdgekitError):
    """A flag, a setting or a configuration file is wrong."""


class BundleError(EdgekitError):
    """A bundle is damaged, hostile or of an unknown schema."""


class InputError(EdgekitError):
    """A raw input or tensor is not what the manifest says."""


class ModelError(EdgekitError):
    """A trained model cannot be read, rewritten or run."""


class CrashError(ModelError):
    """A model ended or hung the process that ran it."""


class TaskError(EdgekitError):
    """A task file does not keep its promise."""


class TargetError(EdgekitError):
    """An unknown target, or one that cannot be measured here."""


class BudgetError(EdgekitError):
    """A budget file is malformed or impossible."""


class DeviceError(EdgekitError):
    """A device cannot be reached or does not answer."""


class StorageError(EdgekitError):
    """A file or folder cannot be read or written."""


class MissingExtraError(EdgekitError):
    """A package that an extra would install is not there."""


class ProvenanceError(EdgekitError):
    """A signature or its origin is refused."""

    exit_code = 4


class InternalError(EdgekitError):
    """The toolkit broke its own promise: a bug."""

    exit_code = 5

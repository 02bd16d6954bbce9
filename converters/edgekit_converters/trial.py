"""A first sample in a process of its own: a model that ends its process ends that one."""

from pathlib import Path

from edgekit.errors import CrashError, EdgekitError
from edgekit.measure.contained import contained_model
from edgekit.task import Task

WAY_OUT = "run it alone with onnxruntime to see why, and export it without what ends it"


def try_out(path: Path, task: Task) -> None:
    """Load a model file and predict one calibration sample with it, where a crash does no harm.

    Whatever else goes wrong is left to who reads model and task next: it is said better there.

    Raises:
        CrashError: the process ended or hung over it.
    """
    try:
        with contained_model(path) as model:
            sample, _label, _group = next(iter(task.samples("calibration")))
            task.predict(model.run, sample)
    except CrashError as error:
        raise CrashError(error.thing, error.problem, WAY_OUT) from error
    except EdgekitError:
        return

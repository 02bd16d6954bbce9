"""`edgekit init MODEL`: write a task file and settings to start from."""

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from edgekit.manifest import Tensor
    from edgekit_converters.contained.risks import Risks
    from edgekit_converters.progress import Progress

    Tensors: TypeAlias = tuple[Tensor, ...]

HELP = "write a commented edgekit.toml and task.py for a model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("model", type=Path, help="a trained .onnx or .tflite model")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the files (here)")


def run(args: argparse.Namespace) -> int:
    """Run it; returns the exit code."""
    from edgekit_converters.contained.parent import contained
    from edgekit_converters.folders import own_folder, work_folder
    from edgekit_converters.progress import Silent

    with own_folder(work_folder(), "init-") as work:
        inputs, outputs = contained(partial(ends, args.model), args.model, work, Silent())
    texts = {
        "task.py": task_text(inputs, outputs),
        "edgekit.toml": settings_text(),
    }
    for path in write_new(args.out, texts):
        print(f"wrote {path}")
    print(f"next: fill in task.py, then run: edgekit optimize {args.model}")
    return 0


def ends(model: Path, risks: "Risks", progress: "Progress") -> "tuple[Tensors, Tensors]":
    """A model's inputs and outputs, in a process of its own.

    Raises:
        EdgekitError: it cannot be read.
    """
    from edgekit_converters.importers import read_model

    source = read_model(model)
    return source.inputs, source.outputs


def write_new(folder: Path, texts: dict[str, str]) -> list[Path]:
    """Write files that are not there yet, all of them or none.

    Raises:
        UsageError: one of them is there.
        StorageError: the folder cannot be written.
    """
    from edgekit.errors import UsageError
    from edgekit_converters.packing.publish import publishing

    for name in texts:
        if (folder / name).exists():
            problem = "it exists already and is not overwritten"
            raise UsageError(f"file {str(folder / name)!r}", problem, "move it, or choose --out")
    with publishing(folder) as staging:
        for name, text in texts.items():
            (staging / name).write_text(text, "utf8")
    return [folder / name for name in texts]


def settings_text() -> str:
    """An `edgekit.toml` with every setting of `edgekit optimize`."""
    return SETTINGS


def task_text(inputs: "Tensors", outputs: "Tensors") -> str:
    """A `task.py` whose feeds have the model's names, dtypes and shapes."""
    return TASK.format(
        inputs="\n".join(f"#   {_described(each)}" for each in inputs),
        outputs="\n".join(f"#   {_described(each)}" for each in outputs),
        feeds="".join(f"        {each.name!r}: {_blank(each)},\n" for each in inputs),
        answer=_answer(outputs[0]),
    )


def _described(tensor: "Tensor") -> str:
    return f"{tensor.name}: {tensor.dtype} [{', '.join(map(str, tensor.shape))}]"


def _blank(tensor: "Tensor") -> str:
    sizes = [size if isinstance(size, int) else 1 for size in tensor.shape]
    dtype = "str" if tensor.dtype == "string" else f"np.{tensor.dtype}"
    return f"np.zeros({sizes}, {dtype})"


def _answer(output: "Tensor") -> str:
    """What a first guess returns: the best class, the label, or all of it."""
    is_row = len(output.shape) <= 2
    is_number = output.dtype not in ("bool", "string")
    if is_number and len(output.shape) == 2 and output.shape[1] != 1:
        return f"int(outputs[{output.name!r}].argmax())"
    if is_row:
        return f"outputs[{output.name!r}].ravel().tolist()[0]"
    return f"outputs[{output.name!r}]  # make of it what a label is: a class, a box, a text"


SETTINGS = """\
# Settings of edgekit; a flag on the command line wins. One table for each command.

[optimize]
task = "task.py"
target = "host"         # what the model is made for; host is this machine
max-drop = 0.01         # of score(), 0 to 1: one point
certify = false         # true: ask it of the 95 % bound, which needs more samples
out = "out"             # bundles, evidence and report go there
version = "1"
seed = 0
"""

TASK = '''\
"""What the model is for. docs/writing-a-task.md explains each part."""

import numpy as np

# The model's inputs and outputs; a name in place of a size means that it may vary.
{inputs}
# →
{outputs}


def samples(split):
    """Yield (input, label, group) for "calibration" or "evaluation".

    `group` is what varies as one: a speaker, a font, a device. The splits share no group.
    Calibration finds ranges (50 to 200 samples); evaluation judges (the more, the surer).
    """
    raise FileNotFoundError("read your labelled data here")


def predict(run, input):
    """One prediction. Make the model's inputs as they were made in training."""
    feeds = {{
{feeds}    }}
    outputs = run(feeds)
    return {answer}


def score(predictions, labels):
    """0 to 1, higher is better."""
    return float(np.mean([p == y for p, y in zip(predictions, labels, strict=True)]))
'''

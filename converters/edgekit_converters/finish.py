"""What onnxruntime would do at every load, done once: the form that is shipped.

Its highest level fuses operators and lays weights out in blocks for one kind of CPU. So it is done
only where the model is made on its target; the file says so, and another machine refuses it.
"""

import re
import tempfile
from pathlib import Path

import onnx
from onnx import ModelProto

from edgekit.engines import first_line
from edgekit.engines.onnxfile import LAYOUT, OPTIMIZED, this_layout
from edgekit.errors import ModelError
from edgekit_converters.graph import all_graphs
from edgekit_converters.passes.offline_optimization import without_unused_domains

BLOCKED = "com.microsoft.nchwc"
COUNTED = re.compile(r"_token_\d+$")
"""Names that onnxruntime counts up in no fixed order."""


def finished(content: bytes) -> bytes:
    """A model as onnxruntime runs it on this machine; the same model gives the same bytes.

    Args:
        content: an .onnx file.

    Raises:
        ModelError: onnxruntime cannot load it, or cannot write what it made of it.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory(prefix="edgekit-") as folder:
        path = Path(folder) / "finished.onnx"
        options.optimized_model_filepath = str(path)
        try:
            onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
            model = without_unused_domains(onnx.load(path))
        except Exception as error:  # onnxruntime's own errors share no base class but this
            problem = f"onnxruntime cannot load it: {first_line(error)}"
            raise ModelError("the model", problem, "this recipe is not for this model") from error
    steady_names(model)
    about = {entry.key: entry.value for entry in model.metadata_props}
    about |= {OPTIMIZED: f"onnxruntime {onnxruntime.__version__}"}
    if any(node.domain == BLOCKED for graph in all_graphs(model.graph) for node in graph.node):
        about[LAYOUT] = this_layout()
    onnx.helper.set_model_props(model, about)
    return model.SerializeToString(deterministic=True)


def steady_names(model: ModelProto) -> None:
    """Name operators after what they write where onnxruntime counted."""
    for graph in all_graphs(model.graph):
        for node in graph.node:
            if COUNTED.search(node.name):
                node.name = f"{node.op_type} of {node.output[0]}"

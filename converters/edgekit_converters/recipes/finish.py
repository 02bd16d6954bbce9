"""What onnxruntime would do at every load, done once: the form that is shipped.

Its highest level fuses operators and lays weights out in blocks for one kind of CPU. So blocks are
made only where the model is made on its target; the file says so, and another machine refuses it.
For an Arm made elsewhere everything else is done: counted on cortex-a76, instructions of inference
stayed the same within 0.1 %, for int8 too, while without its channels-last form they rose by 12 %.
For an x86 made elsewhere the fusions are done and the layout is left to the load: what onnxruntime
writes at that level was the same, bit for bit, with AVX-512 and on an emulated Haswell.
"""

import platform
import re
from typing import Literal, TypeAlias

import onnx
from onnx import ModelProto, TensorProto

from edgekit.engines import first_line
from edgekit.engines.onnxfile import LAYOUT, OPTIMIZED, this_layout
from edgekit.errors import ModelError
from edgekit_converters.graph import all_graphs
from edgekit_converters.passes.offline_optimization import without_unused_domains
from edgekit_converters.rewritten import rewritten

BLOCKED = "com.microsoft.nchwc"
COUNTED = re.compile(r"_token_\d+$")
"""Names that onnxruntime counts up in no fixed order."""


Elsewhere: TypeAlias = Literal["aarch64", "x86_64"]
"""Kinds of machines that models can be finished for on another one."""


def finished(content: bytes, elsewhere: Elsewhere | None = None) -> bytes:
    """A model as onnxruntime runs it on this machine; the same model gives the same bytes.

    Args:
        content: an .onnx file.
        elsewhere: as it runs it on any machine of this kind instead. Models that compute in fp16
            are left as they are: a CPU without such kernels would write conversions into them.

    Raises:
        ModelError: onnxruntime cannot load it, or cannot write what it made of it.
    """
    import onnxruntime

    if elsewhere and _computes_in_half(ModelProto.FromString(content)):
        return content
    if elsewhere == "x86_64" and platform.machine() != "x86_64":
        return content  # what an Arm fuses in s8 an x86 cannot turn into u8 any more
    level, options = onnxruntime.GraphOptimizationLevel, onnxruntime.SessionOptions()
    options.graph_optimization_level = level.ORT_ENABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    if elsewhere == "x86_64":
        options.graph_optimization_level = level.ORT_ENABLE_EXTENDED
    if elsewhere == "aarch64":  # on x86 signed activations would become unsigned
        options.add_session_config_entry("session.qdqisint8allowed", "1")
    try:
        disabled = ["NchwcTransformer"] if elsewhere else None
        model = without_unused_domains(rewritten(content, options, disabled))
    except Exception as error:  # onnxruntime's own errors share no base class but this
        problem = f"onnxruntime cannot load it: {first_line(error)}"
        raise ModelError("the model", problem, "this recipe is not for this model") from error
    steady_names(model)
    about = {entry.key: entry.value for entry in model.metadata_props}
    if elsewhere != "x86_64":  # there the layout is still to be made
        about |= {OPTIMIZED: f"onnxruntime {onnxruntime.__version__}"}
    if any(node.domain == BLOCKED for graph in all_graphs(model.graph) for node in graph.node):
        about[LAYOUT] = this_layout()
    onnx.helper.set_model_props(model, about)
    return model.SerializeToString(deterministic=True)


def _computes_in_half(model: ModelProto) -> bool:
    """Whether a stored value or an inferred one between operators is float16."""
    whole = onnx.shape_inference.infer_shapes(model)
    return TensorProto.FLOAT16 in {
        kind
        for graph in all_graphs(whole.graph)
        for kind in (
            *(each.data_type for each in graph.initializer),
            *(each.type.tensor_type.elem_type for each in graph.value_info),
        )
    }


def steady_names(model: ModelProto) -> None:
    """Name operators after what they write where onnxruntime counted."""
    for graph in all_graphs(model.graph):
        for node in graph.node:
            if COUNTED.search(node.name):
                node.name = f"{node.op_type} of {node.output[0]}"

"""What onnxruntime would do at every load and that holds on any CPU, done once and stored."""

from dataclasses import dataclass

from onnx import ModelProto

from edgekit_converters.graph import DEFAULT_DOMAIN, all_graphs
from edgekit_converters.rewritten import rewritten


@dataclass(frozen=True)
class OfflineOptimization:
    """Constant folding, batch norm into convolution, common subexpressions: the basic level.

    The levels above it write operators that quantizers do not know, and layouts of one CPU.
    """

    name: str = "offline-optimization"
    tolerance: float = 1e-4

    def unneeded(self, model: ModelProto) -> str | None:
        """Always worth a look."""
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """By the runtime itself."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.log_severity_level = 3
        return without_unused_domains(rewritten(model.SerializeToString(), options))


def without_unused_domains(model: ModelProto) -> ModelProto:
    """Drop the operator sets that onnxruntime lists though no node uses them."""
    used = {node.domain for graph in all_graphs(model.graph) for node in graph.node}
    used |= {node.domain for function in model.functions for node in function.node}
    for index in reversed(range(len(model.opset_import))):
        domain = model.opset_import[index].domain
        if domain not in DEFAULT_DOMAIN and domain not in used:
            del model.opset_import[index]
    return model

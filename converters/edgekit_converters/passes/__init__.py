"""Graph rewrites that keep a model's outputs. One file each; registering is a line in the tuple."""

from edgekit_converters.passes.contract import Feeds, Pass, PassReport, apply_passes
from edgekit_converters.passes.dead_ends import DeadEnds
from edgekit_converters.passes.node_names import NodeNames
from edgekit_converters.passes.offline_optimization import OfflineOptimization
from edgekit_converters.passes.opset_upgrade import OpsetUpgrade

__all__ = ["DEFAULT_PASSES", "Feeds", "Pass", "PassReport", "apply_passes"]

DEFAULT_PASSES: tuple[Pass, ...] = (
    DeadEnds(),
    OpsetUpgrade(),
    OfflineOptimization(),
    NodeNames(),
)
"""In the order they run: each sees what the ones before it left."""

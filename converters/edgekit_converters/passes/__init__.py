"""Graph rewrites that keep a model's outputs. One file each; registering is a line in a tuple.

`DEFAULT_PASSES` are always applied. `FORMS` say the same in another way that is faster on some
CPUs and slower on others: `choose_forms` keeps those that a measurement on the target says pay.
"""

from edgekit_converters.passes.aligned_channels import AlignedChannels
from edgekit_converters.passes.constant_operands import ConstantOperands
from edgekit_converters.passes.contract import Feeds, Pass, PassReport, apply_passes
from edgekit_converters.passes.dead_ends import DeadEnds
from edgekit_converters.passes.dense_weights import DenseWeights
from edgekit_converters.passes.forms import Form, choose_forms
from edgekit_converters.passes.hard_sigmoids import HardSigmoids
from edgekit_converters.passes.kept_axes import KeptAxes
from edgekit_converters.passes.known_types import KnownTypes
from edgekit_converters.passes.later_views import LaterViews
from edgekit_converters.passes.neutral_arithmetic import NeutralArithmetic
from edgekit_converters.passes.node_names import NodeNames
from edgekit_converters.passes.offline_optimization import OfflineOptimization
from edgekit_converters.passes.opset_upgrade import OpsetUpgrade
from edgekit_converters.passes.packed_positions import PackedPositions
from edgekit_converters.passes.planar_convolutions import PlanarConvolutions
from edgekit_converters.passes.static_shapes import StaticShapes
from edgekit_converters.passes.unrolled_convolutions import UnrolledConvolutions
from edgekit_converters.passes.views import Views
from edgekit_converters.passes.wide_halves import WideHalves

__all__ = [
    "DEFAULT_PASSES",
    "FORMS",
    "FORMS_OF_ANY_SIZE",
    "NEEDED",
    "TIDYING",
    "Feeds",
    "Form",
    "Pass",
    "PassReport",
    "apply_passes",
    "choose_forms",
]

TIDYING: tuple[Pass, ...] = (
    NeutralArithmetic(),
    HardSigmoids(),
    OfflineOptimization(),
    KeptAxes(),
    ConstantOperands(),
    LaterViews(),
    Views(),
)
"""What a rewrite leaves behind is cleaned by these."""

_FIRST: tuple[Pass, ...] = (DenseWeights(), DeadEnds(), WideHalves(), OpsetUpgrade())
_LAST: tuple[Pass, ...] = (NodeNames(), KnownTypes())

NEEDED: tuple[Pass, ...] = (*_FIRST, *_LAST)
"""Without these most recipes cannot be made; the others are dropped where they cost time."""

DEFAULT_PASSES: tuple[Pass, ...] = (*_FIRST, *TIDYING, *_LAST)
"""In the order they run: each sees what the ones before it left."""

FORMS: tuple[Form, ...] = (
    Form(StaticShapes(), TIDYING),
    Form(UnrolledConvolutions(), TIDYING),
    Form(PlanarConvolutions(), TIDYING),
    Form(PackedPositions(), TIDYING),
    Form(AlignedChannels(), TIDYING),
)
"""In the order tried, each on what the ones before it left; packing leaves more to align."""

FORMS_OF_ANY_SIZE = tuple(form for form in FORMS if not isinstance(form.rewrite, StaticShapes))
"""Those that leave open what sizes a model takes."""

"""Structured pruning: whole channels, heads and units go, so that every tensor gets smaller.

units, trace      which positions of which tensors go together
rules, layout, weighted     how channels pass through each operator
remove            takes units out, and checks the result against the model that ignores them
importance, allocate        what is missed least for the work it saves
observe, reconstruct        what layers see; least squares for those that lost inputs
"""

from edgekit_converters.prune.prune import Pruned, prune

__all__ = ["Pruned", "prune"]

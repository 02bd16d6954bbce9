"""What may run beside what: times are worth nothing where two searches share the machine.

Counted instructions are not disturbed: such searches run side by side. A board does one at a time.
A search that times this machine runs alone, with nothing beside it.
"""

from edgekit.errors import EdgekitError

FREE, ALONE = "", "local"


def lane(target: str, device: str | None) -> str:
    """Where a search is measured: `FREE`, `ALONE`, or a board's address.

    What cannot be measured is free: its search will say why.
    """
    from edgekit_converters.costs.cost import place_for
    from edgekit_converters.targets import load_target

    try:
        place = place_for(load_target(target), device)
    except EdgekitError:
        return FREE
    if place.device == ALONE:
        return ALONE
    return FREE if place.kind == "instructions" else place.device

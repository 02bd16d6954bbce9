"""onnxsim's static int8: `python -m edgekit_converters.engines.onnxsim FOLDER`."""

import sys
from pathlib import Path

from edgekit_converters.engines import taken_over

ACTIVATIONS = {"u8": "uint8", "s8": "int8"}


def main(folder: Path) -> None:
    """Quantize what was handed over in a folder."""
    import onnxsim

    model, order, feeds = taken_over(folder)
    result = onnxsim.quantize_static(
        model,
        calibration_data=feeds,
        method=order.ranges,
        full_graph=True,  # by default it writes no pair behind a layer, and nothing fuses
        per_channel=order.per_channel,
        nodes_to_exclude=order.excluded,
        activation_type=ACTIVATIONS[order.activation],
    )
    (folder / "result.onnx").write_bytes(result.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""NNCF's post-training int8: `python -m edgekit_converters.engines.nncf FOLDER`."""

import sys
from pathlib import Path

from edgekit_converters.engines import taken_over


def main(folder: Path) -> None:
    """Quantize what was handed over in a folder."""
    import nncf
    from nncf.quantization.advanced_parameters import AdvancedQuantizationParameters, OverflowFix

    model, order, feeds = taken_over(folder)
    fix = OverflowFix.ENABLE if order.seven_bit else OverflowFix.DISABLE
    result = nncf.quantize(
        model,
        nncf.Dataset(feeds),
        preset=nncf.QuantizationPreset.MIXED,
        target_device=nncf.TargetDevice.CPU,
        subset_size=len(feeds),
        ignored_scope=nncf.IgnoredScope(names=order.excluded) if order.excluded else None,
        advanced_parameters=AdvancedQuantizationParameters(overflow_fix=fix),
    )
    (folder / "result.onnx").write_bytes(result.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

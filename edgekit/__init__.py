"""edgekit: trained models on Arm devices, small, fast, proven by measurement, and kept honest.

What runs on the device is here, and needs numpy, cffi, onnxruntime and msgspec:

    load(path) → Model          a bundle, checked and ready
    Model.run(raw) → Result     features, inference, decoding
    edgekit.features            LogMel, Mfcc, ImageTensor, RollingStats...: the same bits everywhere
    edgekit.decoders            Raw, Classify, Ctc
    edgekit.task                what a model is for: samples, predict, score
    edgekit.measure             latency, memory and accuracy, with their intervals
    edgekit.gate                budgets and measurements → a verdict
    edgekit.errors              one tree of errors, each with the way out

The offline toolchain is `edgekit_converters` (`pip install 'edgekit[convert]'`).
"""

from typing import TYPE_CHECKING, Any

from edgekit.errors import EdgekitError

if TYPE_CHECKING:
    from edgekit.model import Model, Result, load

__version__ = "0.1.0"

__all__ = ["EdgekitError", "Model", "Result", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import the runtime side when its first name is asked for."""
    if name in ("Model", "Result", "load"):
        from edgekit import model

        return getattr(model, name)
    raise AttributeError(f"module 'edgekit' has no attribute {name!r}")

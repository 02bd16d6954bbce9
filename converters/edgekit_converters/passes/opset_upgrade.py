"""Raises the operator set to one that per-channel quantization can be written in."""

from dataclasses import dataclass

import onnx
from onnx import ModelProto

from edgekit_converters.graph import opset

PER_CHANNEL_OPSET = 13
"""QuantizeLinear and DequantizeLinear have an axis since this one (ONNX operator changelog)."""


@dataclass(frozen=True)
class OpsetUpgrade:
    """Only as far as needed: onnx's converter is less tested the farther it goes."""

    name: str = "opset-upgrade"
    tolerance: float = 1e-5

    def unneeded(self, model: ModelProto) -> str | None:
        """Not from opset 13 on."""
        if opset(model) >= PER_CHANNEL_OPSET:
            return f"opset {opset(model)} is new enough"
        return None

    def apply(self, model: ModelProto) -> ModelProto:
        """Let onnx's version converter do it."""
        upgraded: ModelProto = onnx.version_converter.convert_version(model, PER_CHANNEL_OPSET)
        return upgraded

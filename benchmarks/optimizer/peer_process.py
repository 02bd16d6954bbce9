"""One peer at its defaults, as its documentation calls it: `python peer_process.py NAME FOLDER`.

FOLDER has model.onnx and feeds.pickle, and gets result.onnx.
"""

import pickle
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

OPSET = 13
Feeds = Sequence[Mapping[str, np.ndarray]]


class Reader:
    """Feeds as onnxruntime's quantizer asks for them."""

    def __init__(self, feeds: Feeds) -> None:
        self._feeds: Iterator[Mapping[str, np.ndarray]] = iter(feeds)

    def get_next(self) -> Any:
        return next(self._feeds, None)


def ort_static(source: Path, feeds: Feeds, result: Path) -> None:
    """https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html: U8S8, QDQ."""
    from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_static

    CalibrationDataReader.register(Reader)
    quantize_static(
        pre_processed(source),
        result,
        Reader(feeds),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


def ort_dynamic(source: Path, feeds: Feeds, result: Path) -> None:
    """The same page: dynamic, which needs no calibration."""
    from onnxruntime.quantization import quantize_dynamic

    quantize_dynamic(pre_processed(source), result, per_channel=True)


def pre_processed(source: Path) -> Path:
    """The same page: what quantization should come after; without symbolic shapes if they fail."""
    from onnxruntime.quantization.shape_inference import quant_pre_process

    path = source.with_name("pre_processed.onnx")
    source = upgraded(source)
    try:
        quant_pre_process(source, path)
    except Exception as error:  # its error says to skip it
        print(f"quant_pre_process: {error}; once more without symbolic shapes", file=sys.stderr)
        quant_pre_process(source, path, skip_symbolic_shape=True)
    return path


def upgraded(source: Path) -> Path:
    """In opset 13 at least: scales for each channel need it, and what is older would not load."""
    import onnx
    from onnx import version_converter

    model = onnx.load(source)
    opset = next(each.version for each in model.opset_import if each.domain in ("", "ai.onnx"))
    if opset >= OPSET:
        return source
    path = source.with_name("upgraded.onnx")
    try:
        onnx.save(version_converter.convert_version(model, OPSET), path)
    except Exception as error:  # then what came has to do
        print(f"convert_version: {error}; going on without", file=sys.stderr)
        return source
    return path


def nncf(source: Path, feeds: Feeds, result: Path) -> None:
    """https://github.com/openvinotoolkit/nncf: post-training quantization, default preset."""
    import nncf
    import onnx

    made = nncf.quantize(onnx.load(source), nncf.Dataset(feeds), subset_size=len(feeds))
    onnx.save(made, result)


def onnxsim(source: Path, feeds: Feeds, result: Path) -> None:
    """`onnxsim.quantize_static` on a simplified model."""
    import onnx
    import onnxsim

    onnx.save(onnxsim.quantize_static(simplified(source), calibration_data=feeds), result)


def onnxsim_full(source: Path, feeds: Feeds, result: Path) -> None:
    """The same with pairs at every activation, which its documentation has for NPUs."""
    import onnx
    import onnxsim

    simple = simplified(source)
    onnx.save(onnxsim.quantize_static(simple, calibration_data=feeds, full_graph=True), result)


def onnxsim_auto(source: Path, feeds: Feeds, result: Path) -> None:
    """`onnxsim.quantize_auto`: the smallest scheme within 2 % of relative error of the outputs."""
    import onnx
    import onnxsim

    onnx.save(onnxsim.quantize_auto(simplified(source), calibration_data=feeds), result)


def simplified(source: Path) -> Any:
    """What onnxsim is known for; the model as it came where that fails."""
    import onnx
    import onnxsim

    model = onnx.load(upgraded(source))
    try:
        return onnxsim.simplify(model)[0]
    except Exception as error:  # of many kinds; a user would go on without it
        print(f"simplify: {error}; going on without", file=sys.stderr)
        return model


PEERS: dict[str, Callable[[Path, Feeds, Path], None]] = {
    "ort_static": ort_static,
    "ort_dynamic": ort_dynamic,
    "nncf": nncf,
    "onnxsim": onnxsim,
    "onnxsim_full": onnxsim_full,
    "onnxsim_auto": onnxsim_auto,
}


def main(name: str, folder: Path) -> None:
    """Let a peer make its model."""
    feeds: Feeds = pickle.loads((folder / "feeds.pickle").read_bytes())
    PEERS[name](folder / "model.onnx", feeds, folder / "result.onnx")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))

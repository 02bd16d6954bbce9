"""Score a workload's own model: python score_fp32.py NAME [--split calibration]

ONNX models run in onnxruntime, TFLite models in ai-edge-litert, on one thread.
"""

import argparse
import importlib
import time
from pathlib import Path
from typing import cast

from datafolder import data_folder
from fetch import NEEDS
from protocol import CALIBRATION, EVALUATION, Run, Tensors, Workload


def load_workload(name: str) -> Workload:
    return cast(Workload, importlib.import_module(name))


def onnx_run(path: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]

    def run(inputs: Tensors) -> Tensors:
        return dict(zip(names, session.run(names, inputs), strict=True))

    return run


def tflite_run(path: Path) -> Run:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    indices = {tensor["name"]: tensor["index"] for tensor in interpreter.get_input_details()}
    outputs = {tensor["name"]: tensor["index"] for tensor in interpreter.get_output_details()}

    def run(inputs: Tensors) -> Tensors:
        for name, array in inputs.items():
            interpreter.set_tensor(indices[name], array)
        interpreter.invoke()
        return {name: interpreter.get_tensor(index) for name, index in outputs.items()}

    return run


def open_model(path: Path) -> Run:
    return tflite_run(path) if path.suffix == ".tflite" else onnx_run(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=NEEDS)
    parser.add_argument("--split", choices=(CALIBRATION, EVALUATION), default=EVALUATION)
    parser.add_argument("--model", type=Path, help="another file with the same inputs and outputs")
    arguments = parser.parse_args()
    workload = load_workload(arguments.name)
    run = open_model(arguments.model or workload.model(data_folder()))

    start_s = time.perf_counter()
    inputs, labels, groups = zip(*workload.samples(arguments.split), strict=True)
    made_s = time.perf_counter()
    predictions = [workload.predict(run, item) for item in inputs]
    done_s = time.perf_counter()

    print(f"{workload.NAME}, {arguments.split}: {workload.METRIC}")
    print(f"score       {workload.score(predictions, list(labels)):.4f}")
    print(f"samples     {len(labels)} in {len(set(groups))} groups")
    print(f"making them {made_s - start_s:.1f} s")
    print(f"inference   {done_s - made_s:.1f} s")


if __name__ == "__main__":
    main()

"""The offline toolchain: a trained model and its task → the bundle that a device runs.

importers   .onnx, .tflite → the model under work
passes      graph rewrites that keep the outputs
recipe      what is done to a model, as data; quantize does it, with the ranges of calibrate
targets     named hardware; cost measures on it
workbench, attempt, search     the clean model, one recipe tried, the ladder that picks one
golden, reference, evidence, pack     the bundle and what proves it
rows, table, scatter, report   the search in words and pictures
commands    `edgekit optimize`, `edgekit init`

It needs the extra `edgekit[convert]`. The device package never imports it.
"""

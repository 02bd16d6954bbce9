"""The offline toolchain: a trained model and its task → the bundle that a device runs.

importers   .onnx, .tflite → the model under work
passes      graph rewrites that keep the outputs
recipe      what is done to a model, as data; quantize does it, with the ranges of calibrate
targets     named hardware; cost says what a model costs there, by the meters, or by operations
workbench, ground, finish      the model that came, clean, narrower, as it is shipped
ladder, rungs, revert, tried   what is tried, in which order, and why the rest is not
attempt, search     one recipe tried; the one that is shipped
cache, identity, folders, replay     what is kept between searches, and made again from evidence
golden, reference, evidence, pack     the bundle and what proves it
rows, told, table, scatter, report   the search in words and pictures
commands    `edgekit optimize`, `edgekit init`

It needs the extra `edgekit[convert]`. The device package never imports it.
"""

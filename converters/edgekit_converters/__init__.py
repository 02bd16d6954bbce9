"""The offline toolchain: a trained model and its task → the bundle that a device runs.

What comes in
    importers, trial      .onnx, .tflite → the model under work; its first run, contained
    graph                 questions about an ONNX graph that everything below asks
    rewritten             a graph as onnxruntime makes it when it loads it
    passes                graph rewrites that keep the outputs, and forms that must pay
    targets               named hardware
    calibration           what the task feeds, and what tensors hold

How a candidate is made
    recipes               what is done to a model, as data; `make` does it, step by step
    repairs, prune, engines         what mends accuracy, what shrinks, other people's quantizers

How one is chosen
    costs                 what a model costs on its target: by meters, or by a table of operations
    search                the ladder of recipes, tried one by one, and the one that is shipped
    sweep                 many models, targets and budgets; on processes or Dask

What is said of it
    sensitivity           where accuracy goes
    explain               causes of failures, as rules over measured facts
    report                the search in words and pictures
    packing               the bundle and what proves it
    commands              `edgekit optimize`, `explain`, `sweep`, `init`

Beside them: contained, the process in which all of this runs, as a model may end it; progress, the
events of a long job; and folders that are gone with their process.
It needs the extra `edgekit[convert]`. The device package never imports it.
"""

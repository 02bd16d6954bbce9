"""The offline toolchain: a trained model and its task → the bundle that a device runs.

What comes in
    importers, trial      .onnx, .tflite → the model under work; its first run, contained
    passes                graph rewrites that keep the outputs, and forms that must pay
    targets               named hardware; cost says what a model costs there: by meters,
                          or by operations with the rates of this machine
    calls, calibrate, observe, histogram, ranges    what the task feeds, and what tensors hold

How a candidate is made
    recipe                what is done to a model, as data; make does it, step by step
    placement, quantize, grid, weightonly, fusion   which nodes, how, and what the runtime fused
    repairs, prune, engines         what mends accuracy, what shrinks, other people's quantizers
    finish                the form that is shipped

How one is chosen
    workbench, ground     the model that came, clean, and narrower
    ladder, rungs, revert, elsewhere, tried     what is tried, in which order, and why not the rest
    attempt, evaluate, goal, effort, search     one recipe tried; the one that is shipped
    cache, identity, folders, replay            kept between searches; made again from evidence
    sweep                 many models, targets and budgets; on processes or Dask

What is said of it
    sensitivity, stability, closeness, copies   where accuracy goes
    explain               of failures: causes and slowness are the rules, over the facts of trace,
                          state, shift, saturation and operators; why and whypage tell them
    golden, reference, evidence, pack           the bundle and what proves it
    told, rows, table, scatter, report          the search in words and pictures
    commands              `edgekit optimize`, `explain`, `sweep`, `init`

It needs the extra `edgekit[convert]`. The device package never imports it.
"""

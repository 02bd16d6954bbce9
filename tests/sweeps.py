"""Files for a sweep over tiny models."""

import onnx
from networks import conv_net, task_text

TARGET = "apple-m1"  # neither this machine nor emulated: a table of operations, which is quick


def write_plan(folder, models=("one",), **settings):
    """Models, their task and a models.toml; no candidate beyond the first is tried."""
    (folder / "task.py").write_text(task_text(samples=6))
    given = {"task": "task.py", "targets": [TARGET], "cpu_seconds": 0} | settings
    lines = ["[defaults]", *(f"{key} = {_toml(value)}" for key, value in given.items())]
    for seed, name in enumerate(models):
        onnx.save(conv_net(seed, channels=8), folder / f"{name}.onnx")
        lines += ["[[model]]", f'model = "{name}.onnx"']
    path = folder / "models.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def _toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    return repr(value).replace("'", '"')

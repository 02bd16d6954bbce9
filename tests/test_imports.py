"""What importing costs: the device package stays light, whatever else is installed."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import edgekit

ROOT = Path(edgekit.__file__).parent
OFFLINE = {"onnx", "onnx_ir", "onnxconverter_common", "torch", "scipy", "rich", "jinja2", "PIL"}


def loaded_by(code):
    """Top-level packages that a fresh interpreter has after running some code."""
    script = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_importing_edgekit_loads_no_runtime_and_no_toolchain():
    loaded = loaded_by("import edgekit")
    assert not loaded & (OFFLINE | {"onnxruntime", "edgekit_converters", "numpy"})


def test_loading_the_sdk_needs_numpy_and_little_else():
    loaded = loaded_by("import edgekit; edgekit.load")
    assert "numpy" in loaded
    assert not loaded & (OFFLINE | {"onnxruntime", "edgekit_converters"})


def test_running_a_bundle_loads_no_toolchain(small_bundle):
    loaded = loaded_by(f"import edgekit; edgekit.load({str(small_bundle)!r}).close()")
    assert "onnxruntime" in loaded
    assert not loaded & (OFFLINE | {"edgekit_converters"})


def test_the_public_names_are_exactly_these():
    assert set(edgekit.__all__) == {"EdgekitError", "Model", "Result", "__version__", "load"}
    for name in edgekit.__all__:
        assert getattr(edgekit, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = edgekit.nonsense


ALLOWED = {"numpy", "cffi", "onnxruntime", "msgspec", "edgekit"} | set(sys.stdlib_module_names)
OPTIONAL = {
    "engines/litert.py": {"ai_edge_litert", "tflite_runtime"},
    "cli/rawinput.py": {"PIL"},
    "gate/pytest_plugin.py": {"pytest"},
}
ONLY_IMPORTER = {
    "onnxruntime": "engines/onnxruntime.py",
    "ai_edge_litert": "engines/litert.py",
    "tflite_runtime": "engines/litert.py",
}


PLUGIN = "edgekit.gate.pytest_plugin"


def test_the_pytest_plugin_costs_other_peoples_test_runs_next_to_nothing():
    code = f"import pytest, sys; before = set(sys.modules); import {PLUGIN}"
    script = f"{code}\nprint('\\n'.join(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert set(done.stdout.split()) == {"edgekit", "edgekit.errors", "edgekit.gate", PLUGIN}


def test_nothing_in_the_device_package_imports_the_pytest_plugin():
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf8"))):
            named = [getattr(node, "module", None), *getattr(node, "names", [])]
            words = [each.name if isinstance(each, ast.alias) else str(each) for each in named]
            assert not any("pytest_plugin" in word for word in words), path


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text("utf8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize(
    "path", [p.relative_to(ROOT).as_posix() for p in ROOT.rglob("*.py")], ids=str
)
def test_the_device_package_imports_only_its_four_dependencies(path):
    if path == "_native/generate.py":
        pytest.skip("runs at build time, never on a device")
    imported = set(imports_of(ROOT / path))
    assert imported <= ALLOWED | OPTIONAL.get(path, set())
    for package, importer in ONLY_IMPORTER.items():
        assert package not in imported or path == importer

"""edgekit itself for another machine: its Python files, and its kernels, cross-built."""

import os
import shutil
import sys
import sysconfig
import time
import zipfile
from pathlib import Path

import edgekit
from edgekit.measure.devices.commands import Step, find_program
from edgekit.measure.devices.lock import sha256_of_tree

PACKAGE = Path(edgekit.__file__).parent
CHECKOUT = PACKAGE.parent
SOURCES = ("CMakeLists.txt", "native/CMakeLists.txt", "native/src", "native/include")
GLUE = ("edgekit/_native/CMakeLists.txt", "edgekit/_native/_kernels.c")
LIBRARY = "edgekit/_native/_kernels.abi3.so"
KEPT_S = 7 * 86400.0

TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER "{compiler}")
"""
HEADERS = """\
set(CMAKE_C_FLAGS_INIT "-isystem {headers}")
set(Python_INCLUDE_DIR "{include}" CACHE PATH "")
"""


def build_extension(cache: Path, headers: Path | None, thing: str) -> Path | None:
    """The kernels for aarch64, from the sources that this edgekit was built from.

    Args:
        cache: where built ones are kept, by the digest of their sources.
        headers: `usr/include` of an aarch64 Python; None to take this Python's, which do as well
            for the stable ABI unless they are Debian's, which refuse other architectures.
        thing: the device that errors name.

    Returns:
        The library; None where edgekit was installed without its sources. A device without it
        runs models but no features.

    Raises:
        DeviceError: there is no cross compiler, or the build fails.
    """
    names = _source_names()
    if not names:
        return None
    built = cache / f"kernels-{sha256_of_tree(CHECKOUT, names)[:16]}.abi3.so"
    if not built.exists():
        compiler = find_program("aarch64-linux-gnu-gcc", thing, "gcc-aarch64-linux-gnu")
        _build(built, compiler, headers, thing)
    return built


def _source_names() -> list[Path]:
    found = [CHECKOUT / name for name in (*SOURCES, *GLUE)]
    if not all(path.exists() for path in found):
        return []
    files = [f for path in found for f in (path.rglob("*") if path.is_dir() else [path])]
    return sorted(f.relative_to(CHECKOUT) for f in files if f.is_file())


def _build(built: Path, compiler: str, headers: Path | None, thing: str) -> None:
    """Build a wheel as any installation would, for aarch64, and take the library out of it."""
    folder = built.with_name(f"{built.name}.{os.getpid()}.partial")
    folder.mkdir()
    try:
        toolchain = folder / "toolchain.cmake"
        text = TOOLCHAIN.format(compiler=compiler)
        if headers is not None:
            text += HEADERS.format(headers=headers, include=next(headers.glob("python3.*")))
        toolchain.write_text(text)
        step = Step(thing, "build the kernels for aarch64", "see that edgekit builds here: make")
        step.run(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder,
             f"--config-settings=cmake.define.CMAKE_TOOLCHAIN_FILE={toolchain}",
             f"--config-settings=build-dir={folder / 'build'}", CHECKOUT],
            env={**os.environ, "_PYTHON_HOST_PLATFORM": "linux-aarch64"},
        )  # fmt: skip
        with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
            library = folder / "library"
            library.write_bytes(wheel.read(LIBRARY))
            library.replace(built)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def own_extension() -> Path | None:
    """The kernels that are installed here, for boards of this machine's own kind."""
    found = PACKAGE.parent / LIBRARY
    if found.exists():
        return found
    installed = Path(sysconfig.get_path("platlib")) / LIBRARY
    return installed if installed.exists() else None


def copy_package(cache: Path, library: Path | None) -> Path:
    """A folder for PYTHONPATH with this edgekit and the given kernels; made once for each state.

    Folders that nobody has used for a week are removed.
    """
    names = [
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".so", ".pyc", ".c")
    ]
    digest = sha256_of_tree(PACKAGE, names)[:16]
    folder = cache / f"edgekit-{digest}-{library.name.split('.')[0] if library else 'python'}"
    if not folder.exists():
        _remove_unused(cache)
        partial = folder.with_name(f"{folder.name}.{os.getpid()}.partial")
        for name in names:
            target = partial / "edgekit" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PACKAGE / name, target)
        if library is not None:
            shutil.copyfile(library, partial / LIBRARY)
        partial.replace(folder)
    os.utime(folder)
    return folder


def _remove_unused(cache: Path) -> None:
    for folder in cache.glob("edgekit-*"):
        if folder.stat().st_mtime < time.time() - KEPT_S:
            shutil.rmtree(folder, ignore_errors=True)

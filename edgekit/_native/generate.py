"""Write `_kernels.c`, the cffi extension, from `native/include/edgekit.h`.

Run `python edgekit/_native/generate.py` after a change to the header and commit the result, so
that building needs a C compiler and no cffi.
"""

import re
from pathlib import Path

import cffi

HERE = Path(__file__).parent
HEADER = HERE.parents[1] / "native" / "include" / "edgekit.h"
GENERATED = HERE / "_kernels.c"


def declarations(header: str) -> str:
    """The part of the header that cffi reads, without comments and export marks."""
    begin, end = header.index("/* cffi reads"), header.index("/* cffi: end */")
    text = re.sub(r"/\*.*?\*/", "", header[begin:end], flags=re.DOTALL)
    return text.replace("EK_API ", "")


def generate(path: Path) -> None:
    """Write the C source of the extension to `path`, with the version of cffi on top."""
    ffi = cffi.FFI()
    ffi.cdef(declarations(HEADER.read_text(encoding="utf-8")))
    ffi.set_source("edgekit._native._kernels", '#include "edgekit.h"\n')
    ffi.emit_c_code(str(path))
    source = path.read_text(encoding="utf-8")
    mark = f"/* Written by generate.py with cffi {cffi.__version__}; do not edit. */\n"
    path.write_text(mark + source, encoding="utf-8")


if __name__ == "__main__":
    generate(GENERATED)

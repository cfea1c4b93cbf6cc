# SPDX-License-Identifier: MIT
"""Builds torchdrum_py._core: the whole C core and its bench, bound 1:1. The declarations are read from the headers themselves."""

import pathlib
import re
import sys

import cffi

CORE = pathlib.Path(__file__).resolve().parent.parent / "core"
HEADER = CORE / "include" / "torchdrum.h"


def declarations(header: str) -> str:
    """The C declarations of a header, without comments and preprocessor lines, for cffi."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
    return re.sub(r"^\s*#.*$", "", text, flags=re.M)


if sys.platform == "win32":
    FLAGS = ["/O2", "/std:c11"]
else:
    FLAGS = ["-O3", "-std=c11", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-fvisibility=hidden"]

# How the core is compiled, here and in setup.py.
BUILD = {
    "sources": sorted(f"core/src/{path.name}" for path in (CORE / "src").glob("*.c")),
    "include_dirs": ["core/include"],
    "depends": sorted(str(path) for path in CORE.rglob("*") if path.suffix in (".h", ".def")),
    "extra_compile_args": FLAGS,
}

# With the bench of core/bench for `torchdrum bench`, in the same module so that it measures what everything else uses.
BENCH = ["core/bench/bench.c", "core/bench/reference.c"]
ffibuilder = cffi.FFI()
ffibuilder.cdef(declarations(HEADER.read_text()) + declarations((CORE / "bench" / "bench.h").read_text()))
ffibuilder.set_source(
    "torchdrum_py._core",
    '#include "torchdrum.h"\n#include "bench.h"',
    **BUILD | {"sources": BUILD["sources"] + BENCH, "include_dirs": [*BUILD["include_dirs"], "core/bench"]},
)

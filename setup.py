# SPDX-License-Identifier: MIT
"""What pyproject.toml cannot say: the version stands in the C header, and the C core is in two extensions, bound 1:1 and in batches."""

import pathlib
import re
import runpy

from setuptools import Extension, setup

HERE = pathlib.Path(__file__).parent
HEADER = HERE / "core" / "include" / "torchdrum.h"
build = runpy.run_path(str(HERE / "torchdrum_py" / "_build.py"))["BUILD"]

setup(
    version=re.search(r'#define TD_VERSION "([^"]+)"', HEADER.read_text())[1],
    cffi_modules=["torchdrum_py/_build.py:ffibuilder"],
    ext_modules=[
        Extension(
            "torchdrum_py.batch",
            ["torchdrum_py/batch.pyx", "torchdrum_py/snare808_gradient.c", *build["sources"]],
            **{k: v for k, v in build.items() if k not in ("sources", "include_dirs")},
            include_dirs=[*build["include_dirs"], "core/src", "torchdrum_py"],
        )
    ],
)

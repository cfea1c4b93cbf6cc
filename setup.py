# SPDX-License-Identifier: MIT
"""What pyproject.toml cannot say: the version stands in the C header, and the C core is an extension."""

import pathlib
import re

from setuptools import setup

HEADER = pathlib.Path(__file__).parent / "core" / "include" / "torchdrum.h"

setup(
    version=re.search(r'#define TD_VERSION "([^"]+)"', HEADER.read_text())[1],
    cffi_modules=["torchdrum_py/_build.py:ffibuilder"],
)

# SPDX-License-Identifier: MIT
"""What pyproject.toml cannot say: the version stands in the C header, and the C core is in two extensions, bound 1:1 and in batches."""

import pathlib
import re
import runpy
import shutil
import sys
import sysconfig

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.errors import CompileError, LinkError, PlatformError

HERE = pathlib.Path(__file__).parent
HEADER = HERE / "core" / "include" / "torchdrum.h"
build = runpy.run_path(str(HERE / "torchdrum_py" / "_build.py"))["BUILD"]

NEEDED = {
    "linux": "apt install build-essential python3-dev on Debian and Ubuntu, dnf install gcc python3-devel on Fedora",
    "darwin": "xcode-select --install",
    "win32": "the Build Tools for Visual Studio with C++",
}


class BuildCore(build_ext):
    """Says what is missing where nothing can be compiled."""

    def build_extensions(self):
        try:
            super().build_extensions()
        except (CompileError, LinkError, PlatformError) as error:
            command = getattr(self.compiler, "compiler", None)  # Microsoft's compiler has none, and says itself that it is not there
            headers = pathlib.Path(sysconfig.get_path("include")) / "Python.h"
            if shutil.which(command[0]) and headers.exists() if command else not isinstance(error, PlatformError):
                raise
            raise SystemExit(
                "torchdrum is partly written in C, and here is no compiler for it, or the headers of Python are missing. "
                f"Install them ({NEEDED.get(sys.platform, 'a C compiler')}), then run pip install again. ({error})"
            ) from None


setup(
    cmdclass={"build_ext": BuildCore},
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

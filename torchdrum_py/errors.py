# SPDX-License-Identifier: MIT
"""The one exception of the package."""


class TorchdrumError(Exception):
    """Something that the person can mend; the text is one sentence that says how. The commands print it and exit with 2."""

# SPDX-License-Identifier: MIT
"""The one exception of the package, and how its sentences are put."""


class TorchdrumError(Exception):
    """Something that the person can mend; the text is one sentence on one line that says how. The commands print it and exit with 2."""

    def __str__(self) -> str:
        return printable(super().__str__())


def printable(text: str) -> str:
    """One line that is safe on a terminal, whatever a foreign file or a file name holds."""
    return "".join(c if c.isprintable() else "?" for c in text)


def cannot(path, done: str, error: OSError) -> TorchdrumError:
    """The sentence for what the operating system refused; done: read or written."""
    return TorchdrumError(f"{path} cannot be {done} ({error.strerror or error})")

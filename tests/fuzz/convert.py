# SPDX-License-Identifier: MIT
"""atheris: whatever file `torchdrum convert` is given, it is read or refused in one sentence (TorchdrumError). tools/fuzz.py runs it."""

import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from archives import CODE, Archive

with atheris.instrument_imports(include=["torchdrum_py"]):
    from torchdrum_py import convert
    from torchdrum_py.errors import TorchdrumError

FOLDER = Path(tempfile.mkdtemp(prefix="torchdrum-fuzz-"))
FILES = list(CODE)
# What the rest of an input is, by its first byte: a file, or a part of an archive whose zip and checksums are right
KINDS = {
    0: (".pt", lambda data: data),
    1: (".pt", lambda data: Archive(width=2, members={"data.pkl": data}).bytes()),
    2: (".pt", lambda data: Archive(width=2, members={f"code/{FILES[0]}": data}).bytes()),
    3: (".json", lambda data: data),
    4: (".safetensors", lambda data: data),
}


def one_input(data: bytes):
    suffix, whole = KINDS[data[0] % len(KINDS) if data else 0]
    file = FOLDER / f"input{suffix}"
    file.write_bytes(whole(data[1:]))
    try:
        convert.convert(file, FOLDER / "out.safetensors")
    except TorchdrumError as error:
        assert str(error).strip() and "\n" not in str(error), "a refusal is one line"


if __name__ == "__main__":
    if len(sys.argv) > 1 and all(Path(argument).is_file() for argument in sys.argv[1:]):
        for argument in sys.argv[1:]:
            one_input(Path(argument).read_bytes())
        print(f"{len(sys.argv) - 1} inputs")
    else:
        atheris.Setup(sys.argv, one_input)
        atheris.Fuzz()

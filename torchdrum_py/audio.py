# SPDX-License-Identifier: MIT
"""Audio files in and out. Every failure is one sentence."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

from .errors import TorchdrumError


def read_audio(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Samples [n, channels] float32 and sample rate in Hz of any file that libsndfile reads."""
    path = Path(path)
    if path.is_dir():
        raise TorchdrumError(f"{path} is a folder, an audio file is needed")
    if not path.exists():
        raise TorchdrumError(f"there is no file {path}")
    if path.stat().st_size == 0:
        raise TorchdrumError(f"{path} is empty")
    try:
        x, rate = sf.read(path, dtype="float32", always_2d=True)
    except (sf.SoundFileError, OSError) as error:
        raise TorchdrumError(f"{path} cannot be read as audio ({getattr(error, 'error_string', error)})") from None
    if len(x) == 0:
        raise TorchdrumError(f"{path} has no samples")
    return x, int(rate)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike):
    """Gives a temporary path beside path, which takes its place when the block ends well and vanishes when it does not."""
    path = Path(path)
    if path.is_dir():
        raise TorchdrumError(f"{path} is a folder, a file name is needed")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".torchdrum-", suffix=path.suffix)
    except OSError as error:
        raise TorchdrumError(f"{path} cannot be written ({error.strerror})") from None
    os.close(handle)
    try:
        yield Path(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except OSError as error:
        raise TorchdrumError(f"{path} cannot be written ({error.strerror or error})") from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


def check_audio_name(path: str | os.PathLike):
    """TorchdrumError when the ending of a file to be written is no audio format."""
    endings = sf.available_formats()
    if Path(path).suffix[1:].upper() not in {*endings, "AIF"}:
        raise TorchdrumError(f"{path}: give the output an audio ending such as .wav or .flac")


def write_audio(path: str | os.PathLike, x: np.ndarray, rate: int):
    """Writes samples [n, channels] or [n]: WAV as 32-bit float, everything else in the format's best PCM or its default."""
    check_audio_name(path)
    kind = Path(path).suffix[1:].upper().replace("AIF", "AIFF").replace("AIFFF", "AIFF")
    wanted = {"WAV": "FLOAT", "FLAC": "PCM_24", "AIFF": "FLOAT"}.get(kind)
    with whole_file(path) as temporary:
        try:
            sf.write(temporary, x, rate, format=kind, subtype=wanted)
        except (sf.SoundFileError, ValueError) as error:
            raise TorchdrumError(f"{path} cannot be written ({getattr(error, 'error_string', error)})") from None

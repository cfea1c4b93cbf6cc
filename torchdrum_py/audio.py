# SPDX-License-Identifier: MIT
"""Audio files in and out. Every failure is one sentence."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

from .errors import TorchdrumError, cannot

# No header, so nothing says the rate; a second file beside the sound.
NO_USE = {"RAW", "SD2"}


def read_audio(path: str | os.PathLike) -> tuple[np.ndarray, int]:
    """Samples [n, channels] float32 and sample rate in Hz of any file that libsndfile reads."""
    path = Path(path)
    if os.path.isdir(path):
        raise TorchdrumError(f"{path} is a folder, an audio file is needed")
    if not os.path.lexists(path):
        raise TorchdrumError(f"there is no file {path}")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise cannot(path, "read", error) from None
    if size == 0:
        raise TorchdrumError(f"{path} is empty")
    if path.suffix[1:].upper() in NO_USE:
        raise TorchdrumError(f"{path} does not say its sample rate: convert it to .wav first")
    try:
        x, rate = sf.read(path, dtype="float32", always_2d=True)
    except (sf.SoundFileError, OSError, UnicodeEncodeError) as error:
        raise TorchdrumError(f"{path} cannot be read as audio ({getattr(error, 'error_string', error)})") from None
    if len(x) == 0:
        raise TorchdrumError(f"{path} has no samples")
    return x, int(rate)


def same_file(a: str | os.PathLike, b: str | os.PathLike) -> bool:
    """Whether two names lead to one file, which need not be there yet."""
    return os.path.realpath(a) == os.path.realpath(b) or (os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b))


@contextlib.contextmanager
def whole_file(path: str | os.PathLike):
    """Gives a temporary path beside path, which takes its place when the block ends well and vanishes when it does not."""
    path = Path(path)
    if os.path.isdir(path):
        raise TorchdrumError(f"{path} is a folder, a file name is needed")
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".torchdrum-", suffix=path.suffix)
    except OSError as error:
        raise cannot(path, "written", error) from None
    os.close(handle)
    try:
        yield Path(name)
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
        os.replace(name, path)
    except OSError as error:
        raise cannot(path, "written", error) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(name)


def check_audio_name(path: str | os.PathLike) -> str:
    """The format that the ending of a file to be written names; TorchdrumError when it names none or the folder is not there."""
    kind = {"AIF": "AIFF"}.get(ending := Path(path).suffix[1:].upper(), ending)
    if kind not in sf.available_formats() or kind in NO_USE:
        raise TorchdrumError(f"{path}: give the output an audio ending such as .wav or .flac")
    if not os.path.isdir(folder := Path(path).parent):
        raise TorchdrumError(f"{path} cannot be written (there is no folder {folder})")
    return kind


def write_audio(path: str | os.PathLike, x: np.ndarray, rate: int):
    """Writes samples [n, channels] or [n]: WAV and AIFF as 32-bit float, FLAC in 24 bits, everything else as soundfile's default."""
    write_all({path: x}, rate)


def write_all(sounds: dict[str | os.PathLike, np.ndarray], rate: int):
    """As write_audio for several files: none takes its place before all are written."""
    with contextlib.ExitStack() as stack:
        for path, x in sounds.items():
            kind = check_audio_name(path)
            wanted = {"WAV": "FLOAT", "FLAC": "PCM_24", "AIFF": "FLOAT"}.get(kind)
            temporary = stack.enter_context(whole_file(path))
            try:
                sf.write(temporary, x, rate, format=kind, subtype=wanted)
            except (sf.SoundFileError, ValueError) as error:
                raise TorchdrumError(f"{path} cannot be written ({getattr(error, 'error_string', error)})") from None

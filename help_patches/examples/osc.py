# SPDX-License-Identifier: MIT
"""Plays osc.pd over the network: a rhythm goes there, strokes come back. Nothing but Python is needed.

python osc.py               open osc.pd and turn DSP on first
python osc.py --port 9900   where the patch listens elsewhere
"""

from __future__ import annotations

import argparse
import socket
import struct
import time

PORT = 9808


def padded(text: str) -> bytes:
    data = text.encode()
    return data + bytes(4 - len(data) % 4)


def packet(address: str, *arguments: str | float) -> bytes:
    """One OSC message: words stay words, every number is a float."""
    tags = "".join("s" if isinstance(a, str) else "f" for a in arguments)
    return padded(address) + padded("," + tags) + b"".join(padded(a) if isinstance(a, str) else struct.pack(">f", a) for a in arguments)


def unpacked(data: bytes) -> tuple[str, list]:
    """Address and arguments of such a message."""

    def word() -> str:
        nonlocal data
        text = data[: data.index(0)]
        data = data[len(text) + 4 - len(text) % 4 :]
        return text.decode()

    def number() -> float:
        nonlocal data
        (value,) = struct.unpack(">f", data[:4])
        data = data[4:]
        return value

    address = word()
    return address, [word() if tag == "s" else number() for tag in word()[1:]]


class Drum:
    """drum.send("load", "open_snare") is the message load open_snare to the object in the patch."""

    def __init__(self, port: int = PORT):
        self.there = ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.send("reply", self.socket.getsockname()[1])

    def send(self, name: str, *arguments: str | float):
        self.socket.sendto(packet(f"/torchdrum/{name}", *arguments), self.there)

    def answer(self, seconds: float) -> tuple[str, list] | None:
        """The next thing that comes back, such as ("/torchdrum/features", [-20.1, 95.2, -9.3])."""
        self.socket.settimeout(max(seconds, 1e-3))
        try:
            return unpacked(self.socket.recv(65536))
        except OSError:  # nothing yet, or nobody there
            return None


def rhythm(bars: int = 2, tempo: float = 105):
    """Seconds, loudness, brightness and noisiness of each stroke."""
    for step in range(16 * bars):
        beat, loud = step * 15 / tempo, (0.92, 0, 0.5, 0, 0.82, 0, 0.55, 0.62)[step % 8]
        if loud:
            yield beat, loud, (0.55, 0.8)[step % 8 == 4], 0.4 + 0.5 * (step * 5 % 16) / 16


def play(drum: Drum, strokes, heard=print):
    """Sends strokes at their times; what comes back meanwhile goes to heard."""
    start = time.monotonic()
    for seconds, *stroke in strokes:
        while (left := start + seconds - time.monotonic()) > 0:
            if came := drum.answer(left):
                heard(*came)
        drum.send("trigger", *stroke)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=PORT)
    drum = Drum(parser.parse_args().port)
    for model in ("snare_1", "open_snare"):
        drum.send("load", model)
        play(drum, rhythm())
    drum.send("preset", "noisy_snare")
    play(drum, rhythm())


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: MIT
"""[torchdrum~] in real Pd, headless: builds the object, writes patches, runs them, reads what came out.

Pd's exit code proves nothing: outputs are deleted before a run, the log is searched for errors, and who asks looks at what was written.
"""

from __future__ import annotations

import os
import platform
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import soundfile as sf

ROOT = Path(__file__).resolve().parent.parent
HOSTS = ROOT / "build" / "hosts"
HEADERS = ["/usr/include/pd", "/usr/local/include/pd", str(HOSTS / "pd-0.55/usr/include/pd"), "/opt/homebrew/include/pd"]
FLAGS = ["-std=gnu11", "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fvisibility=hidden", "-fPIC"]
BLOCK = 64
ERRORS = re.compile(r"couldn't create|error:|can't|no such object")


CPU = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
EMULATORS = {"arm64": "qemu-aarch64", "armv7": "qemu-arm"}


@dataclass(frozen=True)
class Host:
    """A Pd. before: the words before its command, of an emulator."""

    name: str
    program: Path
    double: bool
    cpu: str = CPU
    before: tuple[str, ...] = ()

    def version(self) -> str:
        """As it says: 0.55.2."""
        said = subprocess.run([*self.before, self.program, "-nogui", "-version"], capture_output=True, text=True, timeout=60)
        return re.search(r"Pd-([\d.]+)", said.stdout + said.stderr)[1]


def find_hosts() -> dict[str, Host]:
    """The Pd versions that are here."""
    found = {}
    if pd := shutil.which("pd"):
        found["pd-installed"] = Host("pd-installed", Path(pd), False)
    for name, program, double in (("pd-0.55", "puredata", False), ("pd-0.55-double", "puredata64", True)):
        path = HOSTS / name / "usr" / "bin" / program
        if path.exists():
            found[name] = Host(name, path, double)
    for cpu, emulator in EMULATORS.items():
        for program, double in (("puredata", False), ("puredata64", True)):
            name, root = f"pd-{cpu}{'-double' * double}", HOSTS / f"pd-{cpu}"
            if (root / "usr" / "bin" / program).exists() and shutil.which(emulator):
                found[name] = Host(name, root / "usr" / "bin" / program, double, cpu, (emulator, "-L", str(root)))
    return found


def build_object(folder: Path, double: bool, *extra: str) -> Path:
    """Compiles the object for a float size into folder; returns the file."""
    ending = f"linux-{CPU}-64.so" if double else "pd_linux"
    target = folder / f"torchdrum~.{ending}"
    sources = sorted(source for part in ("pd_external", "core/src", "core/host") for source in (ROOT / part).glob("*.c"))
    includes = [f"-I{path}" for path in [ROOT / "core" / "include", ROOT / "core" / "host", *HEADERS]]
    command = [*shlex.split(os.environ.get("CC", "cc")), "-shared", *FLAGS, f"-DPD_FLOATSIZE={64 if double else 32}", *includes, *extra]
    result = subprocess.run([*command, *sources, "-o", target, "-lm", "-lpthread", "-ldl"], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return target


@dataclass
class Patch:
    """A Pd patch in the making. obj and msg return the number that cord takes."""

    declare: list[Path] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    cords: list[str] = field(default_factory=list)

    def add(self, kind: str, words: str) -> int:
        self.boxes.append(f"#X {kind} 10 {20 * len(self.boxes)} {words};")
        return len(self.boxes) - 1

    def obj(self, words: str) -> int:
        return self.add("obj", words)

    def msg(self, words: str) -> int:
        return self.add("msg", words.replace("$", "\\$").replace(",", " \\,").replace(";", " \\;"))

    def sub(self, inside: Patch, name: str) -> int:
        self.boxes.append("\n".join([f"#N canvas 0 0 450 300 {name} 0;", *inside.boxes, *inside.cords, f"#X restore 10 10 pd {name};"]))
        return len(self.boxes) - 1

    def cord(self, a: int, outlet: int, b: int, inlet: int = 0):
        self.cords.append(f"#X connect {a} {outlet} {b} {inlet};")

    def text(self) -> str:
        # -path is ignored while the patch itself loads, and so is a declare object: the line must stand right here
        declares = [f"#X declare -path {str(path).replace(' ', chr(92) + ' ')};" for path in self.declare]
        return "\n".join(["#N canvas 0 0 450 300 12;", *declares, *self.boxes, *self.cords]) + "\n"


@dataclass(frozen=True, eq=False)
class Run:
    """log: lines of the console. drum, trigger: float32 signals. hits: ms since the start of the sound."""

    log: list[str]
    drum: np.ndarray
    trigger: np.ndarray

    def said(self, prefix: str) -> list[str]:
        """What a print object or the object itself said, without the prefix."""
        return [line[len(prefix) :].lstrip() for line in self.log if line.startswith(prefix)]

    @property
    def hits(self) -> np.ndarray:
        return np.array([float(x) for x in self.said("hit:")])

    @property
    def errors(self) -> list[str]:
        return [line for line in self.log if ERRORS.search(line)]


def run_patch(host: Host, folder: Path, patch: Patch, rate: int = 48000, before: tuple[str, ...] = (), timeout: float = 120) -> list[str]:
    """Runs a patch until it quits; returns the console's lines."""
    path = folder / "test.pd"
    path.write_text(patch.text())
    command = [
        *before,
        *host.before,
        str(host.program),
        "-batch",
        "-noaudio",
        "-nogui",
        "-noprefs",
        "-stderr",
        "-r",
        str(rate),
        "-open",
        path.name,
    ]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, errors="replace")
    assert result.returncode == 0, f"exit code {result.returncode}\n{result.stderr}"
    return result.stderr.splitlines()


def play(
    host: Host,
    where: Path,
    folder: Path,
    x: np.ndarray,
    rate: int = 48000,
    arguments: str = "-seed 5",
    messages: list[tuple[float, str]] = (),
    block: int | None = None,
    tail: int = 24000,
    before: tuple[str, ...] = (),
    what: str = "torchdrum~",
) -> Run:
    """Sends x through [torchdrum~ arguments] and keeps both signals. what: the object, or an abstraction that stands for it.

    where: folder of the object. messages: (ms after the start, words); those at 0 come before the first sample. block: inside a
    subpatch with block~. tail: samples after x.
    """
    for name in ("in.wav", "drum.wav", "trigger.wav"):
        (folder / name).unlink(missing_ok=True)
    sf.write(folder / "in.wav", np.asarray(x, np.float32), rate, subtype="FLOAT")
    length = len(x) + tail
    p = Patch(declare=[where])
    start, order = p.obj("loadbang"), p.obj("t b b b b b")
    p.cord(start, 0, order)
    dsp, read, filer = p.msg("; pd dsp 1"), p.msg("read -resize in.wav in"), p.obj("soundfiler")
    p.cord(order, 4, read)
    p.cord(read, 0, filer)
    p.cord(order, 3, dsp)
    tables = [p.obj("table in"), p.obj(f"table drum {length}"), p.obj(f"table trigger {length}")]
    assert len(tables) == 3
    player, drum, trigger = p.obj("tabplay~ in"), p.obj("tabwrite~ drum"), p.obj("tabwrite~ trigger")
    if block is None:
        td = p.obj(f"{what} {arguments}")
    else:
        inside = Patch()
        signal, control = inside.obj("inlet~"), inside.obj("inlet")
        inner = inside.obj(f"{what} {arguments}")
        outlets = [inside.obj(kind) for kind in ("outlet~", "outlet~", "outlet", "outlet", "outlet", "outlet")]
        inside.obj(f"block~ {block}")
        inside.cord(signal, 0, inner)
        inside.cord(control, 0, inner)
        for k, outlet in enumerate(outlets):
            # Pd orders inlets and outlets by their place from left to right
            inside.boxes[outlet] = inside.boxes[outlet].replace("obj 10 ", f"obj {10 + 60 * k} ")
            inside.cord(inner, k, outlet)
        inside.boxes[control] = inside.boxes[control].replace("obj 10 ", "obj 100 ")
        td = p.sub(inside, "inside")
    inlet = 0 if block is None else 1
    p.cord(player, 0, td)
    p.cord(td, 0, drum)
    p.cord(td, 1, trigger)
    timer = p.obj("timer")
    p.cord(td, 2, timer, 1)
    for outlet, name in ((2, "bang"), (3, "features"), (4, "params"), (5, "info")):
        p.cord(td, outlet, p.obj(f"print {name}"))
    p.cord(timer, 0, p.obj("print hit"))
    # right to left: the clock starts, messages at once, then the sound
    p.cord(order, 2, timer)
    for at, words in messages:
        message = p.msg(words)
        if at:
            delay = p.obj(f"delay {at}")
            p.cord(order, 1, delay)
            p.cord(delay, 0, message)
        else:
            p.cord(order, 1, message)
        p.cord(message, 0, td, inlet)
    for box in (player, drum, trigger):
        p.cord(order, 0, box)
    end, finish = p.obj(f"delay {1000 * (length / rate) + 200}"), p.obj("t b b b")
    p.cord(order, 0, end)
    p.cord(end, 0, finish)
    p.cord(finish, 0, p.msg("; pd quit"))
    for outlet, name in ((2, "drum"), (1, "trigger")):
        write = p.msg(f"write -wave -bytes 4 {name}.wav {name}")
        p.cord(finish, outlet, write)
        p.cord(write, 0, filer)
    log = run_patch(host, folder, p, rate, before)
    signals = []
    for name in ("drum", "trigger"):
        assert (folder / f"{name}.wav").exists(), "Pd wrote no sound:\n" + "\n".join(log)
        signals.append(sf.read(folder / f"{name}.wav", dtype="float32")[0])
    return Run(log, *signals)

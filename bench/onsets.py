# SPDX-License-Identifier: MIT
"""Onset detectors side by side on strokes at known times: how many each finds, how late, and how many too many.

    python bench/onsets.py [--truth DIR | --keep DIR] [--seed N] [--detectors rise,aubio] [--plot FILE.png] [--checks] [--json FILE]

--truth takes a folder with truth.json ({"set_0": {"set": …, "onsets": [{"t": s, "db": peak dBFS, "inst": …}, …]}, …}) and set_0.wav, ….
Without it a set is built from the single hits of tests/audio; the same seed gives the same sound. --checks adds what can go wrong with
the detectors of torchdrum: false hits, causality, sample rates, sensitivity, the drum fed back into the input.
The others, when installed: aubioonset (aubio-tools), pd with bonk~ (puredata-extra; PD_EXTRA names its folder if Pd does not find it),
librosa. A detection counts for at most one stroke, in the order of time, and a stroke for one detection."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, lfilter, sosfilt

from torchdrum_py import Engine, TorchdrumError
from torchdrum_py.stages import onsets

AUDIO = Path(__file__).resolve().parent.parent / "tests" / "audio"
RATE, PAD, SECONDS, FILES = 48000, 480, 20, 8  # of the set built here: silence before a hit in samples, length and number of files
OURS = ("rise", "classic")


# ---- strokes at known times ----


def sounds(rng) -> dict[str, list[np.ndarray]]:
    """Five versions of each single hit, up to a semitone apart. A hit with several attacks has no one onset and is left out."""
    found = {}
    for path in sorted(p for p in AUDIO.glob("*.flac") if not p.name.startswith("loop_")):
        x, rate = soundfile.read(path)
        x = np.concatenate([np.zeros(PAD), x])
        versions = [soxr.resample(x, rate, RATE * 2 ** (semitones / 12), quality="VHQ") for semitones in rng.uniform(-1, 1, 5)]
        if all(attack(v, 0.7) - attack(v, 0.01) < 0.003 * RATE for v in versions):
            found[path.stem.split("_", 1)[1]] = versions
    return found


def attack(x, share: float) -> int:
    """The first sample above a share of the peak of the first 60 ms."""
    loud = np.abs(x[: PAD + int(0.06 * RATE)])
    return int(np.argmax(loud > share * loud.max()))


def stroke(sound, db: float) -> tuple[np.ndarray, int]:
    """The sound at a peak level and the sample at which it starts (1 % of the peak). Softer strokes are duller."""
    pole = np.exp(-2 * np.pi * 16000 * 10 ** (db / 50) / RATE)
    y = lfilter([1 - pole], [1, -pole], sound)
    return y * 10 ** (db / 20) / np.abs(y[: PAD + int(0.06 * RATE)]).max(), attack(y, 0.01)


def dynamics(rng, names):
    """One drum, swelling over 40 dB. Like the next ones it yields (time in s, sound, level in dB, what it is called)."""
    t, name, period = 0.5, names[0], rng.uniform(6, 10)
    while True:
        yield t, name, -22 + 20 * np.sin(2 * np.pi * t / period) + rng.normal(0, 1.5), name
        t += rng.choice([0.11, 0.16, 0.22, 0.33, 0.45]) + rng.normal(0, 0.004)


def rolls(rng, names):
    """Rolls that change speed and level, flams, and drags (two grace notes)."""
    t, name = 0.5, names[0]
    while True:
        kind = rng.choice(["roll", "flam", "drag"])
        if kind == "roll":
            count = rng.integers(10, 19)
            gaps = np.linspace(*rng.uniform(0.032, 0.075, 2), count) * rng.normal(1, 0.05, count)
            levels = np.linspace(*rng.uniform(-26, -4, 2), count)
            for gap, db in zip(gaps, levels, strict=True):
                yield t, name, db + rng.normal(0, 1.5), "roll"
                t += gap
        else:
            db = rng.uniform(-10, -2)
            for _ in range(1 if kind == "flam" else 2):
                yield t, name, db - rng.uniform(8, 16), "grace"
                t += rng.uniform(0.028, 0.048)
            yield t, name, db, kind
        t += rng.uniform(0.35, 0.8)


def ghosts(rng, names):
    """Accents with ghost notes between them, 14 to 32 dB softer."""
    name, step = names[0], rng.uniform(0.11, 0.17)
    for i in range(10**6):
        t = 0.5 + i * step + rng.normal(0, 0.004)
        if i % 4 == 0:
            yield t, name, rng.uniform(-6, -2), "accent"
        elif rng.random() < 0.6:
            yield t, name, rng.uniform(-34, -20), "ghost"


def kit(rng, names):
    """A groove for two drums with a cymbal at the same instants and between them."""
    (low, high), step = [name for name in names if name != "cymbal_closed"][:2], rng.uniform(0.11, 0.17)
    for i in range(10**6):
        t = 0.5 + i * step + rng.normal(0, 0.003)
        if i % 16 in (0, 7, 10):
            yield t, low, rng.uniform(-8, -3), low
        elif i % 8 == 4 or rng.random() < 0.1:
            yield t, high, rng.uniform(-6, -2) if i % 8 == 4 else rng.uniform(-28, -18), high
        if i % 2 == 0:
            yield t, "cymbal_closed", rng.uniform(-24, -12), "cymbal_closed"


def noise(rng, names):
    """Quiet strokes in a noisy room."""
    t = 0.5
    while True:
        yield t, rng.choice(names), rng.uniform(-45, -15), "quiet"
        t += rng.uniform(0.2, 0.7)


SETS = {dynamics: -85, rolls: -85, ghosts: -85, kit: -85, noise: -60}  # with their noise floors in dBFS RMS


def hum(rng, n: int, noise_db: float, hum_db: float) -> np.ndarray:
    """White noise and mains hum at 50 Hz, each at its RMS level."""
    x = rng.standard_normal(n, np.float32) * np.float32(10 ** (noise_db / 20))
    return x + np.sin(2 * np.pi * 50 / RATE * np.arange(n)).astype(np.float32) * np.float32(2**0.5 * 10 ** (hum_db / 20))


def build(folder: Path, seed: int):
    """Writes the sets of SETS and truth.json. Strokes at the same instant are one onset, named after the louder one."""
    folder.mkdir(parents=True, exist_ok=True)
    truth, pool = {}, sounds(np.random.default_rng(seed))
    for number, (play, floor_db) in enumerate(SETS.items()):
        order = np.random.default_rng([seed, number]).permutation(list(pool))  # every drum has its file in every set
        for k in range(FILES):
            rng = np.random.default_rng([seed, number, k])
            x, heard = np.zeros((SECONDS + 3) * RATE), {}
            for t, name, db, inst in play(rng, np.roll(order, k)):
                if t > SECONDS - 0.2:
                    break
                sound, start = stroke(pool[name][rng.integers(5)], db)
                at = round(t * RATE)
                x[at - start : at - start + len(sound)] += sound
                heard[at] = max(heard.get(at, (-np.inf,)), (db, str(inst)))
            x = x[: SECONDS * RATE] + hum(rng, SECONDS * RATE, floor_db, floor_db - 3 if k % 2 else -np.inf)
            soundfile.write(folder / f"{play.__name__}_{k}.wav", x.astype(np.float32), RATE, subtype="FLOAT")
            strokes = [{"t": at / RATE, "db": float(db), "inst": inst} for at, (db, inst) in sorted(heard.items())]
            truth[f"{play.__name__}_{k}"] = {"set": play.__name__, "dur": SECONDS, "onsets": strokes}
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")


# ---- detectors: path -> times in s ----


def ours(path, rate: int | None = None, **settings) -> np.ndarray:
    """torchdrum; with a rate: the file brought to that rate first."""
    x, at = soundfile.read(path, dtype="float32")
    if rate:
        x, at = soxr.resample(x, at, rate, quality="VHQ"), rate
    return onsets(x, at, **settings).samples / at


def aubio(path, live: bool) -> np.ndarray:
    """What aubioonset prints has its delay of 4.3 hops taken off, which only a recording allows; live leaves it in."""
    command = ["aubioonset", "-i", path, "-O", "specflux", "-B", "512", "-H", "256"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    return np.array(text.split(), float) + live * 4.3 * 256 / soundfile.info(path).samplerate


PATCH = r"""#N canvas 0 0 450 300 12; #X obj 300 10 table sound;
#X obj 10 10 loadbang; #X msg 10 40 read -resize -maxsize 1e+09 in.wav sound; #X obj 10 70 soundfiler; #X obj 10 100 t b f b;
#X msg 200 130 \; pd dsp 1; #X obj 120 130 print frames; #X obj 10 130 delay 16 64 samp; #X obj 10 160 t b b b;
#X obj 200 190 timer 64 samp; #X obj 100 190 tabplay~ sound; #X obj 10 190 delay {blocks} 64 samp; #X msg 10 220 \; pd quit;
#X obj 100 220 bonk~; #X obj 100 250 t b; #X obj 200 250 print hit;
"""
WIRES = "1 0 2 0,2 0 3 0,3 0 4 0,4 2 5 0,4 1 6 0,4 0 7 0,7 0 8 0,8 2 9 0,8 1 10 0,8 0 11 0,11 0 12 0,10 0 13 0,13 0 14 0,14 0 9 1,9 0 15 0"
PATCH += "".join(f"#X connect {wire};\n" for wire in WIRES.split(","))


def bonk(path) -> np.ndarray:
    """bonk~ with its defaults in real Pd: the logical time of its output, which is the end of the 64 samples in which it knew."""
    info = soundfile.info(path)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, f"{folder}/in.wav")
        patch = Path(folder) / "bonk.pd"
        patch.write_text(PATCH.format(blocks=info.frames // 64 + 64), encoding="utf-8")
        command = ["pd", "-batch", "-noaudio", "-nogui", "-noprefs", "-stderr", "-r", str(info.samplerate), "-open", patch]
        if extra := os.environ.get("PD_EXTRA"):
            command += ["-path", str(Path(extra).resolve())]
        log = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stderr
    said = [line.split(": ", 1) for line in log.splitlines() if ": " in line]
    frames = [float(value) for key, value in said if key == "frames"]
    if "couldn't create" in log:
        raise RuntimeError("Pd cannot create bonk~")
    if "error:" in log or len(frames) != 1 or abs(frames[0] / info.frames - 1) > 1e-3:
        raise RuntimeError("Pd says: " + " ".join(log.split()))
    return np.array([float(value) for key, value in said if key == "hit"]) * 64 / info.samplerate


def bonk_missing() -> str:
    if why := lacks(shutil.which, "pd"):
        return why
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(f"{folder}/silence.wav", np.zeros(4800), RATE)
        try:
            bonk(f"{folder}/silence.wav")
        except RuntimeError as error:
            return str(error)
    return ""


def librosa(path) -> np.ndarray:
    from librosa.onset import onset_detect

    x, rate = soundfile.read(path, dtype="float32")
    return onset_detect(y=x, sr=rate, hop_length=128, units="time")


def lacks(find, name: str) -> str:
    return "" if find(name) else f"{name} is not installed"


DETECTORS = {  # what it is, how to run it, why it cannot run ("" when it can)
    "rise": ("torchdrum's own", partial(ours, detector="rise"), str),
    "classic": ("torchdrum's copy of TorchDrum's", partial(ours, detector="classic"), str),
    "aubio": (
        "specflux, 512/256, as it prints: its delay taken off",
        partial(aubio, live=False),
        partial(lacks, shutil.which, "aubioonset"),
    ),
    "aubio-live": ("the same, its delay left alone: no correction", partial(aubio, live=True), partial(lacks, shutil.which, "aubioonset")),
    "bonk": ("Pd's bonk~, its defaults, when a patch hears of it", bonk, bonk_missing),
    "librosa": ("onset_detect, hop 128; offline: it has seen the whole file", librosa, partial(lacks, importlib.util.find_spec, "librosa")),
}


def in_parallel(label: str, function, *columns) -> list:
    """map(function, *columns) over the cores; progress on stderr."""
    results = []
    with ProcessPoolExecutor() as pool:
        for result in pool.map(function, *columns):
            results.append(result)
            print(f"\r{label}: {len(results)} of {len(columns[0])} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return results


# ---- figures ----


class Truth:
    """Files with known times, s, and their strokes one after the other: set, name, peak dBFS, ms since the stroke before [n]."""

    def __init__(self, folder: Path):
        files = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
        self.paths, self.file_sets = [folder / f"{name}.wav" for name in files], [file["set"] for file in files.values()]
        self.sets = list(dict.fromkeys(self.file_sets))
        self.times = [np.array([stroke["t"] for stroke in file["onsets"]]) for file in files.values()]
        self.set = np.repeat(self.file_sets, [len(times) for times in self.times])
        self.inst, self.db = (np.array([stroke[key] for file in files.values() for stroke in file["onsets"]]) for key in ("inst", "db"))
        self.gap_ms = np.concatenate([np.diff(times, prepend=-np.inf) * 1000 for times in self.times])


def latencies(true, found, tolerance_ms: float) -> np.ndarray:
    """ms from each true time to its detection, NaN where there is none within the tolerance."""
    result, j = np.full(len(true), np.nan), 0
    for i, t in enumerate(true):
        j += np.searchsorted(found[j:], t - tolerance_ms / 1000)
        if j < len(found) and found[j] <= t + tolerance_ms / 1000:
            result[i] = (found[j] - t) * 1000
            j += 1
    return result


class Score:
    """A detector's times in the files of a truth beside it; latency_ms: of each stroke, NaN when missed [n]."""

    def __init__(self, truth: Truth, found: list[np.ndarray]):
        self.truth, self.found, self.found_set = truth, found, np.repeat(truth.file_sets, [len(f) for f in found])
        self.latency_ms = self.within(10)
        self.hit = np.isfinite(self.latency_ms)

    def within(self, tolerance_ms: float) -> np.ndarray:
        pairs = zip(self.truth.times, self.found, strict=True)
        return np.concatenate([latencies(times, found, tolerance_ms) for times, found in pairs])

    def agreement(self, only: str | None = None, tolerance_ms: float = 10) -> tuple[float, float, float]:
        """Precision, recall and F1 in one set or in all."""
        hit = self.hit if tolerance_ms == 10 else np.isfinite(self.within(tolerance_ms))
        found = np.sum((self.found_set == only) | (only is None))
        hit = hit[(self.truth.set == only) | (only is None)]
        return float(hit.sum() / max(found, 1)), float(hit.mean()), float(2 * hit.sum() / (found + len(hit)))

    def row(self) -> dict:
        row = {f"F1 {only}": self.agreement(only)[2] for only in self.truth.sets}
        row["precision"], row["recall"], row["F1 all"] = self.agreement()
        row["F1@5 all"] = self.agreement(tolerance_ms=5)[2]
        middle, slow = np.percentile(self.latency_ms[self.hit], (50, 90)).tolist() if self.hit.any() else (None, None)
        return row | {
            "median ms": middle,
            "90 % ms": slow,
            "early": float(np.mean(self.latency_ms[self.hit] < 0)) if self.hit.any() else None,
        }


def by_instrument(score: Score, z: float = 1.96) -> list[dict]:
    """Recall and its 95 % interval (Wilson 1927) for what has 20 strokes or more."""
    rows = []
    for inst, n in sorted(Counter(score.truth.inst.tolist()).items()):
        if n >= 20:
            found = int(score.hit[score.truth.inst == inst].sum())
            p, all_of_it = found / n, 1 + z * z / n
            middle, half = (p + z * z / (2 * n)) / all_of_it, z * (p * (1 - p) / n + (z / (2 * n)) ** 2) ** 0.5 / all_of_it
            rows.append({"stroke": inst, "n": n, "found": found, "recall": p, "from": middle - half, "to": middle + half})
    return rows


# ---- checks ----


def sine(rng) -> np.ndarray:
    t = np.arange(3 * RATE) / RATE
    return 10 ** (-6 / 20) * np.minimum(t, 1) * np.sin(2 * np.pi * 440 * t)


def applause(rng, seconds: int = 60, claps_per_s: int = 500) -> np.ndarray:
    """A large crowd: claps at Poisson times out of 64 band-passed bursts of noise that decay within 2 to 6 ms, levels scattered by 4 dB,
    the crowd swelling by ±6 dB in 8 s. With 2 ms between claps that last longer no single one stands out: every detection is false."""
    bursts, n = [], RATE // 50
    for _ in range(64):
        centre = rng.uniform(800, 3000)
        band = butter(2, [centre / 1.5, centre * 1.5], "bandpass", fs=RATE, output="sos")
        bursts.append(sosfilt(band, rng.standard_normal(n)) * np.exp(-np.arange(n) / RATE / rng.uniform(0.002, 0.006)))
    x = np.zeros(seconds * RATE + n)
    for at in rng.integers(0, seconds * RATE, rng.poisson(claps_per_s * seconds)):
        x[at : at + n] += bursts[rng.integers(64)] * 10 ** (rng.normal(0, 4) / 20)
    x *= 10 ** (6 / 20 * np.sin(2 * np.pi * np.arange(len(x)) / RATE / 8))
    return x * 10 ** (-20 / 20) / np.sqrt(np.mean(x**2))


EMPTY = {
    "10 minutes of white noise at −60 dBFS RMS and 50 Hz hum at −40 dBFS RMS": partial(hum, n=600 * RATE, noise_db=-60, hum_db=-40),
    "sine, 440 Hz, −6 dBFS, fading in over 1 s": sine,
    "1 minute of applause, −20 dBFS RMS": applause,
}


def false_hits(kind: str, seed: int) -> dict:
    x = EMPTY[kind](np.random.default_rng([seed, 99]))
    return {"sound": kind} | {f"hits of {name}": len(onsets(x, RATE, detector=name).samples) for name in OURS}


def causality(path: Path, seed: int) -> dict:
    """How many cuts of a file changed the hits before the cut."""
    x, rate = soundfile.read(path, dtype="float32")
    row = {"file": path.stem, "cuts": 12}
    cuts = np.random.default_rng([seed, 98]).integers(1, len(x), row["cuts"])
    for name in OURS:
        whole, parts = onsets(x, rate, detector=name).samples, [onsets(x[:cut], rate, detector=name).samples for cut in cuts]
        row[f"changed, {name}"] = sum(not np.array_equal(part, whole[whole < cut]) for part, cut in zip(parts, cuts, strict=True))
    return row


def rerun(truth: Truth, **settings) -> tuple[float, float, float]:
    found = in_parallel(" ".join(f"{key} {value}" for key, value in settings.items()), partial(ours, **settings), truth.paths)
    return Score(truth, found).agreement()


def by_rate(truth: Truth) -> list[dict]:
    rows = []
    for name in OURS:
        own = rerun(truth, detector=name)[2]
        others = {f"{rate} Hz": rerun(truth, detector=name, rate=rate)[2] - own for rate in (44100, 88200, 96000)}
        rows.append({"detector": name, "F1 as it is": own} | others)
    return rows


def by_sensitivity(truth: Truth) -> list[dict]:
    rows = []
    for sensitivity in range(0, 101, 10):
        precision, recall, f1 = rerun(truth, detector="rise", sensitivity=sensitivity)
        rows.append({"sensitivity %": sensitivity, "precision": precision, "recall": recall, "F1": f1})
    return rows


def feedback(path: Path, level_db: float, delay_ms: float) -> np.ndarray:
    """Strokes that the engine hears in 20 s while its drum comes back into its input, a block of samples later, s."""
    x, rate = soundfile.read(path, dtype="float32", frames=20 * soundfile.info(path).samplerate)
    size, engine = round(delay_ms * rate / 1000), Engine(rate, detector="rise")
    drum = np.zeros(size, np.float32)
    for at in range(0, len(x), size):
        block = x[at : at + size]
        drum, _ = engine.process(block + drum[: len(block)] * np.float32(10 ** (level_db / 20)))
    return np.array([event.detected for event in engine.events if event.kind == "stroke"]) / rate


def by_feedback(paths: list[Path]) -> list[dict]:
    ways = [(-np.inf, 10), *((level, delay) for level in (-12, -20, -30) for delay in (5, 10, 20, 40))]
    heard = in_parallel("feedback", feedback, *zip(*((path, *way) for way in ways for path in paths), strict=True))
    dry, *runs = (heard[i : i + len(paths)] for i in range(0, len(heard), len(paths)))
    before, rows = sum(map(len, dry)), []
    for (level, delay), wet in zip(ways[1:], runs, strict=True):
        kept = sum(int(np.isfinite(latencies(d, w, 10)).sum()) for d, w in zip(dry, wet, strict=True))
        row = {"drum, dB": level, "delay, ms": delay, "dry strokes": before, "strokes": sum(map(len, wet)), "kept": kept / before}
        rows.append(row | {"extra": row["strokes"] - kept})
    return rows


# ---- output ----


def show(report: dict, title: str, rows: list[dict]):
    """Prints rows of one kind as a Markdown table and keeps them for --json."""

    def cell(name: str, value) -> str:
        if not isinstance(value, float):
            return "–" if value is None else str(value)
        return f"{value:.2f}" if name.endswith("ms") else f"{value:.3f}"

    report[title] = rows
    print(f"\n{title}\n\n| {' | '.join(rows[0])} |\n|{'---|' * len(rows[0])}")
    for row in rows:
        print(f"| {' | '.join(cell(name, value) for name, value in row.items())} |", flush=True)


def recall_curve(axes, values, hit, edges, **look):
    """Recall in bins of at least 10 strokes, each drawn at the median of its strokes."""
    bins = [inside for low, high in pairwise(edges) if (inside := (values >= low) & (values < high)).sum() >= 10]
    axes.plot([np.median(values[inside]) for inside in bins], [hit[inside].mean() for inside in bins], linewidth=1.6, **look)


def plot(target: Path, truth: Truth, scores: dict[str, Score]):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    colours = ("#0072B2", "#E69F00", "#009E73", "#56B4E9", "#CC79A7", "#000000")  # Okabe and Ito 2008
    looks = {name: {"color": colour, "marker": mark} for name, colour, mark in zip(DETECTORS, colours, "os^v*D", strict=True)}
    figure, ((by_set, by_db), (by_gap, late)) = plt.subplots(2, 2, figsize=(13, 9), layout="constrained")
    for i, (name, score) in enumerate(scores.items()):
        f1 = [score.agreement(only)[2] for only in (*truth.sets, None)]
        by_set.bar(np.arange(len(f1)) + (i + 0.5) / len(scores) * 0.85 - 0.425, f1, 0.85 / len(scores), color=looks[name]["color"])
        recall_curve(by_db, truth.db, score.hit, np.arange(-50, 1, 5), label=name, **looks[name])
        recall_curve(by_gap, truth.gap_ms, score.hit, np.geomspace(12, 1200, 13), **looks[name])
        late.hist(score.latency_ms[score.hit], np.arange(-10, 10.1, 0.5), histtype="step", linewidth=1.8, color=looks[name]["color"])
    by_set.set(title="F1 within ±10 ms", ylabel="F1", ylim=(0, 1.02))
    by_set.set_xticks(range(len(truth.sets) + 1), [*truth.sets, "all"])
    by_db.set(title="strokes found, by their level", xlabel="peak, dBFS", ylabel="recall", ylim=(-0.02, 1.02))
    by_gap.set(title="strokes found, by the gap to the stroke before", xlabel="gap, ms", ylabel="recall", ylim=(-0.02, 1.02), xscale="log")
    by_gap.minorticks_off()
    by_gap.set_xticks([20, 50, 100, 200, 500, 1000], ["20", "50", "100", "200", "500", "1000"])
    late.set(title="latency of the strokes found", xlabel="detection − true time, ms", ylabel="strokes in 0.5 ms", yscale="log")
    for axes in (by_set, by_db, by_gap, late):
        axes.grid(alpha=0.3)
        axes.set_axisbelow(True)
    figure.legend(*by_db.get_legend_handles_labels(), loc="outside lower center", ncols=len(scores))
    figure.savefig(target, dpi=130)


def checks(report: dict, truth: Truth, seed: int):
    first = [truth.paths[truth.file_sets.index(name)] for name in truth.sets]
    show(report, "Hits in sounds without a stroke", in_parallel("no strokes", partial(false_hits, seed=seed), list(EMPTY)))
    show(report, "Cuts of a file that changed the hits before the cut", in_parallel("causality", partial(causality, seed=seed), first))
    show(report, "F1, and how far it moves when the files are brought to other sample rates", by_rate(truth))
    show(report, "Sensitivity of rise", by_sensitivity(truth))
    show(report, "The drum fed back into the input: 20 s of the first file of each set", by_feedback(first))


def run(args: argparse.Namespace, folder: Path):
    truth, scores, report = Truth(folder), {}, {}
    print(f"{len(truth.db)} strokes in {len(truth.paths)} files ({args.truth or f'built with seed {args.seed}'})\n")
    for name in args.detectors:
        about, find, missing = DETECTORS[name]
        if why := missing():
            print(f"- {name}: skipped, {why}")
            continue
        print(f"- {name}: {about}", flush=True)
        scores[name] = Score(truth, in_parallel(name, find, truth.paths))
    if scores:
        title = "F1, precision and recall within ±10 ms (F1@5: ±5); latency of the strokes found, and how many of them early"
        show(report, title, [{"detector": name} | score.row() for name, score in scores.items()])
    if "rise" in scores and (rows := by_instrument(scores["rise"])):
        show(report, "Strokes that rise finds, 95 % interval of the recall", rows)
    if scores and args.plot:
        plot(args.plot, truth, scores)
    if args.checks:
        checks(report, truth, args.seed)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1, ensure_ascii=False), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, metavar="DIR", help="files at known times, with truth.json")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the set built here stays")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--detectors", metavar="A,B", type=lambda text: text.split(","), default=list(DETECTORS), help=", ".join(DETECTORS))
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument("--checks", action="store_true")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    if unknown := set(args.detectors) - set(DETECTORS):
        parser.error(f"there is no detector {', '.join(sorted(unknown))}: there are {', '.join(DETECTORS)}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = args.truth or args.keep or Path(scratch)
        try:
            if not args.truth:
                build(folder, args.seed)
            run(args, folder)
        except (OSError, RuntimeError, subprocess.SubprocessError, TorchdrumError) as error:
            print(f"onsets: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: MIT
"""make demo: a drum machine's loop goes into [torchdrum~] in real Pd, and an 808 comes out. Results are in demo/out/."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import soundfile as sf

import torchdrum_py as td
from torchdrum_py.audio import read_audio, write_audio

HERE = Path(__file__).resolve().parent
RECORDING = HERE.parent / "tests" / "audio" / "loop_compus.flac"
OUT = HERE / "out"
SEED, TAIL, MIX = 1, 96000, 0.5  # as in demo.pd


def through_pd(rate: int) -> str | None:
    """Runs demo.pd without a window. Returns None, or why it could not."""
    pd = shutil.which("pd")
    if pd is None:
        return "Pd is not installed"
    command = [
        pd,
        "-batch",
        "-noaudio",
        "-nogui",
        "-noprefs",
        "-stderr",
        "-r",
        str(rate),
        "-open",
        "demo.pd",
        "-open",
        "quit_when_done.pd",
        "-send",
        "go bang",
    ]
    try:
        result = subprocess.run(command, cwd=HERE, capture_output=True, text=True, timeout=120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"Pd did not run: {error}"
    (OUT / "pd.log").write_text(result.stderr)
    if "couldn't create" in result.stderr or not (OUT / "drum.wav").exists():
        return "Pd ran without the object (see demo/out/pd.log): does make pd work?"
    return None


def plot(x, drum, onsets, events, rate: int):
    """input with detected strokes, onset function with thresholds, features, modulations, output"""
    t, hits = np.arange(len(x)) / rate, np.array([e.detected for e in events]) / rate
    plt.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    figure, axes = plt.subplots(5, 1, figsize=(12, 12), sharex=True, layout="constrained", height_ratios=[2, 2, 2, 3, 2])
    axes[0].plot(t, x, color="0.4", lw=0.5)
    axes[0].vlines(hits, -1, 1, color="tab:red", lw=0.8, alpha=0.7)
    axes[0].set(
        ylabel="input",
        ylim=np.array([-1.1, 1.1]) * np.abs(x).max(),
        title=f"[torchdrum~] over {RECORDING.name}: {len(events)} strokes",
    )
    axes[1].plot(t, onsets.rise[: len(t)], color="tab:blue", lw=0.6)
    axes[1].plot(t, onsets.threshold[: len(t)], color="tab:red", lw=0.8, ls="--", label="threshold")
    axes[1].legend(loc="upper right", fontsize=7, frameon=False)
    axes[1].set(ylabel="onset function, dB")
    for k, (name, colour) in enumerate(zip(("loudness", "centroid", "flatness"), ("tab:red", "tab:blue", "tab:green"), strict=True)):
        axes[2].plot(hits, [e.normalized[k] for e in events], "o-", ms=4, lw=0.5, color=colour, label=name)
    axes[2].set(ylabel="features, 0 to 1", ylim=(-0.05, 1.05))
    axes[2].legend(loc="lower left", ncols=3, fontsize=7, frameon=False)
    damping = td.Model.builtin().info["preset"].damping
    modulation = np.array([e.modulation * damping for e in events]).T
    axes[3].remove()
    heat = figure.add_subplot(axes[3].get_subplotspec())
    image = heat.imshow(modulation, aspect="auto", cmap="RdBu_r", vmin=-0.5, vmax=0.5, interpolation="nearest")
    heat.set_yticks(range(len(td.PARAMS)), [p.name for p in td.PARAMS], fontsize=7)
    heat.set(ylabel="modulation", xlabel="stroke")
    figure.colorbar(image, ax=heat, fraction=0.02, pad=0.01)
    axes[4].plot(np.arange(len(drum)) / rate, drum, color="tab:orange", lw=0.5)
    axes[4].set(ylabel="the 808", xlabel="s", xlim=(0, t[-1]))
    axes[4].tick_params(labelbottom=True)
    figure.savefig(OUT / "demo.png", dpi=110)
    plt.close(figure)


def main() -> int:
    OUT.mkdir(exist_ok=True)
    for name in ("drum.wav", "mix.wav", "demo.png", "pd.log"):
        (OUT / name).unlink(missing_ok=True)
    x, rate = read_audio(RECORDING)
    x = x.mean(axis=1)
    sf.write(OUT / "input.wav", x, rate, subtype="FLOAT")

    engine = td.Engine(rate, seed=SEED)
    padded = np.concatenate([x, np.zeros(TAIL, np.float32)])
    expected, _ = engine.process(padded)
    events, onsets = engine.events, td.onsets(x, rate)
    trouble = through_pd(rate)
    if trouble:
        print(f"{trouble}. Playing the same engine through Python instead.\n", file=sys.stderr)
        write_audio(OUT / "drum.wav", expected, rate)
        write_audio(OUT / "mix.wav", td.Engine(rate, seed=SEED, mix=MIX).process(padded)[0], rate)
        host = "the engine in Python (no Pd here)"
    else:
        drum = sf.read(OUT / "drum.wav", dtype="float32")[0]
        same = len(drum) >= len(x) and not np.any(drum[: len(expected)] != expected[: len(drum)])
        host = "[torchdrum~] in real Pd, " + (
            "the same to the bit as the engine in Python" if same else "NOT THE SAME as the engine in Python"
        )
    drum = sf.read(OUT / "drum.wav", dtype="float32")[0]
    plot(x, drum, onsets, events, rate)

    loud = np.array([e.raw[0] for e in events])
    bright = np.array([e.raw[1] for e in events])
    print(f"""
A drum machine's loop went into the 808 that follows your playing.

  input     {RECORDING.name}, {len(x) / rate:.1f} s at {rate} Hz
  played by {host}
  strokes   {len(events)} heard, from {loud.min():.0f} to {loud.max():.0f} dB, brightness {bright.min():.0f} to {bright.max():.0f} semitones
  latency   {engine.latency} samples from the detection of a stroke to its drum: {1000 * engine.latency / rate:.1f} ms
  listen    demo/out/drum.wav (the 808 alone), demo/out/mix.wav (with the input), demo/out/input.wav
  look      demo/out/demo.png
  in Pd     pd demo/demo.pd, or the help patch: pd -path pd_external help_patches/torchdrum~-help.pd
  yours     .venv/bin/torchdrum render YOUR.wav OUT.wav --preset noisy_snare
""")
    return 0 if "NOT THE SAME" not in host and np.abs(drum).max() > 0.01 else 1


if __name__ == "__main__":
    sys.exit(main())

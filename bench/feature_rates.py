# SPDX-License-Identifier: MIT
"""How far the onset features of one hit move with the sample rate, for four choices of window and padding (spec 4.1).

    python bench/feature_rates.py [FOLDER …] [--every N]

Every audio file of the folders counts as one hit that starts at its first sample. It is brought to 48 kHz, from there
to the other rates (soxr VHQ), and measured from the same instant. Without a folder: the single hits of tests/audio."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import soundfile
import soxr

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

import oracle  # noqa: E402

LEAD_S, LENGTH_S = 0.1, 0.8  # LEAD_S is a whole number of samples at every rate
RATES = (44100, 88200, 96000)
FEATURES = ("loudness dB", "centroid st", "flatness dB")


def fixed_window(sr: int) -> int:
    """256 samples at 44.1 and 48 kHz alike, twice as many at twice the rate."""
    return 256 * max(1, round(sr / 48000))


def scaled_window(sr: int) -> int:
    return oracle.scaled(256, sr)


def no_padding(sr: int) -> int:
    """The smallest power of two that the window fits in."""
    return 1 << (scaled_window(sr) - 1).bit_length()


def twice(sr: int) -> int:
    return 2 * no_padding(sr)


VARIANTS = {
    "fixed 256, N = W": (fixed_window, no_padding),
    "fixed 256, padded to 2 W": (fixed_window, twice),
    "scaled, N = 256 · 2^i": (scaled_window, no_padding),
    "scaled, padded to 2 W (the spec)": (scaled_window, twice),
}


def hits(folders, every: int):
    """Each file as mono at 48 kHz behind a little silence."""
    files = sorted(f for folder in folders for f in Path(folder).iterdir() if f.suffix.lower() in (".flac", ".wav", ".aif", ".aiff"))
    for f in files[::every]:
        if f.name.startswith("loop_"):
            continue
        x, sr = soundfile.read(f, always_2d=True)
        x = np.concatenate([np.zeros(round(LEAD_S * sr)), x.mean(axis=1)[: round(LENGTH_S * sr)]])
        yield soxr.resample(x, sr, 48000, quality="VHQ")


def measure(x, sr: int, variant: str) -> np.ndarray:
    window, size = VARIANTS[variant]
    y = x if sr == 48000 else soxr.resample(x, 48000, sr, quality="VHQ")
    first, W = round(LEAD_S * sr), window(sr)
    return oracle.features(np.pad(y, (0, W))[first : first + W], sr, size(sr))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", metavar="FOLDER", default=[ROOT / "tests" / "audio"])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="take only every Nth file")
    args = parser.parse_args()
    for folder in args.folders:
        if not Path(folder).is_dir():
            print(f"feature_rates: {folder} is not a folder", file=sys.stderr)
            return 2
    if args.every < 1:
        print("feature_rates: --every takes 1 or more", file=sys.stderr)
        return 2
    shifts = {(variant, sr): [] for variant in VARIANTS for sr in RATES}
    for x in hits(args.folders, args.every):
        for variant in VARIANTS:
            at_48k = measure(x, 48000, variant)
            for sr in RATES:
                shifts[variant, sr].append(np.abs(measure(x, sr, variant) - at_48k))
    count = len(next(iter(shifts.values())))
    if not count:
        print("feature_rates: no audio files there", file=sys.stderr)
        return 2
    print(f"{count} hits, shift against 48 kHz: median / 95th percentile / largest\n")
    print(f"{'window':34s}{'rate':>7s}" + "".join(f"{name:>22s}" for name in FEATURES))
    for (variant, sr), values in shifts.items():
        table = np.array([np.median(values, axis=0), np.percentile(values, 95, axis=0), np.max(values, axis=0)]).T
        print(f"{variant:34s}{sr:7d}" + "".join(f"{a:10.2f} {b:5.2f} {c:5.2f}" for a, b, c in table))
    return 0


if __name__ == "__main__":
    sys.exit(main())

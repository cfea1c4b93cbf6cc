# SPDX-License-Identifier: MIT
"""The plots of a report as SVG in HTML (needs matplotlib). The page has one key for all: see KEY."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.figure import Figure

from .long_features import SAMPLE_RATE
from .params import PARAMS

if TYPE_CHECKING:
    from .report import Errors, Strokes

# Colours are drawn as #000001 … and become CSS variables --c1 …, which are others in the dark. Okabe and Ito's hues, for all eyes.
INK, FAINT, PRESET, LEARNT, UNSEEN, DRUM = (f"#00000{i}" for i in range(1, 7))
COLOURS = """:root{color-scheme:light dark;--paper:#fff;--c1:#1b1b1b;--c2:#8c8c8c;--c3:#6b6b6b;--c4:#0072b2;--c5:#d55e00;--c6:#00805d}
@media(prefers-color-scheme:dark){:root{--paper:#15171b;--c1:#e6e6e6;--c2:#7c7c7c;--c3:#a8a8a8;--c4:#56b4e9;--c5:#f0a030;--c6:#2cc59b}}"""
SIZE = (3.6, 2.2)  # inches of a plot: a column of the page, or the width of a phone
MARGINS = (0.74, 0.42, 0.1, 0.08)  # left, bottom, right, top: the same for all, so that they stand in line
TALL = (3.6, 5.6)  # for the bars of seven features
STYLE = {
    "svg.fonttype": "none",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "figure.subplot.hspace": 0.15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
}
PITCH = 4.6  # of those, in bars: a name, three bars, air
LOWEST_HZ, HIGHEST_HZ, BANDS = 60.0, 16000.0, 80  # of a spectrogram
QUIETEST_DB, LOUDEST_DB = -90.0, -15.0  # a full-scale sine is 0


def svg(title: str, draw: Callable[[Figure], None], size: tuple[float, float] = SIZE) -> str:
    """What draw puts on a figure; title is for those who do not see it and keeps the ids of a page apart."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever the person's own style is
        matplotlib.rcParams.update(STYLE | {"svg.hashsalt": title})
        figure, file = Figure(figsize=size), io.StringIO()
        left, bottom, right, top = MARGINS
        figure.subplots_adjust(left / size[0], bottom / size[1], 1.0 - right / size[0], 1.0 - top / size[1])
        draw(figure)
        figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    view, inside = re.search(r'<svg [^>]*(viewBox="[^"]*")[^>]*>.*?</defs>(.*)</svg>', file.getvalue(), re.DOTALL).groups()
    inside = re.sub("#00000([1-6])", r"var(--c\1)", re.sub(r'<g id="[^"]*">', "<g>", inside))
    return f'<svg {view} role="img" aria-label="{escape(title)}">{inside}</svg>'


def figure(title: str, draw: Callable, size: tuple[float, float] = SIZE, more: str = "") -> str:
    """A plot under its title; draw puts it on an axis."""
    caption = f"<figcaption>{escape(title)} <small>{escape(more)}</small></figcaption>"
    return f"<figure>{caption}{svg(title, lambda figure: draw(figure.subplots()), size)}</figure>"


def key(rows: tuple[tuple[str, str, str], ...]) -> str:
    """Colour, sign and meaning of what several plots show."""
    signs = (f'<span><b style="color:var(--c{colour[-1]})">{sign}</b> {meaning}</span> ' for colour, sign, meaning in rows)
    return f'<p class="key">{"".join(signs)}</p>'


STROKES_KEY = ((LEARNT, "●", "stroke trained with"), (UNSEEN, "▲", "stroke not trained with"))
LOSS_KEY = ((LEARNT, "╍╍", "training"), (UNSEEN, "━━", "validation"), (UNSEEN, "●", "least"))
ERROR_KEY = ((PRESET, "■", "preset as it is"), (LEARNT, "■", "as trained"), (DRUM, "■", "as played"))
SPACE_KEY = (*STROKES_KEY, (FAINT, "▭", "range of the model"), (INK, "✚", "reference"))
FOLLOW_KEY = (*STROKES_KEY, (INK, "╍╍", "what training asks for"))
PARAM_KEY = (*STROKES_KEY, (DRUM, "━━", "reference stroke, softer and harder"), (PRESET, "╍╍", "preset"), (FAINT, "▬▬", "end of the range"))


def losses(history: list[tuple[int, float, float | None]]) -> str:
    """Training and validation loss over the epochs; the latter ends where the validation strokes are learnt from, too."""
    epochs, learnt, checked = np.array(history, np.float64).T
    best = int(np.nanargmin(checked)) if np.isfinite(checked).any() else None

    def draw(axis):
        axis.plot(epochs, learnt, color=LEARNT, ls="--")
        axis.plot(epochs, checked, color=UNSEEN)
        if best is not None:
            axis.plot(epochs[best], checked[best], "o", color=UNSEEN)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.set(xlabel="epoch", ylabel="loss (spreads)")

    return figure("Loss", draw, more="" if best is None else f"least {checked[best]:.3f} in epoch {epochs[best]:.0f}")


def errors(found: Errors, measures: tuple[tuple[str, str], ...], mean: str) -> str:
    """Bars of each feature's error in shares of the preset's, with the error in its unit; measures: name and unit of each."""
    kinds = ((found.preset, PRESET), (found.trained, LEARNT), (found.played, DRUM))
    longest = max(1.0, *(np.nan_to_num(found.of_preset(error)).max() for error, _ in kinds))

    def draw(axis):
        for row, (name, unit) in enumerate(measures):
            axis.text(0.0, PITCH * row - 1, name, va="center")
            for bar, (error, colour) in enumerate(kinds):
                length = np.nan_to_num(found.of_preset(error)[row])
                axis.barh(PITCH * row + bar, length, 0.8, color=colour)
                words = f"{error[row]:.2f} {unit}" if np.isfinite(error[row]) else "not known"
                axis.text(length + 0.02 * longest, PITCH * row + bar, words, va="center", size=8)
        axis.axvline(1.0, color=FAINT, lw=0.8, ls=":", zorder=0)
        axis.set(xlabel="error, preset = 1", yticks=[], xlim=(0.0, 1.45 * longest), ylim=(PITCH * len(measures) - 1, -2))
        axis.spines["left"].set_visible(False)

    return figure("Error of each measure", draw, TALL, f"mean as played, preset = 1: {mean}")


def dots(axis, x: np.ndarray, y: np.ndarray, unseen: np.ndarray):
    """Strokes: those that were trained with, and on top those that were not (unseen)."""
    axis.plot(x[~unseen], y[~unseen], "o", ms=4, mew=0, alpha=0.6, color=LEARNT)
    axis.plot(x[unseen], y[unseen], "^", ms=6, mew=0, alpha=0.9, color=UNSEEN)


def space(strokes: Strokes, other: int, title: str, label: str) -> str:
    """Loudness and another feature of all strokes, with range and reference of the model."""
    info = strokes.model.info
    (left, low), (right, high) = (info[end][[0, other]].astype(np.float64) for end in ("min", "max"))
    x, y = info["reference"][[0, other]]

    def draw(axis):
        dots(axis, strokes.features[:, 0], strokes.features[:, other], strokes.unseen)
        axis.plot([left, right, right, left, left], [low, low, high, high, low], color=FAINT, lw=1)
        axis.plot(left + x * (right - left), low + y * (high - low), "P", color=INK, ms=8, mew=0)
        axis.set(xlabel="loudness, dB", ylabel=label)

    return figure(title, draw)


def follow(before: np.ndarray, after: np.ndarray, unseen: np.ndarray, wanted: np.ndarray, title: str, unit: str, rank: str) -> str:
    """A quantity of the drums, after [m], over that of their strokes, before [m]; wanted [2, …] is a curve of both."""

    def draw(axis):
        dots(axis, before, after, unseen)
        axis.plot(*wanted, color=INK, ls="--", lw=1)
        axis.set(xlabel=f"stroke, {unit}", ylabel=f"drum, {unit}")

    return figure(title, draw, more=f"rank correlation {rank}")


def parameter(strokes: Strokes, index: int) -> str:
    """A parameter over loudness: with the other features at the reference as a curve, of the strokes as dots."""
    info, param = strokes.model.info, PARAMS[index]
    inputs = np.zeros((65, 3))
    force = np.linspace(0.0, 1.0, len(inputs))
    inputs[:, 0] = force - info["reference"][0]
    span, base, damping = param.max - param.min, float(info["preset"].value[index]), float(info["preset"].damping[index])
    curve = np.clip(base + span * damping * strokes.model.run(inputs)[:, index], param.min, param.max)  # spec 5.1
    played = strokes.param[:, index]

    def draw(axis):
        dots(axis, strokes.features[strokes.played, 0], played, strokes.unseen[strokes.played])
        axis.axhline(base, color=PRESET, ls="--", lw=1)
        axis.plot(info["min"][0] + force * (info["max"][0] - info["min"][0]), curve, color=DRUM, lw=2)
        low, high = axis.dataLim.y0, axis.dataLim.y1
        margin = max(0.08 * (high - low), 0.02 * span)  # what hardly moves shall not look as if it did
        for limit in (param.min, param.max):
            axis.axhline(limit, color=FAINT, lw=4, alpha=0.5)
        axis.set(xlabel="loudness of the stroke, dB", ylabel=param.unit, ylim=(low - margin, high + margin))

    moved = f"moves over {np.ptp(played) / span:.0%} of its range, {param.min:g} to {param.max:g} {param.unit}"
    return figure(param.label, draw, more=moved.replace("-", "−"))


def sound(title: str, x: np.ndarray) -> str:
    """Waveform and spectrogram of x [n] at SAMPLE_RATE."""
    size, hop, part = 1024, 512, 256
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(x, size // 2), size)[::hop] * np.hanning(size)
    level = 20.0 * np.log10(np.abs(np.fft.rfft(frames)) / (size / 4) + 1e-9)
    bands, bins = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS), np.fft.rfftfreq(size, 1.0 / SAMPLE_RATE)
    image = np.array([np.interp(bands, bins, frame) for frame in level]).T
    parts = x[: len(x) // part * part].reshape(-1, part)
    extent = (0.0, len(x) / SAMPLE_RATE, np.log10(LOWEST_HZ), np.log10(HIGHEST_HZ))

    def draw(figure: Figure):
        wave, spectrum = figure.subplots(2, 1, sharex=True, height_ratios=(2, 3))
        wave.fill_between(np.arange(len(parts)) * part / SAMPLE_RATE, parts.min(axis=1), parts.max(axis=1), color=DRUM, lw=0.5)
        wave.set(ylim=(-1.0, 1.0), ylabel="amplitude")
        look = {"cmap": "magma", "vmin": QUIETEST_DB, "vmax": LOUDEST_DB, "interpolation": "none"}
        spectrum.imshow(image, extent=extent, aspect="auto", origin="lower", **look)
        spectrum.set(xlabel="time, s", ylabel="kHz", yticks=[2.0, 3.0, 4.0], yticklabels=["0.1", "1", "10"])

    return svg(title, draw)

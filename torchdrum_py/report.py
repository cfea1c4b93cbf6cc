# SPDX-License-Identifier: MIT
"""The report of a training: one HTML file to see and hear how far the drum follows the hand (needs torch and matplotlib).

It holds everything itself and asks no network. The same arguments give the same bytes.
"""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
import soundfile as sf
import torch

from . import audio, data, long_features
from .engine import Engine
from .errors import TorchdrumError
from .judge import Errors
from .model import Model
from .params import PARAMS
from .presets import Preset, preset_names

SUFFIX = ".html"
LOUDNESS, CENTROID = (long_features.NAMES.index(name) for name in ("transient_loudness", "transient_centroid"))
# The long features for people, with the unit of their errors, in the order of long_features.NAMES. ERB: the scale of spec 10.3.
MEASURES = (
    ("loudness of the first 50 ms", "dB"),
    ("brightness of the first 50 ms", "ERB"),
    ("noisiness of the first 50 ms", "dB"),
    ("loudness of the sustain", "dB"),
    ("brightness of the sustain", "ERB"),
    ("noisiness of the sustain", "dB"),
    ("middle in time of the attack", "(scaled)"),  # spec 10.5
)
FOLLOWS = ((0.9, "follows the hand closely"), (0.7, "mostly follows the hand"), (0.4, "follows the hand only loosely"))
HARDLY = 0.9  # of the preset's error: from here on a measure is said not to follow
FEW = 10  # strokes to measure by: fewer say little

MOST_PLAYED = 150  # strokes through the engine, so that a long recording makes no huge file
PLAIN_NOISES = 16  # of the preset as it is, whose mean the drums are compared with
PHRASE, FEWEST, SINGLES = 14, 4, 6  # strokes in a phrase, the fewest for one, strokes to hear alone
STEP = data.SAMPLE_RATE * 2 // 5  # samples from stroke to stroke of a phrase: quavers at 75
PEAK = 0.9
VOICES = ("the playing", "the plain preset", "the model")

# Should a foreign name ever get through unescaped, the browser still runs and fetches nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; media-src data:"
CSS = """
body{margin:0 auto;max-width:72rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;background:var(--paper);color:var(--c1)}
h1{font-size:1.5rem;line-height:1.2;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2.5rem 0 0}h3,h4{font-size:1rem;margin:1.5rem 0 .5rem}h4{margin:0}
p{max-width:46rem;margin:.5rem 0}#verdict{font-size:1.15rem}a{color:var(--c4)}nav a{margin-right:1rem}
th{text-align:left;vertical-align:top;font-weight:normal;color:var(--c3);padding-right:1.5rem}td{overflow-wrap:anywhere}
.key,small{font-size:.85rem;color:var(--c3)}small{display:block}.key span{white-space:nowrap;margin-right:.8rem}
.plots{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.5rem}
figure{margin:0}audio{display:block;width:100%}
svg{display:block;width:100%;height:auto}svg *{stroke-linejoin:round}svg text{font-family:system-ui,sans-serif!important}
"""


@dataclass(frozen=True, eq=False)
class Strokes:
    """The strokes of a training and what a model plays to them.

    features [n, 3] and unseen [n] (not trained with) of all hits; played: indices [m] of those that were played, with their parameters
    param [m, 14] in units, and the long features before [m, 7] of the strokes and after [m, 7] of their drums.
    """

    model: Model
    hits: list[data.Hit]
    unseen: np.ndarray
    features: np.ndarray
    played: np.ndarray
    param: np.ndarray
    before: np.ndarray
    after: np.ndarray

    @classmethod
    def of(cls, model: Model, hits: list[data.Hit], test: list[int]) -> Strokes:
        everything = np.arange(len(hits))
        unseen, features = np.isin(everything, test), np.array([hit.features for hit in hits])
        played = np.union1d(*(evenly(rows, features, MOST_PLAYED) for rows in (everything, everything[unseen])))
        drums = [play(model, features[i], int(i)) for i in played]
        before, after = measure(hits[i].sound for i in played), measure(sound for _, sound in drums)
        return cls(model, hits, unseen, features, played, np.array([param for param, _ in drums]), before, after)


def evenly(rows: np.ndarray, features: np.ndarray, most: int) -> np.ndarray:
    """At most so many of rows, indices into features [n, 3], evenly from the softest to the hardest."""
    rows = rows[np.argsort(features[rows, 0], kind="stable")]
    return rows[np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(int)]


def normalised(model: Model, features: np.ndarray) -> np.ndarray:
    """Features [..., 3] as the model scales them to 0 … 1 (spec 4.3)."""
    low, high = model.info["min"].astype(np.float64), model.info["max"].astype(np.float64)
    return np.clip((features - low) / (high - low), 0.0, 1.0)


def play(model: Model, features: np.ndarray, seed: int, depth: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Parameters [14] in units and sound [data.SAMPLES] of the engine's drum for a stroke's features [3].

    They trigger it: the detector heard the stroke in its recording already, and might not hear it close behind another.
    """
    engine = Engine(data.SAMPLE_RATE, model, seed=seed, depth=depth)
    engine.trigger(normalised(model, features))
    sound, _ = engine.process(np.zeros(data.SAMPLES, np.float32))
    return engine.events[0].param, sound


def measure(sounds: Iterable[np.ndarray]) -> np.ndarray:
    """Long features [n, 7] of sounds, one at a time: a batch of all would take gigabytes."""
    with torch.no_grad():
        return np.array([long_features.measure(torch.from_numpy(x)[None])[0].numpy() for x in sounds], np.float64)


def kilohertz(centroid: np.ndarray) -> np.ndarray:
    """The frequency of a centroid of spec 10.3, for people; NaN beyond what such a centroid can be."""
    hz = (np.maximum(21.2985 - centroid, 1e-3) / 34.61) ** (-1.0 / 0.1621)
    return np.where(hz <= long_features.HIGHEST_HZ, hz / 1000.0, np.nan)


def known(value: float) -> str:
    return f"{value:.2f}" if np.isfinite(value) else "not known"


def verdict(errors: Errors, unseen: int) -> str:
    """What a drummer wants to know, in two or three sentences; unseen: strokes that the errors are of."""
    parts = []
    for what, rank in (("Loudness", errors.loudness), ("brightness", errors.brightness)):
        how = next((words for least, words in FOLLOWS if rank >= least), "does not follow the hand")
        parts.append(f"{what} {how} (rank correlation {rank:.2f})" if np.isfinite(rank) else f"{what} could not be compared")
    text = "; ".join(parts) + "."
    if np.isfinite(errors.mean):
        text += f" Over all measures the drum's error is {errors.mean:.2f} of the plain preset's; "
        shares = errors.of_preset(errors.played)
        behind = [f"{name} ({share:.2f})" for (name, _), share in zip(MEASURES, shares, strict=True) if share > HARDLY]
        text += f"what hardly follows: {', '.join(behind)}." if behind else "each is nearer to the strokes than the preset is."
    if unseen < FEW:
        left = "1 stroke was" if unseen == 1 else f"{unseen} strokes were"
        text += f" Only {left} left to measure by: believe your ears more than these numbers."
    return text


def model_table(strokes: Strokes, facts: Mapping[str, str]) -> str:
    """Where the model comes from."""
    info = strokes.model.info
    same = (name for name in preset_names() if np.array_equal(Preset.load(name).value, info["preset"].value))
    rows = {"name": info["name"], "preset": next(same, "none of the built-in ones")}
    rows["strokes"] = f"{len(strokes.hits)}, {strokes.unseen.sum()} of them not trained with"
    rows["window"] = f"{info['window']} samples at 48 kHz, {info['preroll']} of them before the detection"
    rows["latency"] = f"{(info['window'] - info['preroll']) / 48:.3g} ms from the detection to the drum"
    rows |= {"author": info["author"], "licence": info["license"], "source": info["source"], "crc32": info["crc32"], **facts}
    return "<table>" + "".join(f"<tr><th>{escape(k)}</th><td>{escape(str(v))}</td></tr>" for k, v in rows.items()) + "</table>"


def section(name: str, title: str, *parts: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2>{"".join(parts)}</section>'


def grid(*parts: str) -> str:
    """As many beside each other as there is room for."""
    return f'<div class="plots">{"".join(parts)}</div>'


def player(title: str, x: np.ndarray) -> str:
    """Plays x [n] at SAMPLE_RATE."""
    file = io.BytesIO()
    sf.write(file, x, data.SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    source = base64.b64encode(file.getvalue()).decode()
    return f'<audio controls preload="metadata" aria-label="{escape(title)}" src="data:audio/flac;base64,{source}"></audio>'


def phrase(sounds: list[np.ndarray], delay: int) -> np.ndarray:
    """Sounds [data.SAMPLES] every STEP samples, each until the next one; they begin after delay samples."""
    out = np.zeros(delay + (len(sounds) - 1) * STEP + data.SAMPLES)
    fade = np.clip(np.arange(STEP, 0, -1) / data.FADE_SAMPLES, 0.0, 1.0)
    for place, sound in enumerate(sounds):
        last = place == len(sounds) - 1
        part = sound if last else sound[:STEP] * fade
        out[delay + place * STEP :][: len(part)] = part
    return out


def listening(strokes: Strokes) -> str:
    """Phrases and single strokes: as they were hit, the preset as it is, the model."""
    from . import report_plots as plots

    model, test = strokes.model, np.flatnonzero(strokes.unseen)
    enough = len(test) >= FEWEST
    chosen = evenly(test if enough else np.arange(len(strokes.hits)), strokes.features, PHRASE)
    sounds = {i: [strokes.hits[i].sound, *(play(model, strokes.features[i], int(i), depth)[1] for depth in (0.0, 1.0))] for i in chosen}
    hand, drum = (max(np.abs(three[part]).max() for three in sounds.values()) for part in (slice(1), slice(1, 3)))
    gains = PEAK / np.maximum([hand, drum, drum], 1e-6)

    def heard(rows: np.ndarray, voice: int) -> np.ndarray:
        return gains[voice] * phrase([sounds[i][voice] for i in rows], model.info["window"] if voice else 0)

    kind = "that were not trained with" if enough else "of all, because hardly any was not trained with"
    parts = [f"<p>{len(chosen)} strokes {kind}. All strokes have one gain, and so have all drums: what is softer here was softer.</p>"]
    orders = {"From soft to hard": chosen, "In the order of the recordings": np.sort(chosen)}
    if np.array_equal(*orders.values()):
        orders.popitem()
    for title, rows in orders.items():
        figures = []
        for voice, name in enumerate(VOICES):
            x, label = heard(rows, voice), f"{title}: {name}"
            figures.append(f"<figure><figcaption>{name}</figcaption>{player(label, x)}{plots.sound(label, x)}</figure>")
        parts.append(f"<h3>{title}</h3>{grid(*figures)}")
    cards = []
    for i in evenly(chosen, strokes.features, SINGLES):
        title = f"Stroke of {strokes.features[i, 0]:.1f} dB".replace("-", "−")
        players = ((name, player(f"{title}: {name}", heard([i], voice))) for voice, name in enumerate(VOICES))
        figures = (f"<figure><figcaption>{name}</figcaption>{sound}</figure>" for name, sound in players)
        cards.append(f"<div><h4>{title}</h4>{''.join(figures)}</div>")
    return section("listen", "Listen", *parts, f"<h3>Single strokes</h3>{grid(*cards)}")


def render(model: Model, hits: list[data.Hit], test: list[int], history: list, errors: Errors, facts: Mapping[str, str]) -> str:
    """The whole page; arguments as in write."""
    from . import report_plots as plots

    strokes = Strokes.of(model, hits, test)
    name, unseen = escape(model.info["name"] or "the model"), strokes.unseen[strokes.played]
    # What training asks for: as a stroke differs from the reference stroke, so the drum from the preset as it is.
    reference = np.abs(normalised(model, strokes.features) - model.info["reference"]).sum(axis=1).argmin()
    plain = measure(play(model, strokes.features[reference], seed, 0.0)[1] for seed in range(PLAIN_NOISES)).mean(axis=0)
    before = np.linspace(strokes.before.min(axis=0), strokes.before.max(axis=0))
    wanted = np.array([before, before + plain - measure([hits[reference].sound])])

    def follow(column: int, title: str, unit: str, rank: float, scale=np.asarray) -> str:
        found = scale(strokes.before[:, column]), scale(strokes.after[:, column])
        return plots.follow(*found, unseen, scale(wanted[..., column]), title, unit, known(rank))

    losses = plots.key(plots.LOSS_KEY) + grid(plots.losses(history)) if len(history) else "<p>The losses are not known.</p>"
    parts = [
        f'<h1>{name}: how far the drum follows the hand</h1><p id="verdict">{verdict(errors, int(strokes.unseen.sum()))}</p>',
        '<nav><a href="#listen">Listen</a><a href="#follow">Dynamics</a><a href="#parameters">Parameters</a></nav>',
        section("model", "The model", model_table(strokes, facts)),
        section("losses", "Training", losses),
        section(
            "errors",
            "Errors",
            "<p>How far the drum is from what the strokes that were not trained with ask for. Shorter is better.</p>",
            plots.key(plots.ERROR_KEY),
            grid(plots.errors(errors, MEASURES, known(errors.mean))),
        ),
        section(
            "space",
            "The strokes",
            "<p>What the network hears in the first 5 ms. Beyond the range of the model nothing moves any more.</p>",
            plots.key(plots.SPACE_KEY),
            grid(
                plots.space(strokes, 1, "Loudness and brightness", "centroid, semitones"),
                plots.space(strokes, 2, "Loudness and noisiness", "flatness, dB"),
            ),
        ),
        section(
            "follow",
            "Dynamics",
            "<p>The first 50 ms of the drums over those of the strokes. A rank correlation of 1: harder is always louder.</p>",
            plots.key(plots.FOLLOW_KEY),
            grid(
                follow(LOUDNESS, "Loudness", "LUFS", errors.loudness),
                follow(CENTROID, "Brightness", "kHz", errors.brightness, kilohertz),
            ),
        ),
        section(
            "parameters",
            "Parameters",
            "<p>What the network does with each parameter of the 808.</p>",
            plots.key(plots.PARAM_KEY),
            grid(*(plots.parameter(strokes, index) for index in range(len(PARAMS)))),
        ),
        listening(strokes),
    ]
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    head += f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>torchdrum: {name}</title>'
    body = "\n".join(parts)
    return f'<!doctype html>\n<html lang="en"><head>{head}<style>{plots.COLOURS}{CSS}</style></head>\n<body>\n{body}\n</body></html>\n'


def check(path: str | os.PathLike):
    """TorchdrumError when write(path, …) cannot go well: to be asked before a long training."""
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError:
        raise TorchdrumError('a report needs matplotlib: pip install "torchdrum[plot]"') from None
    if Path(path).suffix != SUFFIX:
        raise TorchdrumError(f"{path}: give the report the ending {SUFFIX}")
    if not Path(path).parent.is_dir():
        raise TorchdrumError(f"{path} cannot be written (there is no folder {Path(path).parent})")


def write(
    path: str | os.PathLike,
    model: Model,
    hits: list[data.Hit],
    test: list[int],
    history: list[tuple[int, float, float]],
    errors: Errors,
    facts: Mapping[str, str] | None = None,
):
    """Writes the report of a model. TorchdrumError says what is missing.

    hits: all strokes, at least one; test: indices of those that were not trained with; history: epoch, training loss and validation loss,
    empty when unknown; facts: more rows for the table of the model, such as the seed.
    """
    check(path)
    page = render(model, hits, test, history, errors, facts or {})
    with audio.whole_file(path) as temporary:
        temporary.write_text(page, encoding="utf-8", newline="\n")

# SPDX-License-Identifier: MIT
"""The slow float64 oracle: docs/spec.md in NumPy, written from the text alone and never from the C that it judges.

Every function names the section that it implements. Plain Python loops stand only where the spec has a recursion.
Nothing here is fast, and nothing here may be copied from core/src: where both agree, the text is what made them agree.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass, field

import numpy as np
import scipy.signal

import torchdrum_py as td

PARAMS = list(td.PARAMS)
LOW = np.array([p.min for p in PARAMS], dtype=np.float64)
HIGH = np.array([p.max for p in PARAMS], dtype=np.float64)
CONTROLS = {c.name: c for c in td.CONTROLS}
LEAST_SPAN = np.array([6.0, 3.0, 6.0])  # spec 4.3: dB, semitones, dB
TINY = 1e-30


def round_half_up(x: float) -> int:
    return math.floor(x + 0.5)


def scaled(samples: float, sr: float) -> int:
    """Preface: samples at 48 kHz "scaled to the rate"."""
    return round_half_up(samples * sr / 48000.0)


def clean(x) -> np.ndarray:
    """Spec 1: float32 input with NaN, infinities and tiny values as 0, in double from here on."""
    x = np.asarray(x, dtype=np.float32).astype(np.float64)
    x[~np.isfinite(x)] = 0.0
    x[np.abs(x) < TINY] = 0.0
    return x


def second_order(x, b, a) -> np.ndarray:
    """H(z) = (b0 + b1 z⁻¹ + b2 z⁻²) / (1 + a1 z⁻¹ + a2 z⁻²) over the last axis; coefficients: numbers or rows."""
    (b0, b1, b2), (a1, a2) = b, a
    x = np.asarray(x, dtype=np.float64)
    if np.ndim(b0) == np.ndim(a1) == 0:
        return scipy.signal.lfilter([b0, b1, b2], [1.0, a1, a2], x)
    y, s1, s2 = [], 0.0, 0.0
    for v in x.tolist() if x.ndim == 1 else x.T:
        out = b0 * v + s1
        s1 = b1 * v - a1 * out + s2
        s2 = b2 * v - a2 * out
        y.append(out)
    return np.array(y).T.reshape(x.shape)


# ---- 2. onset detectors --------------------------------------------------------------------------------------------

CONTACT = dict(onthreshold=8, hold=30, floor=-70, highpass=60)  # spec 2.1, setups.def
LINE = dict(onthreshold=6, floor=-80, highpass=30)
SENSITIVITY_SPAN = 4.0

EDGES_HZ = (40.0, 120.0, 300.0, 700.0, 1500.0, 3000.0, 6000.0, 11000.0, 18000.0)  # spec 2.3, as all that follow
SMOOTHING_S = (0.013, 0.0025)
VALLEY_UP_DB_S, VALLEY_S, VALLEY_DEPTH_DB = 560.0, 0.0115, 10.0
RIPPLE_DB, FALL_DB, WEIGHTS = 1.7, 0.45, (0.78, 1.22)
LEAK_DB, FAINT_DB, ALONE_DB = 14.0, -54.0, 2.65
NOISE_UP_DB_S, NOISE_DOWN_S, NOISE_MARGIN_DB = 0.55, 0.2, -4.4
MASK_SHARE, MASK_DOWN_DB_S = 0.26, 175.0
RESTLESS_S, RESTLESS_FREE, RESTLESS_GAIN, RESTLESS_MOST = 0.3, 0.016, 230.0, 7.0
DENSE_S, DENSE_GAP_S, DENSE_FREE, DENSE_THRESHOLD, DENSE_RIPPLE = 0.25, 0.07, 1.0, 0.5, 0.3


def onset_settings(settings: dict | None = None) -> dict:
    """Spec 2.1: the detector's controls, as the float32 numbers that the core keeps; words stay words."""
    given = dict(settings or {})
    which = (given.setdefault("detector", "rise"), given.setdefault("input", "mic"))
    names = ("onthreshold", "offthreshold", "hold", "floor", "highpass", "sensitivity", "selfmask")
    s = {name: CONTROLS[name].default for name in names}
    if which[0] == "classic":
        s |= dict(onthreshold=16, offthreshold=4.66, hold=20.83, floor=-55, highpass=600)
    elif which[1] == "contact":
        s |= CONTACT
    elif which[1] == "line":
        s |= LINE
    return {k: v if isinstance(v, str) else float(np.float32(v)) for k, v in (s | given).items()}


def on_threshold(s: dict) -> float:
    """Spec 2.1: what sensitivity makes of onthreshold."""
    return s["onthreshold"] * SENSITIVITY_SPAN ** ((50.0 - s["sensitivity"]) / 50.0)


def least_distance(sr: float, window: int, settings: dict | None = None) -> int:
    """H of spec 2.1 in samples; window in samples at 48 kHz."""
    return max(round_half_up(onset_settings(settings)["hold"] * sr / 1000.0), max(1, scaled(window, sr)))


def detector_highpass(x, sr: float, highpass: float) -> np.ndarray:
    """Spec 2.2, 1. The 1e-30 flush of the states lies 500 dB below the lowest floor and is left out."""
    w = 2.0 * math.pi * min(highpass, 0.45 * sr) / sr
    alpha = math.sin(w) / (2.0 * math.sqrt(0.5))
    a0 = 1.0 + alpha
    side = (1.0 + math.cos(w)) / 2.0 / a0
    return second_order(x, (side, -2.0 * side, side), (-2.0 * math.cos(w) / a0, (1.0 - alpha) / a0))


def rate_constant(m: float, sr: float) -> float:
    """Spec 2.2, 3: the follower coefficient of a time constant of m samples at 48 kHz."""
    return 1.0 - (1.0 - 1.0 / m) ** (48000.0 / sr)


def difference(x, sr: float, settings: dict | None = None) -> np.ndarray:
    """D(n) of spec 2.2 in dB, with the settings constant. It does not depend on what is detected."""
    s = onset_settings({"detector": "classic"} | (settings or {}))
    h = np.abs(detector_highpass(x, sr, s["highpass"]))
    level = np.full(len(h), s["floor"])
    level[h > 0] = np.maximum(s["floor"], 20.0 * np.log10(h[h > 0]))
    up, down, slow_k = rate_constant(3, sr), rate_constant(383, sr), rate_constant(2205, sr)
    fast = slow = -55.0
    out = []
    for v in level.tolist():
        fast += (up if v > fast else down) * (v - fast)
        slow += slow_k * (v - slow)
        out.append(fast - slow)
    return np.array(out)


def classic(x, sr: float, window: int, settings: dict) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Spec 2.2: the samples at which a hit is detected, D, and what D must reach."""
    s, D = onset_settings(settings), difference(x, sr, settings)
    H, on = least_distance(sr, window, settings), on_threshold(s)
    hits, armed, before, last = [], True, 0.0, -H
    for n, d in enumerate(D.tolist()):
        if d < s["offthreshold"]:
            armed = True
        if armed and d >= on and before < on and n - last >= H:
            hits.append(n)
            armed, last = False, n
        before = d
    return hits, D, np.full(len(D), on)


def warped(hz: float, rate: float) -> float:
    return math.tan(math.pi * min(hz, 0.45 * rate) / rate)


def butterworth(x, hz: float, rate: float, high: bool) -> np.ndarray:
    """Second order by the bilinear transform."""
    t = warped(hz, rate)
    a0 = 1.0 + math.sqrt(2.0) * t + t * t
    b = (1.0 / a0, -2.0 / a0, 1.0 / a0) if high else (t * t / a0, 2.0 * t * t / a0, t * t / a0)
    return second_order(x, b, (2.0 * (t * t - 1.0) / a0, (1.0 - math.sqrt(2.0) * t + t * t) / a0))


def band_pass(x, low_hz: float, high_hz: float, rate: float) -> np.ndarray:
    """Second order; two in a row are 3 dB down at the edges. Nothing where the rate leaves no room."""
    low, high = warped(low_hz, rate), warped(high_hz, rate)
    if high <= low:
        return np.zeros(len(x))
    tt, w = low * high, (high - low) / math.sqrt(math.sqrt(2.0) - 1.0)
    a0 = 1.0 + w + tt
    return second_order(x, (w / a0, 0.0, -w / a0), (2.0 * (tt - 1.0) / a0, (1.0 - w + tt) / a0))


def band_powers(x, sr: float, highpass: float) -> np.ndarray:
    """Spec 2.3, 1: the power of each band in each whole frame, [frames, 8]."""
    frame = max(1, round_half_up(sr / 8000.0))
    frames = len(x) // frame
    x = x[: frames * frame]
    low = butterworth(x, EDGES_HZ[4], sr, False).reshape(frames, frame).mean(axis=1)
    high = butterworth(x, EDGES_HZ[4], sr, True)
    edges = [max(edge, highpass) for edge in EDGES_HZ]
    power = np.zeros((frames, 8))
    for b in range(4):
        power[:, b] = butterworth(butterworth(low, edges[b], sr / frame, True), EDGES_HZ[b + 1], sr / frame, False) ** 2
        upper = band_pass(band_pass(high, edges[4 + b], EDGES_HZ[5 + b], sr), edges[4 + b], EDGES_HZ[5 + b], sr)
        power[:, 4 + b] = (upper**2).reshape(frames, frame).mean(axis=1)
    return power


def smoothed(power, rate: float) -> np.ndarray:
    """Spec 2.3, 2: levels in dB, [frames, 8]."""
    tau = SMOOTHING_S[0] * (SMOOTHING_S[1] / SMOOTHING_S[0]) ** (np.minimum(np.arange(8), 4) / 4.0)
    k, p, out = 1.0 - np.exp(-1.0 / (tau * rate)), np.full(8, 1e-12), []
    for row in power:
        p = np.maximum(p + k * (row - p), 1e-12)
        out.append(10.0 * np.log10(p))
    return np.array(out).reshape(-1, 8)


def leak(level) -> np.ndarray:
    """Spec 2.3, 5."""
    return np.array([max(level[a] - LEAK_DB * abs(a - b) for a in range(8) if a != b) for b in range(8)])


def echoes(drum, level, rate: float, sr: float, s: dict) -> np.ndarray:
    """Spec 2.4: what of our own drum may be in the input, dB [frames, 8]; level: of the input."""
    out = np.full(level.shape, -200.0)
    if drum is None or s["selfmask"] == 0:
        return out
    frame, travel = max(1, round_half_up(sr / 8000.0)), int(0.04 * rate) + 1
    own, back, left = smoothed(band_powers(drum, sr, s["highpass"]), rate), np.full(8, -12.0), 0
    spans = [[], []]  # levels of the drum in the span that fills and in the one before
    for k in range(len(level)):
        if np.any(drum[k * frame : (k + 1) * frame]):
            left = 2 * travel
        if not left:
            continue
        if len(spans[0]) == travel:
            spans = [[], spans[0]]
        spans[0].append(own[k])
        before = spans[1] or [np.full(8, -200.0)]
        most, least = np.max(spans[0] + before, axis=0), np.min(spans[0] + before, axis=0)
        share = np.minimum(np.minimum(back + 20.0 / rate, -11.0), level[k] - least)
        back = np.where(least > -60.0, share, back)
        out[k] = most + back - 2.0 + 0.24 * (s["selfmask"] - 50.0)
        left -= 1
        if not left:
            out[k], spans = -200.0, [[], []]
    return out


def rise(x, sr: float, window: int, settings: dict, drum=None) -> tuple[list[int], np.ndarray, np.ndarray]:
    """Spec 2.3: the samples at which a hit is detected; for each sample the sum of rises and what it must exceed, as known there."""
    s = onset_settings(settings)
    frame = max(1, round_half_up(sr / 8000.0))
    rate, on = sr / frame, on_threshold(s)
    H = -(-least_distance(sr, window, settings) // frame)
    levels = np.maximum(smoothed(band_powers(x, sr, s["highpass"]), rate), s["floor"])
    echo = echoes(drum, levels, rate, sr, s)
    valley, noise, mask = np.full(8, s["floor"]), np.full(8, -45.0), np.full(8, -200.0)
    down, catch_up = 1.0 - math.exp(-1.0 / (NOISE_DOWN_S * rate)), 1.0 - math.exp(-1.0 / (VALLEY_S * rate))
    weights = np.linspace(*WEIGHTS, 8)
    restless, dense, since, threshold = 0.0, 0.0, None, on
    fades = 1.0 - math.exp(-1.0 / (DENSE_S * rate))
    hits, rises, thresholds = [], [0.0] * (frame - 1), [on] * (frame - 1)
    for k, level in enumerate(levels):
        up = valley + VALLEY_UP_DB_S / rate + catch_up * np.maximum(level - valley, 0.0)
        valley = np.minimum(level, np.maximum(up, level - VALLEY_DEPTH_DB))
        noise = noise + np.minimum((level - noise) * down, NOISE_UP_DB_S / rate)
        mask = mask - MASK_DOWN_DB_S / rate
        dense -= fades * dense
        factor = 2.0 ** min(max(RESTLESS_GAIN * (restless - RESTLESS_FREE), 0.0), RESTLESS_MOST)
        expected = min(max(dense - DENSE_FREE, 0.0), 1.0) / factor**2
        start = np.max([valley, noise + NOISE_MARGIN_DB, leak(level), echo[k]], axis=0)
        above = level - start - RIPPLE_DB * (1.0 - DENSE_RIPPLE * expected) - MASK_SHARE * np.maximum(mask - level, 0.0)
        most = ALONE_DB + np.maximum(level - FAINT_DB, 0.0)
        total = float((weights * np.maximum(np.minimum(above, most), -FALL_DB)).sum())
        since = None if since is None else since + 1
        if since is None or since >= H:
            threshold = on * factor * (1.0 - DENSE_THRESHOLD * expected)
            restless += (1.0 - math.exp(-1.0 / (RESTLESS_S * rate))) * (min(max(total / threshold, 0.0), 1.0) - restless)
            if total > threshold:
                hits.append((k + 1) * frame - 1)
                if since is not None:
                    dense += min(max(2.0 - since / (DENSE_GAP_S * rate), 0.0), 1.0)
                since, mask = 0, level.copy()
        if since is not None and since < H:
            valley, mask = level.copy(), np.maximum(mask, level)
        rises += [total] * frame
        thresholds += [threshold] * frame
    return hits, np.array(rises)[: len(x)], np.array(thresholds)[: len(x)]


_heard: dict = {}  # many tests hear the same recordings


def onsets(x, sr: float, window: int = 256, drum=None, **settings) -> tuple[list[int], np.ndarray, np.ndarray]:
    """The detector alone: detected samples, onset function, threshold."""
    x = clean(x)
    key = (zlib.crc32(x.tobytes()), len(x), sr, window, tuple(sorted(settings.items())), None if drum is None else drum.tobytes())
    if key not in _heard:
        if onset_settings(settings)["detector"] == "classic":
            _heard[key] = classic(x, sr, window, settings)
        else:
            _heard[key] = rise(x, sr, window, settings, None if drum is None else clean(drum))
    return _heard[key]


# ---- 4. onset features ---------------------------------------------------------------------------------------------


def spectrum(x, sr: float, N: int | None = None, fmax: float = 20000.0):
    """Spec 4.1: (frequencies, |X|² of bins 1 … K, S, Σw², N)."""
    W = len(x)
    if N is None:
        N = 1
        while 2 * scaled(256, sr) > N:
            N *= 2
    w = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(W) / W)
    S = w.sum()
    x = np.asarray(x, dtype=np.float64)
    power = np.abs(np.fft.rfft(w * (x - (w * x).sum() / S), N)) ** 2
    k = np.arange(len(power))
    used = (k >= 1) & (k * sr / N <= fmax) & (k < N / 2)
    return k[used] * sr / N, power[used], S, (w**2).sum(), N


def features(x, sr: float, N: int | None = None) -> np.ndarray:
    """Spec 4.2: loudness in dB, centroid in semitones, flatness in dB of one window."""
    f, power, S, w2, N = spectrum(clean(x), sr, N)
    P = np.maximum(power / S**2, 1e-12)
    mean_square = 2.0 * power.sum() / (N * w2)
    loudness = max(-80.0, 10.0 * math.log10(mean_square)) if mean_square > 0 else -80.0
    centroid = 12.0 * math.log2((f * np.sqrt(P)).sum() / np.sqrt(P).sum() / 440.0) + 69.0
    flatness = 20.0 * math.log10(math.exp(np.log(P).mean()) / P.mean())
    return np.array([loudness, centroid, flatness])


# ---- 5. network, 8. model file -------------------------------------------------------------------------------------


@dataclass
class Model:
    """What a model file holds; layers are (weight [out, in], bias [out] or None)."""

    layers: list
    preset: np.ndarray
    damping: np.ndarray
    min: np.ndarray
    max: np.ndarray
    reference: np.ndarray
    activation: str = "relu"
    norm: str = "none"
    output: str = "tanh"
    window: int = 256
    preroll: int = 16


def table_hash(count: int = len(PARAMS)) -> str:
    """Spec 8.1."""
    lines = "".join(f"{p.key} {p.unit} {p.min:g} {p.max:g} {p.curve}\n" for p in PARAMS[:count])
    return f"{zlib.crc32(lines.encode()):08x}"


def read_model(data: bytes) -> Model:
    """Spec 8, for files known to be good."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    meta = header.pop("__metadata__")
    body = data[8 + size :]
    t = {name: np.frombuffer(body[slice(*h["data_offsets"])], "<f4").reshape(h["shape"]).astype(np.float64) for name, h in header.items()}
    count = sum(name.endswith(".weight") for name in t)
    return Model(
        layers=[(t[f"layers.{i}.weight"], t.get(f"layers.{i}.bias")) for i in range(count)],
        **{name: t[name] for name in ("preset", "damping", "min", "max", "reference")},
        **{name: meta[name] for name in ("activation", "norm", "output")},
        **{name: int(meta[name]) for name in ("window", "preroll")},
    )


def write_model(model: Model) -> bytes:
    """Spec 8: a file that a reader must take."""
    tensors = {}
    for i, (weight, bias) in enumerate(model.layers):
        tensors[f"layers.{i}.weight"] = weight
        if bias is not None:
            tensors[f"layers.{i}.bias"] = bias
    tensors |= {name: getattr(model, name) for name in ("preset", "damping", "min", "max", "reference")}
    meta = {
        "format": "torchdrum 1",
        "voice": "snare808",
        "parameters": table_hash(len(model.preset)),
        "features": "onset3-1",
        "detector": "classic",
        "window": str(model.window),
        "preroll": str(model.preroll),
        "sample_rate": "48000",
        "activation": model.activation,
        "norm": model.norm,
        "output": model.output,
        "name": "oracle",
        "author": "tests/oracle.py",
        "license": "CC0-1.0",
        "source": "random numbers",
        "crc32": "00000000",
    }
    header, body = {"__metadata__": meta}, b""
    for name, value in tensors.items():
        value = np.ascontiguousarray(value, dtype="<f4")
        header[name] = {
            "dtype": "F32",
            "shape": list(value.shape),
            "data_offsets": [len(body), len(body) + value.nbytes],
        }
        body += value.tobytes()
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    data = len(text).to_bytes(8, "little") + text + body
    crc = f"{zlib.crc32(data):08x}".encode()
    return data.replace(b'"crc32":"00000000"', b'"crc32":"' + crc + b'"')


def network(model: Model, x) -> np.ndarray:
    """Spec 5: modulations −1 … 1 of one network input x[3]."""
    y = np.asarray(x, dtype=np.float64)
    for i, (weight, bias) in enumerate(model.layers):
        y = weight @ y + (0.0 if bias is None else bias)
        if i + 1 == len(model.layers):
            return np.tanh(y) if model.output == "tanh" else np.clip(y, -1.0, 1.0)
        if model.norm == "layer":
            y = (y - y.mean()) / np.sqrt(y.var() + 1e-5)
        y = np.maximum(y, 0.0) if model.activation == "relu" else np.tanh(y)


def normalise(raw, low, high) -> np.ndarray:
    """v of spec 4.3."""
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    return np.clip((np.asarray(raw, dtype=np.float64) - low) / (high - low), 0.0, 1.0)


def network_input(v, reference, scale=(1, 1, 1), offset=(0, 0, 0)) -> np.ndarray:
    """x of spec 4.3, rounded to float32."""
    x = np.asarray(v) * np.asarray(scale, dtype=np.float64) + np.asarray(offset, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    return x.astype(np.float32)


def mapping(base, modulation, damping, depth: float, param_depth=1.0, mask=0.0) -> np.ndarray:
    """Spec 5.1: 14 parameters in units, float32, of a base in units."""
    factor = float(depth) * np.asarray(param_depth, dtype=np.float64) * np.asarray(damping, dtype=np.float64)
    moved = (HIGH - LOW) * (factor * np.asarray(modulation, dtype=np.float64)) * (1.0 - np.asarray(mask))
    return np.clip(np.asarray(base, dtype=np.float64) + moved, LOW, HIGH).astype(np.float32)


# ---- 6. snare 808 --------------------------------------------------------------------------------------------------


def mix32(x) -> np.ndarray:
    """mix of spec 6.3 on unsigned 32-bit words."""
    x = np.asarray(x, dtype=np.uint64) & 0xFFFFFFFF
    x = x ^ (x >> np.uint64(16))
    x = (x * np.uint64(0x21F0AAAD)) & 0xFFFFFFFF
    x = x ^ (x >> np.uint64(15))
    x = (x * np.uint64(0xD35A2D97)) & 0xFFFFFFFF
    return x ^ (x >> np.uint64(15))


def noise(seed: int, hit: int, first: int, n: int) -> np.ndarray:
    """r(first … first + n − 1) of spec 6.3, unscaled."""
    golden = 0x9E3779B9
    key = mix32((int(mix32(seed)) + hit * golden) & 0xFFFFFFFF)
    counter = ((first + np.arange(n, dtype=np.uint64)) * np.uint64(golden)) & np.uint64(0xFFFFFFFF)
    return (mix32(key ^ counter) >> np.uint64(8)).astype(np.float64) * 2.0**-23 - 1.0


def envelope_end(decay_s, sr: float):
    """n_end of spec 6.1."""
    return np.ceil(0.001 * sr + np.asarray(decay_s) * sr * 4.0 / 3.0)


def envelope(decay_s, sr: float, n: int) -> np.ndarray:
    """e(0 … n−1) of spec 6.1; decay_s may be a column of decays."""
    decay_s = np.asarray(decay_s, dtype=np.float64)[..., None]
    i = np.arange(n, dtype=np.float64)
    A, F, end = 0.001 * sr, round_half_up(0.001 * sr), envelope_end(decay_s, sr)
    e = np.where(i < A, i / A, 10.0 ** (-3.0 * np.maximum(i - A, 0.0) / (decay_s * sr)))
    return e * np.clip((end - i) / F, 0.0, 1.0)


def noise_highpass(fc, q, sr: float):
    """Spec 6.4: (b, a) of the matched second-order high-pass."""
    w = 2.0 * np.pi * np.minimum(fc, 0.45 * sr) / sr
    zeta = 1.0 / (2.0 * q)
    a1 = -2.0 * np.exp(-zeta * w) * np.cos(w * np.sqrt(np.maximum(1.0 - zeta**2, 0.0)))
    a2 = np.exp(-2.0 * zeta * w)
    phi1 = np.sin(w / 2.0) ** 2
    phi0 = 1.0 - phi1
    phi2 = 4.0 * phi0 * phi1
    b0 = q * np.sqrt((1.0 + a1 + a2) ** 2 * phi0 + (1.0 - a1 + a2) ** 2 * phi1 - 4.0 * a2 * phi2) / (4.0 * phi1)
    return (b0, -2.0 * b0, b0), (a1, a2)


def voice_end(params, sr: float) -> int:
    """The first sample from which a voice is silent (end of spec 6.1)."""
    p = dict(zip([q.name for q in PARAMS], np.asarray(params, dtype=np.float64), strict=True))
    return int(max(envelope_end(p[name] / 1000.0, sr) for name in ("osc1_decay", "osc2_decay", "noise_decay")))


def snare808(params, sr: float, seed: int, hit, n: int) -> np.ndarray:
    """Spec 6: the first n samples of a hit. params [14] in units, or [rows, 14] with one hit number per row."""
    params = np.asarray(params, dtype=np.float64)
    p = {q.name: params[..., i] for i, q in enumerate(PARAMS)}
    column = {name: value[..., None] for name, value in p.items()}
    e_freq, e1, e2, e_noise = (envelope(p[name] / 1000.0, sr, n) for name in ("freq_env_decay", "osc1_decay", "osc2_decay", "noise_decay"))
    E = np.cumsum(e_freq, axis=-1) - e_freq
    i = np.arange(n)

    def oscillator(name):
        return np.sin(2.0 * np.pi * (column[f"{name}_freq"] / sr * (i + column[f"{name}_mod"] * E)))

    r = noise(seed, hit, 0, n) if params.ndim == 1 else np.array([noise(seed, k, 0, n) for k in hit])
    filtered = second_order(r, *noise_highpass(p["noise_filter_freq"], p["noise_filter_q"], sr))
    g = {name: 10.0 ** (column[name] / 20.0) for name in ("osc1_gain", "osc2_gain", "noise_gain", "tanh_gain")}
    body = g["osc1_gain"] * e1 * oscillator("osc1") + g["osc2_gain"] * e2 * oscillator("osc2")
    return np.tanh(g["tanh_gain"] * (body + g["noise_gain"] * e_noise * math.sqrt(sr / 48000.0) * filtered))


# ---- 7. engine -----------------------------------------------------------------------------------------------------


@dataclass
class Patch:
    """Spec 7.3. Base overrides and mask are per parameter."""

    model: Model
    depth: float = 1.0
    param_depth: np.ndarray = field(default_factory=lambda: np.ones(len(PARAMS)))
    scale: np.ndarray = field(default_factory=lambda: np.ones(3))
    offset: np.ndarray = field(default_factory=lambda: np.zeros(3))
    base: dict = field(default_factory=dict)  # index → value in units
    mask: frozenset = frozenset()
    adapt: bool = False
    seed: int = 0
    second: Model | None = None
    morph: float = 0.0


@dataclass
class Hit:
    time: int
    detected: int
    kind: str  # "stroke", "trigger" or "trigger_features"
    velocity: float
    raw: np.ndarray
    normalized: np.ndarray
    input: np.ndarray
    modulation: np.ndarray
    param: np.ndarray


class Heard:
    """The strokes heard so far, for `normalize adapt` of spec 4.3."""

    def __init__(self):
        self.raw = []

    def normalise(self, raw, patch: Patch, model: Model) -> np.ndarray:
        """v of the stroke that was heard last, for a model of the patch."""
        if not patch.adapt or len(self.raw) <= 4:
            return normalise(raw, model.min, model.max)
        low, high = np.min(self.raw, axis=0), np.max(self.raw, axis=0)
        short = np.maximum(LEAST_SPAN - (high - low), 0.0) / 2.0
        return normalise(raw, low - short, high + short)


def make_hit(patch: Patch, kind: str, detected: int, time: int, raw=None, values=None) -> Hit:
    """values: for each model of the patch its v, or None for a plain trigger."""
    slots = [patch.model] if patch.second is None else [patch.model, patch.second]
    share = [1.0] if patch.second is None else [1.0 - patch.morph, patch.morph]
    m, v, x, velocity = np.zeros(len(PARAMS)), np.zeros(3), np.zeros(3), 1.0
    if values is not None:
        inputs = [network_input(v, model.reference, patch.scale, patch.offset) for v, model in zip(values, slots, strict=True)]
        m = sum(s * network(model, x) for s, model, x in zip(share, slots, inputs, strict=True))
        v, x = values[0], inputs[0]
        velocity = min(max(float(v[0]) if raw is None else 1.0 + float(raw[0]) / 60.0, 0.01), 1.0)
    base = sum(s * np.asarray(model.preset, dtype=np.float64) for s, model in zip(share, slots, strict=True))
    damping = sum(s * model.damping for s, model in zip(share, slots, strict=True))
    for i, value in patch.base.items():
        base[i] = float(np.float32(value))
    mask = np.array([float(i in patch.mask) for i in range(len(PARAMS))])
    param = mapping(base, m, damping, patch.depth, patch.param_depth, mask)
    return Hit(time, detected, kind, velocity, np.zeros(3) if raw is None else raw, v, x, m, param)


def drum(hits, sr: float, seed: int, n: int) -> np.ndarray:
    """Spec 7.1: the sum of voice, tail and residual of hits in the order in which they start; hit numbers from 0."""
    out = np.zeros(n)
    F = round_half_up(0.001 * sr)
    fade = (F - np.arange(F)) / F

    def sound(k, length):
        return snare808(hits[k].param, sr, seed, k, max(length, 0))

    dropped = np.zeros(0)  # tail and residual as they go on from hits[k].time
    for k, hit in enumerate(hits):
        end = hits[k + 1].time if k + 1 < len(hits) else n
        own = sound(k, end - hit.time)
        out[hit.time : end] += own
        if k:
            residual = (dropped[0] if len(dropped) else 0.0) * fade
            start = hit.time - hits[k - 1].time
            dropped = sound(k - 1, start + F)[start:] * fade + residual
        shown = dropped[: end - hit.time]
        out[hit.time : hit.time + len(shown)] += shown
        dropped = dropped[end - hit.time :]
    return out


def gains(n: int, sr: float, changes) -> tuple[np.ndarray, np.ndarray]:
    """Spec 7.2: d and w per sample. changes: (sample, {mix, gain, bypass, enable}) in order, the first at sample 0."""
    R = round_half_up(0.005 * sr)
    state, d, w = {"mix": 1.0, "gain": 0.0, "bypass": 0, "enable": 1}, np.zeros(n), np.zeros(n)
    now = None
    changes = list(changes)
    for i, (start, new) in enumerate(changes):
        state |= new
        g = 10.0 ** (float(np.float32(state["gain"])) / 20.0)
        mix = float(np.float32(state["mix"]))
        target = (math.sqrt(1.0 - mix) * g, math.sqrt(mix) * g)
        if state["bypass"]:
            target = (1.0, 0.0)
        if not state["enable"]:
            target = (0.0, 0.0)
        end = changes[i + 1][0] if i + 1 < len(changes) else n
        if now is None:
            now = target
        step = np.minimum(np.arange(1, end - start + 1) / R, 1.0)
        for out, a, b in ((d, now[0], target[0]), (w, now[1], target[1])):
            out[start:end] = a + (b - a) * step
        if end > start:
            now = (d[end - 1], w[end - 1])
    return d, w


def engine_hits(x, sr: float, patch: Patch, settings: dict | None = None, triggers=()) -> list[Hit]:
    """Spec 3, 4.3, 7: what is played, in order, with one patch and constant detector settings.

    The window is the first model's. triggers: (sample, features or None) in the order sent."""
    x = clean(x)
    model = patch.model
    W, p = max(1, scaled(model.window, sr)), scaled(model.preroll, sr)
    found = onsets(x, sr, model.window, **(settings or {}))[0]
    models = [model] if patch.second is None else [model, patch.second]
    heard = Heard()
    starts = [(d - p + W, 0, i, d) for i, d in enumerate(found)] + [(t, 1, i, f) for i, (t, f) in enumerate(triggers)]
    hits = []
    for time, is_trigger, _, what in sorted(starts, key=lambda s: s[:3]):
        if time >= len(x):
            continue
        if is_trigger:
            if what is None:
                hits.append(make_hit(patch, "trigger", time, time))
            else:
                v = np.clip(np.asarray(what, dtype=np.float32).astype(np.float64), 0.0, 1.0)
                hits.append(make_hit(patch, "trigger_features", time, time, values=[v] * len(models)))
        else:
            raw = features(np.concatenate([np.zeros(max(p - what, 0)), x[max(what - p, 0) : time]]), sr)
            heard.raw.append(raw)
            values = [heard.normalise(raw, patch, one) for one in models]
            hits.append(make_hit(patch, "stroke", what, time, raw, values))
    return hits


def engine_output(x, sr: float, hits, seed: int, gain_changes=((0, {}),)) -> tuple[np.ndarray, np.ndarray]:
    """Spec 7.1, 7.2: (output, trigger signal) of those hits; gain_changes as for gains()."""
    x = clean(x)
    d, w = gains(len(x), sr, gain_changes)
    out = d * x + w * drum(hits, sr, seed, len(x))
    out[np.abs(out) < TINY] = 0.0
    impulses = np.zeros(len(x))
    for hit in hits:
        impulses[hit.time] = hit.velocity
    return out, impulses

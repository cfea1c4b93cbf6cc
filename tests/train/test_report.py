# SPDX-License-Identifier: MIT
"""The report of a training is one file that shows what the object does and asks for nothing."""

import base64
import functools
import io
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import scipy.stats
import soundfile

import torchdrum_py as td
from torchdrum_py import data, judge, long_features, model_file, report
from torchdrum_py.judge import Errors

STROKES = 24
TEST = list(range(0, STROKES, 3))
PRESET = td.Preset.load("808_snare_1")
HISTORY = [(1, 1.0, 1.2), (2, 0.8, 0.9), (3, 0.7, 1.0)]
NASTY = "<script>alert('1')</script>\"&amp;"
SECTIONS = ("model", "losses", "errors", "space", "follow", "parameters", "listen")
VOID = {"meta"}


@functools.cache
def hits() -> list[data.Hit]:
    """Drums of the voice, in no order of their force."""
    names = [p.name for p in td.PARAMS]
    found = []
    for i in range(STROKES):
        params = PRESET.value.copy()
        params[names.index("tanh_gain")] += (7 * i % STROKES) - 12
        params[names.index("noise_filter_freq")] += 40 * i
        found += data.cut(td.render_snare808(params, data.SAMPLE_RATE, 4, i, data.SAMPLE_RATE), f"stroke {i}", single=True)
    assert len(found) == STROKES
    return found


@functools.cache
def model(name: str = "mine") -> td.Model:
    """Its range is that of the strokes, its drums are louder and noisier for harder ones."""
    weight = np.zeros((len(td.PARAMS), 3), np.float32)
    weight[[p.name in ("tanh_gain", "noise_gain") for p in td.PARAMS], 0] = 0.5
    features = np.array([hit.features for hit in hits()])
    ends = features.min(axis=0) - 5, features.max(axis=0) + 5
    words = {"name": name, "author": name, "license": name, "source": name}
    return td.Model(model_file.to_bytes([(weight, None)], PRESET, *ends, np.full(3, 0.5), **words))


def errors(preset=1.0, played=0.5, loudness=0.95, brightness=0.2) -> Errors:
    count = len(long_features.NAMES)
    return Errors(np.full(count, preset), np.full(count, 0.4), np.full(count, played), loudness, brightness)


@functools.cache
def page(name: str = "mine") -> str:
    return report.render(model(name), hits(), TEST, HISTORY, errors(), {"seed": name})


class Page(HTMLParser):
    """tags: name and attributes of each element; text: what a person reads. Elements must be closed in their order."""

    def __init__(self, source: str):
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text, self.open = "", []
        self.feed(source)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        if "style" not in self.open:
            self.text += text

    def attributes(self, tag: str, name: str) -> list[str]:
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]

    def sounds(self) -> dict[str, np.ndarray]:
        """What each player plays, by its label."""
        found = {}
        for label, source in zip(self.attributes("audio", "aria-label"), self.attributes("audio", "src"), strict=True):
            kind, _, encoded = source.partition(",")
            assert kind == "data:audio/flac;base64"
            found[label], rate = soundfile.read(io.BytesIO(base64.b64decode(encoded)))
            assert rate == data.SAMPLE_RATE
        return found


def test_every_part_is_there():
    found = Page(page())
    assert found.attributes("section", "id") == list(SECTIONS)
    assert set(found.attributes("a", "href")) <= {f"#{name}" for name in SECTIONS}
    pictures = found.attributes("svg", "aria-label")
    assert len(pictures) == len(set(pictures)) == 1 + 1 + 2 + 2 + len(td.PARAMS) + 2 * 3
    assert len(found.sounds()) == 2 * 3 + 3 * report.SINGLES
    for words in [*(p.label for p in td.PARAMS), *(name for name, _ in report.MEASURES), "least 0.900 in epoch 2", model().info["crc32"]]:
        assert words in found.text
    assert "808_snare_1" in found.text and f"{STROKES}, {len(TEST)} of them" in found.text and "5 ms" in found.text


def test_a_browser_fetches_nothing_and_runs_nothing():
    source = page()
    found = Page(source)
    for tag, attributes in found.tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            assert "url(" not in (value or "").replace("url(#", "")
            if name in {"src", "href", "xlink:href", "srcset", "action"}:
                assert value.startswith(("data:", "#"))
    assert "@import" not in source and "://" not in source and "url(" not in source.replace("url(#", "")
    (policy,) = [attributes["content"] for _, attributes in found.tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique_and_every_reference_leads_somewhere():
    found = Page(page())
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {reference[1:] for reference in found.attributes("use", "xlink:href")} <= set(ids)


def test_what_is_heard_is_what_the_object_plays_with_true_loudness_relations():
    sounds = Page(page()).sounds()
    chosen = sorted(TEST, key=lambda i: hits()[i].features[0])
    played = {"playing": [], "model": [], "plain preset": []}
    for i in chosen:
        played["playing"].append(hits()[i].sound)
        for voice, depth in (("model", 1.0), ("plain preset", 0.0)):
            engine = td.Engine(data.SAMPLE_RATE, model(), seed=i, depth=depth)
            out, _ = engine.process(np.append(hits()[i].audio, np.zeros(data.WINDOW, np.float32)))
            assert len(engine.events) == 1
            played[voice].append(out[data.LEAD_SAMPLES :][: data.WINDOW + data.SAMPLES])
    loudest = {voice: max(np.abs(sound).max() for sound in found) for voice, found in played.items()}
    loudest["model"] = loudest["plain preset"] = max(loudest["model"], loudest["plain preset"])
    for voice, found in played.items():
        gain = report.PEAK / loudest[voice]
        phrase = sounds[f"From soft to hard: the {voice}"]
        for place, sound in enumerate(found):
            length = report.STEP - data.FADE_SAMPLES
            np.testing.assert_allclose(phrase[place * report.STEP :][:length], gain * sound[:length], atol=1e-4)
        for place in (0, -1):
            title = f"Stroke of {hits()[chosen[place]].features[0]:.1f} dB: the {voice}".replace("-", "−")
            np.testing.assert_allclose(sounds[title], gain * found[place], atol=1e-4)


def test_foreign_names_are_shown_and_not_run():
    source = page(NASTY)
    assert "<script" not in source
    found = Page(source)
    assert found.text.count(NASTY) == 7  # title, heading, name, author, licence, source, seed
    assert [tag for tag, _ in found.tags if tag == "script"] == []


def test_the_same_training_gives_the_same_bytes_whatever_the_persons_style(tmp_path):
    with matplotlib.rc_context({"font.size": 30, "svg.fonttype": "path", "axes.grid": True}):
        report.write(tmp_path / "a.html", model(), hits(), TEST, HISTORY, errors(), {"seed": "mine"})
    assert (tmp_path / "a.html").read_bytes() == page().encode()
    assert [path.name for path in tmp_path.iterdir()] == ["a.html"]


DRAW = "from torchdrum_py import report_plots; print(report_plots.losses([(1, 1.0, 1.2), (2, 0.8, 0.9), (3, 0.7, 1.0)]))"


def test_another_process_draws_the_same_picture(tmp_path):
    environment = os.environ | {"PYTHONHASHSEED": "1"}
    there = subprocess.run([sys.executable, "-c", DRAW], capture_output=True, encoding="utf-8", check=True, env=environment, cwd=tmp_path)
    assert there.stdout.strip() in page()


def test_what_is_not_known_is_said():
    nothing = errors(np.nan, np.nan, np.nan, np.nan)
    found = Page(report.render(model(), hits(), [5], [], nothing, {}))
    assert "losses are not known" in found.text
    assert "could not be compared" in found.text and "believe your ears" in found.text
    assert not re.search(r"\bnan\b", found.text)
    assert found.attributes("section", "id") == list(SECTIONS)
    assert len(found.sounds()) == 2 * 3 + 3 * report.SINGLES  # of strokes that were trained with


def test_one_stroke_and_losses_that_are_no_numbers_are_enough_for_a_report():
    found = Page(report.render(model(), hits()[:1], [], [(1, np.nan, np.nan)], errors(0.0), {}))
    assert found.attributes("section", "id") == list(SECTIONS)
    assert len(found.sounds()) == 3 + 3  # there is but one order


def test_the_verdict_says_what_follows_and_what_does_not():
    text = report.verdict(errors(), 20)
    assert text.startswith("Loudness follows the hand closely (rank correlation 0.95); brightness does not follow the hand")
    assert "0.50 of the plain preset's; each is nearer" in text and "believe" not in text
    text = report.verdict(errors(played=np.array([0.5] * 6 + [1.25])), 1)
    assert "what hardly follows: middle in time of the attack (1.25)." in text and "Only 1 stroke was left" in text


def test_rank_correlation_is_spearmans_also_with_ties():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 8, (2, 50))
    assert judge.rank_correlation(a, a + b) == pytest.approx(scipy.stats.spearmanr(a, a + b).statistic)
    assert np.isnan(judge.rank_correlation(a, np.ones(50))) and np.isnan(judge.rank_correlation(a[:1], b[:1]))


def test_a_brightness_is_shown_as_the_frequency_that_it_stands_for():
    hz = np.array([100.0, 1000.0, 5000.0, 19000.0])
    np.testing.assert_allclose(report.kilohertz(21.2985 - 34.61 * hz**-0.1621), hz / 1000.0, rtol=1e-6)
    assert np.isnan(report.kilohertz(np.array([17.0, 30.0]))).all()


def test_a_choice_of_strokes_keeps_the_softest_and_the_hardest():
    features = np.array([hit.features for hit in hits()])
    for most in (2, 5, STROKES, 100):
        chosen = report.evenly(np.arange(STROKES), features, most)
        assert len(set(chosen)) == min(most, STROKES)
        assert np.array_equal(features[chosen, 0], np.sort(features[chosen, 0]))
        assert {features[:, 0].argmin(), features[:, 0].argmax()} <= set(chosen)


def test_a_long_recording_makes_no_huge_file(monkeypatch):
    assert len(page()) < 5e6
    monkeypatch.setattr(report, "MOST_PLAYED", 5)
    strokes = report.Strokes.of(model(), hits(), TEST)
    assert len(strokes.played) <= 10 and strokes.unseen[strokes.played].sum() >= 5
    assert len(strokes.param) == len(strokes.before) == len(strokes.after) == len(strokes.played)
    assert len(strokes.features) == STROKES


def test_a_report_that_cannot_be_written_is_refused_before_the_training(tmp_path, monkeypatch):
    report.check(tmp_path / "report.html")
    for path in (tmp_path / "report.txt", tmp_path / "nowhere" / "report.html"):
        with pytest.raises(td.TorchdrumError, match=path.name):
            report.check(path)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.delitem(sys.modules, "matplotlib.figure")
    with pytest.raises(td.TorchdrumError, match=r'pip install "torchdrum\[plot\]"'):
        report.write(tmp_path / "report.html", model(), hits(), TEST, HISTORY, errors())
    assert list(Path(tmp_path).iterdir()) == []

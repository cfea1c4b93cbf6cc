# SPDX-License-Identifier: MIT
"""The panel for Max, played by patch_player with the answers of the object in the mock host."""

import max_panel
import numpy as np
import pytest
from mock_max import ROOT
from patch_player import Player, number
from test_max_package import boxes

import torchdrum_py as td

PARAMS = [p.name for p in td.PARAMS]
NUMBERS = [*max_panel.CONTROLS, *PARAMS]
CHANGES = ["load snare_2", "preset noisy_snare", "osc1_freq 300", "depth 1.5", "depth osc2_freq 0.5", "mix 0.25", "hold 77", "gain -6"]


@pytest.fixture(scope="module")
def patcher() -> dict:
    return max_panel.panel().patcher()


def answers_of(mock, folder, *messages: str) -> dict[str, list[list]]:
    """What the object says to each of the questions after the messages."""
    steps = [("new", "x")]
    questions = ["meter", "dump", "get range", "state", "latency"]
    steps += [("send", "x", *message.split()) for message in messages]
    for question in questions:
        steps += [("mark", question), ("send", "x", *question.split())]
    found, at = {}, None
    for kind, *words in mock.run(folder, steps).lines:
        if kind == "mark":
            at = found.setdefault(words[0], [])
        elif kind == "out" and at is not None:
            at.append([number(word) for word in words[3:]])
    return found


@pytest.fixture
def panel(mock, tmp_path, patcher):
    """panel(*messages, arguments): loaded, and as many ticks later as it takes to have asked everything."""

    def make(*messages, arguments=()):
        answers = answers_of(mock, tmp_path, *messages)
        p = Player(patcher, lambda atoms: answers.get(" ".join(map(str, atoms)), []), arguments)
        p.load()
        for _ in range(max_panel.SLOW_TICKS):
            p.tick()
        return p

    return make


def ends(p: Player, name: str) -> list[str]:
    """The boxes of the face that belong to a control or parameter: dial, number and, of a parameter, bar and number of what was played."""
    part = p.find(f"p {name}")
    return [box for outlet in range(1, p.boxes[part]["numoutlets"]) for box, _ in p.cords[part, outlet]]


def last(p: Player, box: str):
    (value,) = p.got[box][-1]
    return value


def test_it_is_seen_whole_and_nothing_lies_on_anything(patcher):
    seen = [b for b in boxes(patcher) if b.get("presentation")]
    rects = [(b["presentation_rect"], b["id"]) for b in seen]
    assert len(seen) > 100 and patcher["openinpresentation"] == 1
    for i, ((x, y, width, height), name) in enumerate(rects):
        assert x >= 0 and y >= 0 and x + width <= max_panel.WIDTH and y + height <= max_panel.HEIGHT, name
        for (x2, y2, width2, height2), other in rects[i + 1 :]:
            assert x >= x2 + width2 or x2 >= x + width or y >= y2 + height2 or y2 >= y + height, (name, other)
    kinds = [b["maxclass"] for b in seen]
    assert [kinds.count(k) for k in ("dial", "multislider", "lcd", "umenu", "meter~")] == [14, 1, 1, 2, 2]
    assert not [b for b in boxes(patcher) if b["maxclass"] in ("jsui", "js", "v8")]


def test_it_asks_twenty_times_a_second_and_keeps_these_answers_inside(panel):
    p = panel()
    sent = [" ".join(map(str, atoms)) for atoms in p.sent]
    assert sent.count("meter") == max_panel.SLOW_TICKS and [sent.count(w) for w in ("dump", "get range", "state")] == [1, 1, 1]
    assert not p.out and max_panel.TICK_MS == 50
    p.take(p.find("torchdrum~"), 0, ["latency"])
    assert p.out == [(5, ["latency", 240, 5])]


@pytest.mark.parametrize("messages", [(), CHANGES], ids=["new", "changed"])
def test_it_shows_what_the_object_says(panel, mock, tmp_path, messages):
    p = panel(*messages)
    told = {line[0]: line[1] for line in answers_of(mock, tmp_path, *messages)["dump"] if len(line) == 2}
    for name in NUMBERS:
        dial, shown = ends(p, name)[:2]
        least, most, log = max_panel.scale_of(name)
        value = max(told[name], least)
        wanted = np.log(value / least) / np.log(most / least) if log else (value - least) / (most - least)
        assert last(p, shown) == told[name] and last(p, dial) == pytest.approx(wanted, abs=1e-6), name
    model, preset = (last(p, box) for box in p.all("umenu"))
    assert (model, preset) == (("snare_2", "noisy_snare") if messages else ("snare_1", "-"))
    assert ["snare_2" if messages else "snare_1"] in [got[-1] for got in p.got.values()]


def test_a_preset_of_numbers_and_a_model_of_ones_own_are_in_no_menu(panel, mock, tmp_path):
    p = panel("load snare_2", "store 1", "recall 1")
    assert last(p, p.all("umenu")[1]) == "-"
    p.answer = lambda atoms: [["model", "/somewhere/mine.safetensors"]] if atoms == ["dump"] else []
    for _ in range(max_panel.SLOW_TICKS):
        p.tick()
    assert last(p, p.all("umenu")[0]) == "-" and ["/somewhere/mine.safetensors"] in [got[-1] for got in p.got.values()]


def test_every_dial_and_number_sends_its_parameter_from_end_to_end(panel, mock, tmp_path):
    p = panel()
    messages = []
    for name in NUMBERS:
        dial, shown = ends(p, name)[:2]
        least, most, log = max_panel.scale_of(name)
        for turned, value in ((0.0, least), (1.0, most), (0.5, np.sqrt(least * most) if log else (least + most) / 2)):
            p.sent.clear()
            p.take(dial, 0, [turned])
            ((word, sent),) = p.sent
            assert word == name and sent == pytest.approx(value, rel=1e-6, abs=1e-6) and last(p, shown) == sent
            messages.append(f"{word} {sent:.17g}")
        p.sent.clear()
        p.take(shown, 0, [most])
        assert p.sent == [[name, most]] and last(p, dial) == pytest.approx(1)
        assert p.boxes[shown]["maximum"] == most
    log = mock.run(tmp_path, [("new", "x"), *(("send", "x", *message.split()) for message in messages)])
    assert not log.said and len(messages) == 3 * len(NUMBERS)


def test_menus_load_every_model_and_preset_and_the_first_item_nothing(panel, mock, tmp_path):
    p = panel()
    p.sent.clear()
    for box in p.all("umenu"):
        for k in range(len(p.boxes[box]["items"][::2])):
            p.take(box, 0, [k])
    models = {path.stem for path in (ROOT / "models").glob("*.safetensors")}
    assert {sent[1] for sent in p.sent if sent[0] == "load"} == models
    assert len(p.sent) == len(models) + len(td.preset_names())
    log = mock.run(tmp_path, [("new", "x"), *(("send", "x", *sent) for sent in p.sent), ("pump",)])
    assert not log.errors and len(log.info) == len(models)


def test_a_stroke_moves_the_bars_draws_the_radar_and_marks_the_graph_once(panel):
    p = panel()
    o = p.find("torchdrum~")
    middle = [(q.min + q.max) / 2 for q in td.PARAMS]
    p.give(o, 4, middle)
    p.give(o, 3, [-30.0, 75.0, -60.0])
    p.give(o, 2, ["bang"])
    for name, value in zip(PARAMS, middle, strict=True):
        bar, shown = ends(p, name)[2:]
        assert last(p, shown) == value and 0 < last(p, bar) < 1
    (lcd,), (graph,) = p.all("lcd"), p.all("multislider")
    (drawn,) = [atoms for atoms in p.got[lcd] if atoms[0] == "paintpoly"]
    assert all(isinstance(v, int) and 0 <= v <= max_panel.RADAR for v in drawn[1:]) and drawn[1:3] == drawn[7:]
    for _ in range(3):
        p.tick()
    assert [points[3] for points in p.got[graph]][-3:] == [1.0, 0.0, 0.0]
    assert all(len(points) == 4 and 0 <= min(points) <= max(points) <= 1 for points in p.got[graph])
    assert [index for index, _ in p.out] == [4, 3, 2]


def test_what_it_draws_are_words_of_the_lcd(panel):
    info = pytest.importorskip("py2max.maxref").get_object_info
    p = panel()
    p.give(p.find("torchdrum~"), 3, [-30.0, 75.0, -60.0])
    (lcd,) = p.all("lcd")
    words = {atoms[0] for atoms in p.got[lcd]}
    assert {"clear", "framepoly", "paintpoly"} <= words <= set(info("lcd")["methods"])


def test_properties_of_its_boxes_are_attributes_of_max(patcher):
    info = pytest.importorskip("py2max.maxref").get_object_info
    common = {
        "id", "maxclass", "numinlets", "numoutlets", "outlettype", "patching_rect", "presentation", "presentation_rect", "text", "fontsize",
        "textcolor", "linecount", "ignoreclick", "parameter_enable", "varname", "patcher", "format",
    }  # fmt: skip
    for box in boxes(patcher):
        if box["maxclass"] != "newobj":
            assert set(box) - common <= set(info(box["maxclass"])["attributes"]), box


def test_arguments_of_the_bpatcher_are_a_model_and_without_one_nothing_is_said(panel):
    assert ["load", "snare_2"] in panel(arguments=("snare_2",)).sent
    assert not [sent for sent in panel().sent if sent[0] == "load"]

# SPDX-License-Identifier: MIT
"""Every message and attribute of [torchdrum~] for Max in the mock host: right, wrong, missing arguments; state; files; Max's questions."""

import shutil

import numpy as np
import pytest
from message_cases import CASES, IN_MAX, RESTORE, in_max
from mock_max import ROOT

import torchdrum_py as td

MODEL = ROOT / "models" / "snare_1.safetensors"


def send(words: str, name: str = "x"):
    return [("send", name, *message.split()) for message in words.split(", ")]


def described(mock, folder) -> tuple[dict, dict]:
    """Methods and attributes as the class registered them: {name: kind}, {name: {property: words}}."""
    log = mock.run(folder, [("describe",)])
    attributes = {}
    for name, what, *values in log.of("attribute"):
        attributes.setdefault(name, {})[what] = values if len(values) > 1 else values[0]
    return dict(log.of("method")), attributes


def test_every_message_answers_as_in_the_table_that_all_hosts_share(mock, tmp_path):
    steps = [("new", "x")]
    for message in CASES:
        steps += [("mark", message), *send(in_max(message)), ("pump",), ("mark", ""), *send(in_max(RESTORE))]
    log = mock.run(tmp_path, steps)
    answers, at = {}, ""
    for kind, *words in log.lines:
        if kind == "mark":
            at = words[0]
            answers.setdefault(at, ([], []))
        elif kind == "out":
            answers[at][0].append(" ".join(words[3:]))
        elif kind in ("error", "post"):
            answers[at][1].append(words[1])
    wrong = {}
    for message, expected in CASES.items():
        info, console = IN_MAX.get(message, expected)
        for got, wanted in zip(answers[message], (info, [in_max(line) for line in console]), strict=True):
            if len(got) != len(wanted) or not all(g.startswith(w) for g, w in zip(got, wanted, strict=True)):
                wrong[message] = answers[message]
    assert not wrong and len(answers) == len(CASES) + 1


@pytest.mark.parametrize("message", ["dump", "bang"])
def test_dump_and_bang_give_everything_on_the_info_outlet(mock, tmp_path, message):
    log = mock.run(tmp_path, [("new", "x"), ("send", "x", message)])
    assert [words.split()[0] for words in log.info] == ["model", *(p.name for p in td.PARAMS), *(c.name for c in td.CONTROLS), "normalize"]


def test_numbers_and_unknown_words_are_one_line(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), *send("5, 0.5, nonsense 3, bang 3")])
    assert len(log.said) == 4 and not log.info


def test_more_arguments_than_any_message_takes_are_refused(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), ("send", "x", "gain", *range(40)), *send("get gain")])
    assert log.said == ["gain: too many arguments"] and log.info == ["gain 0"]


def test_mutes_word_for_every_msp_object_is_left_to_msp(mock, tmp_path, bursts):
    x = bursts(48000)
    muted = mock.play(tmp_path, x, messages=[(0, "enable 0"), (1, "get enable")])
    assert not muted.drum.any() and muted.info == ["enable 1"] and not muted.said
    off = mock.play(tmp_path, x, messages=[(0, "active 0"), (1, "get enable")])
    assert not off.drum.any() and off.info == ["enable 0"]


# ---- attributes


def test_every_control_and_parameter_is_an_attribute_with_all_that_an_inspector_asks_for(mock, tmp_path):
    methods, attributes = described(mock, tmp_path)
    names = [*(p.name for p in td.PARAMS), *("active" if c.name == "enable" else c.name for c in td.CONTROLS)]
    assert list(attributes) == ["sound", *names]
    for thing in (*td.PARAMS, *td.CONTROLS):
        name = "active" if thing.name == "enable" else thing.name
        a, choices = attributes[name], getattr(thing, "choices", ())
        assert methods[name] == "message"
        assert a["label"] and a["label"][0].isupper() and a["category"] in ("Drum", "Playing")
        if choices:
            assert (a["type"], a["style"], a["enumvals"].split()) == ("symbol", "enum", list(choices))
            assert a["default"] == choices[int(thing.default)]
            continue
        np.testing.assert_allclose([float(v) for v in (*a["range"], a["default"])], [thing.min, thing.max, thing.default], rtol=1e-6)
        assert a["style"] == ("onoff" if thing.unit == "on/off" else "text")
        assert a["type"] == ("atom_long" if thing.unit in ("on/off", "count") else "float64")
    assert [int(a["order"]) for a in attributes.values()] == list(range(len(attributes)))
    saved = {name for name, a in attributes.items() if a.get("save") == "1"}
    assert saved == {"sound", *names[len(td.PARAMS) :]} - {"seed"}


def test_attributes_set_and_give_what_messages_do_and_are_clipped_by_their_filter(mock, tmp_path):
    steps = [("new", "x"), ("set", "x", "gain", 99), ("get", "x", "gain"), ("set", "x", "input", "line"), ("get", "x", "input")]
    steps += [("get", "x", "hold"), ("set", "x", "bypass", 1), ("get", "x", "bypass"), ("set", "x", "osc1_freq", 250.5)]
    log = mock.run(tmp_path, [*steps, ("get", "x", "osc1_freq"), *send("get osc1_freq, getgain, getsound")])
    assert [" ".join(a) for a in log.of("attribute")] == ["gain 24", "input line", "hold 24", "bypass 1", "osc1_freq 250.5"]
    assert log.info == ["osc1_freq 250.5", "gain 24", f"sound 1 load snare_1 1 osc1_freq 250.5 {UNBENT} 1 normalize model"] and not log.said


def test_an_attribute_of_the_wrong_type_is_said_and_changes_nothing(mock, tmp_path):
    log = mock.run(
        tmp_path,
        [("new", "x"), ("set", "x", "gain", "loud"), ("set", "x", "input", "moon"), ("set", "x", "gain"), *send("get gain, get input")],
    )
    assert log.info == ["gain 0", "input mic"] and len(log.said) == 3


def test_what_a_message_changes_is_told_to_inspectors_and_pattr_once_and_from_the_main_thread(mock, tmp_path):
    log = mock.run(
        tmp_path,
        [
            ("new", "x"),
            ("queue",),
            ("thread", "scheduler"),
            *send("gain -3, gain -4, get hold"),
            ("thread", "main"),
            ("queue",),
            ("queue",),
        ],
    )
    assert log.of("touch") == [["x", "gain"]] and log.of("notify") == [["x", "modified"]]
    log = mock.run(tmp_path, [("new", "x"), ("queue",), *send("gain -3, getgain"), ("get", "x", "gain"), ("queue",)])
    assert log.of("touch") == [["x", "gain"]]  # that somebody has asked meanwhile takes nothing away
    log = mock.run(tmp_path, [("new", "x"), ("queue",), *send("detector classic"), ("queue",)])
    changed = {c.name for c in td.CONTROLS} & {name for _, name in log.of("touch")}
    assert {"detector", "onthreshold", "hold", "floor", "highpass"} <= changed


def test_creation_takes_a_model_and_attributes_and_says_what_is_wrong(mock, tmp_path):
    steps = [
        ("new", "x", "snare_2", "@gain", -3, "@osc1_freq", 300, "@detector", "classic"),
        *send("get model, get gain, get osc1_freq, get detector"),
    ]
    assert mock.run(tmp_path, steps).info == ["model snare_2", "gain -3", "osc1_freq 300", "detector classic"]
    for arguments, says in (
        (("nothere",), "load: nothere"),
        (("snare_1", "b"), "only one model"),
        (("@nonsense", 1), "@nonsense"),
        ((5,), "load: give"),
    ):
        log = mock.run(tmp_path, [("new", "x", *arguments), *send("get model")])
        assert len(log.said) == 1 and says in log.said[0] and log.info == ["model snare_1"]


# ---- state


UNBENT = "2 mask all 0 2 depth all 1 2 scale all 1 2 offset all 0 1 calibrate off"
CHANGES = (
    "load snare_2, preset noisy_snare, osc1_freq 300, depth 1.5, detector classic, input line, onthreshold 20, hold 77, "
    "gain -6, normalize adapt, seed 9, mask osc1_mod 1, depth osc2_freq 0.5, scale centroid 2, offset loudness -0.5, loudness 0.5"
)


def dump(mock, folder, steps) -> list[str]:
    log = mock.run(folder, [*steps, ("mark", "dump"), *send("dump", "y")])
    assert not log.errors
    said = log.lines[log.lines.index(["mark", "dump"]) :]
    return [" ".join(words[4:]) for words in said if words[:2] == ["out", "y"]]


@pytest.fixture
def wanted(mock, tmp_path):
    """What dump says after the changes."""
    return dump(mock, tmp_path, [("new", "y"), *send(CHANGES, "y")])


def test_a_saved_patcher_opens_with_the_same_sound_in_whatever_order_max_sets_attributes(mock, tmp_path, wanted):
    saved = mock.run(tmp_path, [("new", "x"), *send(CHANGES), ("saved", "x")]).of("saved")
    assert ["onthreshold", "20"] in saved and len(saved) == len(td.CONTROLS)
    for order in (saved, saved[::-1], sorted(saved), sorted(saved, key=lambda words: words[0][::-1])):
        as_arguments = [word for name, *values in order for word in (f"@{name}", *values)]
        assert dump(mock, tmp_path, [("new", "y", "snare_3", *as_arguments)]) == wanted
        one_by_one = [("set", "y", *words) for words in order]
        assert dump(mock, tmp_path, [("new", "y"), *one_by_one]) == wanted


def test_once_a_patcher_is_open_a_detector_sets_its_controls_again(mock, tmp_path):
    steps = [("new", "x", "@onthreshold", 20), ("queue",), ("set", "x", "detector", "classic")]
    assert mock.run(tmp_path, [*steps, *send("get onthreshold")]).info == ["onthreshold 16"]


def test_pattr_and_preset_keep_and_recall_everything(mock, tmp_path, wanted):
    log = mock.run(tmp_path, [("new", "x"), *send(CHANGES), ("getvalueof", "x"), ("preset", "x"), ("preset", "x", "typed")])
    (value,) = log.of("value")
    assert dump(mock, tmp_path, [("new", "y"), ("setvalueof", "y", *value)]) == wanted
    stored = log.of("stored")
    once = stored[: len(stored) // 2]
    assert [word for words in once for word in (str(len(words) - 1), *words)] == value and stored == once + once
    recalled = [("new", "x"), *send(CHANGES), ("preset", "x"), ("free", "x"), ("new", "y"), ("recall", "y")]
    assert dump(mock, tmp_path, recalled) == wanted


def test_an_object_that_was_not_changed_saves_no_noise_of_its_own(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), ("saved", "x")])
    assert f"sound 1 load snare_1 {UNBENT} 1 normalize model".split() in log.of("saved")


def test_a_state_that_is_not_whole_is_said(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), ("setvalueof", "x", 1, "gain", -3, 2, "depth"), *send("get gain")])
    assert log.info == ["gain -3"] and len(log.said) == 1 and "not whole" in log.said[0]


def test_the_mapping_bent_by_hand_plays_as_in_the_core(mock, tmp_path, bursts):
    x = bursts(48000)
    engine = td.Engine(48000, seed=5, loudness=0.7)
    engine.shape(mask=["osc1_freq"], scale=[1, 2, 1], offset=[-0.25, 0, 0], param_depth={"osc2_freq": 0.5})
    drum, trigger = engine.process(np.concatenate([x, np.zeros(24000, np.float32)]))
    log = mock.play(
        tmp_path,
        x,
        messages=[(0, "mask osc1_freq 1, scale centroid 2, offset loudness -0.25, depth osc2_freq 0.5, loudness 0.7")],
    )
    np.testing.assert_array_equal(log.drum, drum)
    np.testing.assert_array_equal(log.trigger, trigger)


# ---- models


@pytest.fixture
def bad_models(tmp_path):
    data = MODEL.read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(data[:700])
    (tmp_path / "bit.safetensors").write_bytes(data[:-3] + bytes([data[-3] ^ 4]) + data[-2:])
    (tmp_path / "text.safetensors").write_text("this is no model\n" * 20)
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "folder.safetensors").mkdir()
    (tmp_path / "large.safetensors").write_bytes(b"\0" * (1 << 21))
    return ["cut", "bit", "text", "empty", "folder", "large", "missing"]


@pytest.mark.parametrize("thread", ["main", "scheduler"])
def test_a_load_that_fails_says_why_and_changes_nothing(mock, tmp_path, bad_models, bursts, thread):
    steps = [("new", "x", "@seed", 5), ("dsp", "x", 48000), ("thread", thread)]
    for name in bad_models:
        steps += [*send(f"load {name}"), ("thread", "main"), ("pump",), ("thread", thread)]
    log = mock.run(tmp_path, [*steps, ("thread", "main"), ("play", "x", 48000, 64)], bursts(48000))
    assert len(log.said) == len(bad_models) and all("the model is unchanged" in line for line in log.said)
    assert [line.split()[:2] for line in log.info] == [["error", "load"]] * len(bad_models)
    np.testing.assert_array_equal(log.drum, td.Engine(48000, seed=5).process(bursts(48000))[0])


@pytest.mark.parametrize("dsp", [0, 1])
def test_models_are_found_beside_the_patch_in_folders_of_it_by_their_path_and_in_the_package(mock, tmp_path, dsp):
    shutil.copy(MODEL, tmp_path / "mine.safetensors")
    (tmp_path / "deep").mkdir()
    shutil.copy(MODEL, tmp_path / "deep" / "ünder.safetensors")
    names = ["mine", "mine.safetensors", "deep/ünder", "snare_3", str(tmp_path / "mine.safetensors"), str(tmp_path / "mine")]
    steps = [step for name in names for step in (("send", "x", "load", name), ("pump",))]
    log = mock.run(tmp_path, [("new", "x"), ("dspstate", dsp), *steps])
    assert not log.said and log.info == [f"loaded {name}" for name in names]


def test_while_the_sound_runs_a_model_comes_in_later_and_the_newest_that_was_asked_for_wins(mock, tmp_path):
    asked = "load snare_2, load snare_3, load open_snare, get model"
    log = mock.run(tmp_path, [("new", "x"), ("dsp", "x", 48000), *send(asked), ("pump",), *send("get model")])
    assert log.info[0] == "model snare_1" and log.info[-1] == "model open_snare" and not log.said


def test_a_message_from_the_scheduler_looks_for_no_file_there(mock, tmp_path):
    """The mock host aborts when a file is looked for outside the main thread."""
    steps = [("new", "x"), ("thread", "scheduler"), *send("load snare_2, get model"), ("thread", "main"), ("queue",), *send("get model")]
    assert mock.run(tmp_path, steps).info == ["model snare_1", "loaded snare_2", "model snare_2"]


def test_an_object_deleted_while_it_loads_gives_everything_back(mock, tmp_path):
    steps = []
    for k in range(50):
        steps += [("new", f"x{k}"), ("dsp", f"x{k}", 48000), *send("load snare_2, load snare_3", f"x{k}"), ("free", f"x{k}")]
    assert mock.run(tmp_path, [*steps, ("leaks",)]).of("leaks") == [["0"]]


# ---- Max's questions


def test_every_inlet_and_outlet_is_explained_in_less_than_60_characters(mock, tmp_path):
    lines = mock.run(tmp_path, [("new", "x"), ("assist", "x")]).of("assist")
    assert [(kind, index) for kind, index, _ in lines] == [("in", "0"), *(("out", str(i)) for i in range(6))]
    assert all(0 < len(text) < 60 for _, _, text in lines) and len({text for _, _, text in lines}) == 7


def test_a_file_may_be_dropped_on_the_object_and_nothing_else(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), ("drag", "x", "file"), ("drag", "x", "imagefile")])
    assert log.of("drop") == [["x", "load"]] * 2 and log.of("drag") == [["1"], ["1"], ["0"], ["0"]]


def test_a_collective_takes_the_model_along_unless_it_is_built_in(mock, tmp_path):
    log = mock.run(tmp_path, [("new", "x"), ("fileusage", "x"), *send("load snare_2"), ("fileusage", "x")])
    assert log.of("fileusage") == [["1", str(ROOT / "models"), "snare_2.safetensors"]]

# SPDX-License-Identifier: MIT
"""Every message and attribute of [torchdrum~] for Max in the mock host: right, wrong, missing arguments; state; files; Max's questions."""

import shutil
import subprocess

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
    "morph snare_2 open_snare 0.25, store 1, preset noisy_snare, store 16, osc1_freq 300, depth 1.5, detector classic, input line, "
    "onthreshold 20, hold 77, gain -6, normalize adapt, seed 9, mask osc1_mod 1, depth osc2_freq 0.5, scale centroid 2, "
    "offset loudness -0.5, loudness 0.5, calibrate 12 -40 -20 70 90 -70 -50"
)


def dump(mock, folder, steps) -> list[str]:
    """Everything that y tells of itself."""
    log = mock.run(folder, [*steps, ("mark", "dump"), *send("dump, state, get stored", "y")])
    assert not log.errors
    said = log.lines[log.lines.index(["mark", "dump"]) :]
    return [" ".join(words[4:]) for words in said if words[:2] == ["out", "y"]]


@pytest.fixture
def wanted(mock, tmp_path):
    """What it tells after the changes."""
    told = dump(mock, tmp_path, [("new", "y"), *send(CHANGES, "y")])
    words = {line.split()[1 if line.startswith("state ") else 0] for line in told}
    assert {"morph", "preset", "mask", "depth", "scale", "offset", "calibrate", "normalize", "store", "seed", "stored"} <= words
    return told


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


def test_a_state_that_comes_while_the_sound_runs_is_whole_when_the_models_are_read(mock, tmp_path, wanted):
    (value,) = mock.run(tmp_path, [("new", "x"), *send(CHANGES), ("getvalueof", "x")]).of("value")
    for thread in ("main", "scheduler"):
        steps = [("new", "y"), ("dsp", "y", 48000), ("thread", thread), ("setvalueof", "y", *value), ("thread", "main"), ("pump",)]
        assert dump(mock, tmp_path, steps) == wanted


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


@pytest.mark.parametrize("thread", ["main", "scheduler"])
def test_a_morph_of_two_files_comes_in_when_both_are_read_and_plays_as_in_the_core(mock, tmp_path, bursts, thread):
    for name, source in (("a", "snare_2"), ("b", "open_snare")):
        shutil.copy(ROOT / "models" / f"{source}.safetensors", tmp_path / f"{name}.safetensors")
    steps = [("new", "x", "@seed", 5), ("dsp", "x", 48000), ("thread", thread), *send("morph a b 0.25, get morph"), ("thread", "main")]
    steps += [("pump",), *send("get morph"), ("play", "x", 48000, 64), *send("morph 0.75"), ("play", "x", 48000, 64)]
    log = mock.run(tmp_path, steps, np.concatenate([bursts(48000)] * 2))
    assert log.info == ["morph off", "loaded a b", "morph a b 0.25"] and not log.errors
    engine = td.Engine(48000, seed=5, model=td.Model.load(tmp_path / "a.safetensors"))
    first = []
    for x in (0.25, 0.75):
        engine.morph(td.Model.load(tmp_path / "b.safetensors"), x)
        first.append(engine.process(bursts(48000))[0])
    np.testing.assert_array_equal(log.drum, np.concatenate(first))


# ---- models that were asked for by their path are kept by their name


def kept_models(log) -> list[list[str]]:
    """The models in everything that Max may keep: attribute, value, presets."""
    (sound,) = [words for name, *words in log.of("saved") if name == "sound"]
    (value,) = log.of("value")
    count = int(sound[0])
    assert sound[: 2 + count] == value[: 2 + count] and log.of("stored")[0] == sound[1 : 2 + count]
    return sound[1 : 2 + count]


KEPT = [("saved", "x"), ("getvalueof", "x"), ("preset", "x")]


@pytest.mark.parametrize("thread", ["main", "scheduler"])
@pytest.mark.parametrize("dsp", [0, 1])
def test_a_model_that_max_finds_by_its_name_is_kept_by_its_name(mock, tmp_path, thread, dsp):
    here, away = tmp_path / "here", tmp_path / "away"
    for folder in (here, away):
        folder.mkdir()
        shutil.copy(ROOT / "models" / "snare_2.safetensors", folder / "mine.safetensors")
        shutil.copy(ROOT / "models" / "snare_3.safetensors", folder / "snare_1.safetensors")
    begin = [("new", "x"), ("dspstate", dsp), ("thread", thread)]
    end = [("thread", "main"), ("pump",), *KEPT]
    for path in (here / "mine", here / "mine.safetensors"):
        log = mock.run(here, [*begin, ("send", "x", "load", path), *end])
        assert log.info == [f"loaded {path}"] and kept_models(log) == ["load", "mine.safetensors"]
    # not as the built-in model, whose name is the same
    log = mock.run(here, [*begin, ("send", "x", "morph", here / "mine", here / "snare_1", 0.5), *end])
    assert kept_models(log) == ["morph", "mine.safetensors", "snare_1.safetensors", "0.5"]
    (value,) = log.of("value")
    log = mock.run(away, [("new", "y"), ("setvalueof", "y", *value), *send("get morph", "y")])
    assert log.info == ["loaded mine.safetensors snare_1.safetensors", "morph mine.safetensors snare_1.safetensors 0.5"]


def test_a_model_that_max_does_not_find_by_its_name_or_finds_elsewhere_is_kept_by_its_path(mock, tmp_path):
    for name in ("only", "snare_2", "deep"):
        (tmp_path / "away" / "deep").mkdir(parents=True, exist_ok=True)
        shutil.copy(MODEL, tmp_path / "away" / f"{name}.safetensors")
    (tmp_path / "deep").mkdir()
    shutil.copy(MODEL, tmp_path / "deep" / "under.safetensors")
    for name in (tmp_path / "away" / "only", tmp_path / "away" / "snare_2.safetensors", "deep/under", "snare_2"):
        assert kept_models(mock.run(tmp_path, [("new", "x"), ("send", "x", "load", name), *KEPT])) == ["load", str(name)]


# ---- preset files


@pytest.mark.parametrize("thread", ["main", "scheduler"])
def test_a_preset_file_is_written_into_the_folder_that_is_searched_first_or_where_its_path_says(mock, tmp_path, thread):
    (tmp_path / "deep").mkdir()
    before = sorted((ROOT / "models").iterdir())
    sent = send(f"osc1_freq 217.25, write kept, osc1_freq 300, write kept.json, write {tmp_path}/deep/ünder, osc1_freq 99, write other")
    steps = [("new", "x"), ("thread", thread), *sent, ("thread", "main"), ("queue",), *send("read kept, get osc1_freq")]
    log = mock.run(tmp_path, [*steps, *send("read other, get osc1_freq")])
    assert log.info[:4] == ["written kept.json", "written kept.json", f"written {tmp_path}/deep/ünder.json", "written other.json"]
    assert log.info[4:] == ["read kept", "osc1_freq 300", "read other", "osc1_freq 99"] and not log.said
    assert {path.name for path in tmp_path.rglob("*.json")} == {"kept.json", "other.json", "ünder.json"}
    assert not [*tmp_path.rglob("*.part"), *tmp_path.rglob("*.old")] and sorted((ROOT / "models").iterdir()) == before


@pytest.mark.parametrize("function", ["path_createsysfile", "sysfile_write", "sysfile_seteof", "path_renamefile"])
def test_a_write_that_fails_is_said_and_leaves_the_file_that_was_there(mock, tmp_path, function):
    steps = [("new", "x"), *send("osc1_freq 217.25, write kept"), ("fail", function), *send("osc1_freq 99, write kept, write other")]
    log = mock.run(tmp_path, [*steps, ("fail",), *send("read kept, get osc1_freq")])
    assert log.info[0] == "written kept.json" and [line.split()[:3] for line in log.info[1:3]] == [
        ["error", "write", "kept.json:"], ["error", "write", "other.json:"],
    ]  # fmt: skip
    assert log.info[3:] == ["read kept", "osc1_freq 217.25"] and len(log.errors) == 2
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".f64")] == ["kept.json"]


def test_of_many_writes_from_the_scheduler_none_is_lost(mock, tmp_path):
    asked = [f"write f{k}" for k in range(200)]
    log = mock.run(tmp_path, [("new", "x"), ("thread", "scheduler"), *send(", ".join(asked)), ("thread", "main"), ("queue",)])
    assert log.info == [f"written f{k}.json" for k in range(200)] and len(list(tmp_path.glob("f*.json"))) == 200


def test_a_preset_that_waits_to_be_written_is_given_back_with_the_object(mock, tmp_path):
    steps = [("new", "x"), ("thread", "scheduler"), *send("write a, write b"), ("thread", "main"), ("free", "x"), ("leaks",)]
    assert mock.run(tmp_path, steps).of("leaks") == [["0"]] and not list(tmp_path.glob("*.json"))


# ---- triggers and calibration


@pytest.mark.parametrize("vector", [16, 64, 512])
@pytest.mark.parametrize("rate", [44100, 48000, 192000])
def test_triggers_play_at_the_distances_at_which_the_scheduler_sent_them(mock, tmp_path, vector, rate):
    at = np.sort(np.random.default_rng(vector).choice(np.arange(2 * vector, rate, 40), 30, replace=False))
    at[7] = at[6] + 1  # the next sample
    later = [("later", "x", f"{1000 * s / rate:.9f}", "trigger", *((0.5, 0.6, 0.7) if s % 2 else ())) for s in at]
    log = mock.run(tmp_path, [("new", "x"), ("dsp", "x", rate), *later, ("play", "x", rate + 4 * vector, vector)])
    played = np.flatnonzero(log.trigger)
    np.testing.assert_array_equal(played - played[0], at - at[0])
    assert not log.said and len(log.out(2)) == len(at)


def test_calibrate_counts_strokes_then_covers_the_range_of_the_model_with_them(mock, tmp_path, bursts):
    x = bursts(96000, (0.1, 0.35, 0.6, 0.85, 1.1, 1.35, 1.6), 2.0)
    heard = td.Engine(48000, seed=5)
    heard.process(x)
    log = mock.play(tmp_path, x, messages=[(0, "calibrate 6")])
    counted = [line for line in log.info if line.startswith("calibrate ")]
    assert counted == [f"calibrate {n} 6" for n in range(7)] and not log.said
    (told,) = [line.split()[1:] for line in log.info if line.startswith("calibrated ")]
    assert told[0] == "6"
    engine = td.Engine(48000, seed=5)
    engine.calibrate([event.raw for event in heard.events[:6]])
    drum, _ = engine.process(np.concatenate([x, np.zeros(24000, np.float32)]))
    again = mock.play(tmp_path, x, messages=[(0, f"calibrate {' '.join(told)}")])
    np.testing.assert_array_equal(again.drum, drum)
    assert not np.array_equal(again.drum, heard.process(x)[0][: len(drum)])


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


@pytest.mark.slow
def test_ten_thousand_random_sequences_make_no_memory_error_and_no_leak(mock_programs, tmp_path):
    shutil.copy(MODEL, tmp_path / "here.safetensors")
    command = [mock_programs("sequences", "address"), ROOT / "models", tmp_path]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert result.returncode == 0 and result.stdout.startswith("10000 sequences"), result.stdout + result.stderr[-4000:]

# SPDX-License-Identifier: MIT
"""The same messages at the same samples give the same events, answers and sound in real Pd and in the mock host for the Max object."""

import mock_max
import numpy as np
import pytest
from message_cases import CASES, IN_MAX, RESTORE, in_max
from pd_host import play
from test_messages_in_pd import normal

BLOCK = 64


@pytest.fixture(scope="session")
def mock(tmp_path_factory):
    return mock_max.Mock(mock_max.build(tmp_path_factory.mktemp("mock") / "script", "script"))


def test_messages_while_it_plays_give_the_same_in_both(host, where, mock, tmp_path, bursts):
    # a trigger plays at the time that its host has for it; while sound is on Max reads files when there is time; each says for itself why
    # a file cannot be written
    own = ("trigger", "trigger 0.5 0.5 0.5", "trigger 0.5 0.5 7", *(m for m in CASES if "read kept" in m or "write nowhere" in m))
    cases = [message for message in CASES if message not in IN_MAX and message not in own]
    x = np.tile(bursts(48000), 1 + (6 * BLOCK * len(cases)) // 48000)
    # in the middle of a block of Pd's, so that rounding cannot move them to another
    times = {message: (4 + 6 * k) * BLOCK for k, message in enumerate(cases)}
    pd = play(host, where, tmp_path, x, messages=[((at + BLOCK // 2) / 48, f"{m}, {RESTORE}") for m, at in times.items()])
    log = mock.play(tmp_path, x, messages=[(at, f"{in_max(m)}, {in_max(RESTORE)}") for m, at in times.items()])
    np.testing.assert_array_equal(pd.drum, log.drum)
    np.testing.assert_array_equal(pd.trigger, log.trigger)
    assert np.abs(pd.drum).max() > 0.1 and len(log.out(2)) > len(x) / 48000
    assert len(pd.said("bang:")) == len(log.out(2))
    for name, outlet in (("features:", 3), ("params:", 4), ("info:", 5)):
        ours = [normal(line) for line in pd.said(name)]
        theirs = [" ".join(words[1:] if outlet < 5 else words) for words in log.out(outlet)]
        assert len(ours) == len(theirs) > 3
        for one, other in zip(ours, theirs, strict=True):
            first = 4 if one.startswith("meter") else None  # then how busy the machine was
            for a, b in zip(one.split()[:first], other.split()[:first], strict=True):
                assert a == b or float(a) == pytest.approx(float(b), rel=1e-5, abs=1e-9), (one, other)
    assert [in_max(line.split("torchdrum~: ", 1)[1]) for line in pd.log if "torchdrum~: " in line] == log.said

"""The clock of the machine jumps back an hour: order stays, in the lab and after the next start."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.flow.labs import contents, open_at, say

HOUR_NS = 3600 * 10**9


def test_messages_keep_their_order_when_the_clock_jumps_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Callable[[], int] = time.time_ns
    said = [f"message {number}" for number in range(6)]
    with open_at(tmp_path) as lab:
        lab.start_conversation(conversation_id="c")
        lab.append_messages("c", [say(text) for text in said[:2]])
        monkeypatch.setattr(time, "time_ns", lambda: read() - HOUR_NS)
        lab.append_messages("c", [say(text) for text in said[2:4]])
    with open_at(tmp_path) as lab:
        lab.append_messages("c", [say(text) for text in said[4:]])

        assert said == contents(lab, "c")
        clocks = [
            entry.event.clock
            for entry in lab.services.log.read_key("helixagent.conversations", "c")
        ]
    assert sorted(set(clocks)) == clocks

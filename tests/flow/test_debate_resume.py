"""Debates that were cancelled, cut off, and taken up again."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from helix_lab.domain.model.errors import (
    Conflict,
    UnknownDebate,
)
from helix_lab.lab import Lab
from helix_lab.records.tables import RUN
from helix_lab.settings import ProviderSettings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.labs import PATIENCE_S, contents, open_at, wait_until
from tests.flow.odd_providers import Odd, add, finish, seats


def test_a_debate_is_cancelled_in_the_middle(lab: Lab) -> None:
    hanging = Odd("hanging", lambda request: "hang")
    add(lab, hanging, Odd("good", lambda request: "Yes."))
    started = lab.start_debate("Is tea good?", participants=seats("hanging", "good"))
    wait_until(lambda: hanging.asked)

    debate = lab.cancel_debate(started.debate_id)

    assert ("cancelled", "cancelled", None) == (debate.status, debate.outcome, debate.winner)
    assert ["Is tea good?"] == contents(lab, debate.conversation_id)
    with pytest.raises(Conflict, match="has ended as cancelled"):
        lab.cancel_debate(started.debate_id)


def test_a_debate_that_waits_for_its_turn_is_cancelled_and_recorded_as_such(lab: Lab) -> None:
    hanging = Odd("hanging", lambda request: "hang")
    add(lab, hanging, Odd("never", lambda request: "hang"))
    busy = [lab.start_debate("t", participants=seats("hanging", "hanging")) for _ in range(4)]
    wait_until(lambda: hanging.asked.total() == 8)
    queued = lab.start_debate("t", participants=seats("never", "never"))

    debate = lab.cancel_debate(queued.debate_id)

    assert ("cancelled", "cancelled") == (debate.status, debate.outcome)
    for other in busy:
        lab.cancel_debate(other.debate_id)
    assert "never" not in {turn.provider for turn in debate.turns}


def test_a_debate_that_has_ended_cannot_be_cancelled(lab: Lab) -> None:
    debate = lab.start_debate("Is tea good?", wait_s=30)

    with pytest.raises(Conflict, match="has ended as succeeded"):
        lab.cancel_debate(debate.debate_id)
    with pytest.raises(UnknownDebate, match="'ghost'"):
        lab.cancel_debate("ghost")


def test_a_closed_lab_goes_on_with_its_debate_and_asks_nobody_twice(tmp_path: Path) -> None:
    quick, is_stopped = Odd("quick", lambda request: "Yes."), threading.Event()
    slow = Odd("slow", lambda request: "No." if is_stopped.is_set() else "hang")
    with open_at(tmp_path) as lab:
        add(lab, quick, slow)
        started = lab.start_debate("Tea?", participants=seats("quick", "slow"), rounds=2)
        wait_until(lambda: slow.asked and len(lab.get_debate(started.debate_id).turns) == 1)
    is_stopped.set()

    # The second opening knows other providers: the names in the debate are what counts.
    with open_at(tmp_path, ProviderSettings("quick", "http://127.0.0.1:9/v1", "m")) as lab:
        add(lab, quick, slow)
        debate = finish(lab, started.debate_id)

    assert "succeeded" == debate.status, debate.error
    assert {1} == set((quick.asked + slow.asked).values()) or quick.asked.total() == 0
    interrupted = [turn for turn in debate.turns if turn.error_code == "INTERRUPTED"]
    assert [(1, "answer", "slow")] == [(t.round, t.role, t.provider) for t in interrupted]
    keys = [(turn.round, turn.role, turn.seat) for turn in debate.turns]
    assert len(set(keys)) == len(keys)


def test_a_debate_whose_provider_is_no_longer_configured_goes_on_without_it(
    tmp_path: Path,
) -> None:
    with open_at(tmp_path) as lab:
        hanging = Odd("gone", lambda request: "hang")
        add(lab, hanging)
        started = lab.start_debate("Tea?", participants=seats("gone", "offline"), rounds=2)
        wait_until(lambda: hanging.asked)

    with open_at(tmp_path) as lab:
        debate = finish(lab, started.debate_id)

    assert "succeeded" == debate.status, debate.error
    codes = {turn.error_code for turn in debate.turns if turn.provider == "gone"}
    assert {"INTERRUPTED", "UNKNOWN_PROVIDER"} >= codes
    assert codes


@pytest.mark.parametrize("outcome", ["succeeded", "cancelled"])
def test_an_end_that_was_recorded_counts_though_its_run_was_not_noted(
    tmp_path: Path, outcome: str
) -> None:
    with open_at(tmp_path) as lab:
        hanging = Odd("hanging", lambda request: "hang")
        add(lab, hanging)
        name = "hanging" if outcome == "cancelled" else "offline"
        started = lab.start_debate("Tea?", participants=seats(name, "offline"))
        if outcome == "cancelled":
            wait_until(lambda: hanging.asked)
            lab.cancel_debate(started.debate_id)
        before = finish(lab, started.debate_id)
        with lab.services.records.write() as connection:
            connection.execute(sa.update(RUN).values(state="running", ended_at=None))

    with open_at(tmp_path) as lab:
        after = finish(lab, started.debate_id)

    assert (outcome, before) == (after.status, after)


def test_a_debate_of_the_log_alone_shows_how_far_it_came(tmp_path: Path) -> None:
    with open_at(tmp_path) as lab:
        hanging = Odd("hanging", lambda request: "hang")
        add(lab, hanging, Odd("yes", lambda request: "Yes."), Odd("no", lambda request: "No."))
        ended = lab.start_debate("Tea?", participants=seats("yes", "no"), wait_s=30)
        assert ended.outcome in {"decided", "tie"}
        cut_off = lab.start_debate("Coffee?", participants=seats("hanging", "offline"))
        wait_until(lambda: hanging.asked)
    for path in tmp_path.glob("records.sqlite*"):
        path.unlink()

    with open_at(tmp_path) as lab:
        assert "succeeded" == lab.get_debate(ended.debate_id).status
        assert "failed" == lab.get_debate(cut_off.debate_id).status


@pytest.mark.parametrize("how", ["cancel", "close"])
def test_a_provider_that_hangs_holds_up_neither_a_cancel_nor_a_close(
    tmp_path: Path, how: str
) -> None:
    with FakeLLM() as fake:
        providers = [
            ProviderSettings("quick", fake.base_url, "sage"),
            ProviderSettings("hanging", fake.base_url, "skeptic!hang"),
        ]
        lab = open_at(tmp_path, *providers)
        started = lab.start_debate("Tea?", turn_timeout_s=600)
        fake.wait_for_calls(3, timeout_s=PATIENCE_S)
        began_at = time.monotonic()

        if how == "cancel":
            assert "cancelled" == lab.cancel_debate(started.debate_id).status
        lab.close()

        assert time.monotonic() - began_at < 60

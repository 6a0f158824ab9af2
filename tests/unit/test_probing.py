"""Questions to several services at once: what fails is absent from the answer, not from the log."""

from __future__ import annotations

import threading

import pytest

from helix_lab.domain.model.errors import Unavailable
from helix_lab.operations import probing
from helix_lab.operations.probing import ask_all


def fail_by_itself() -> int:
    message = "the server is away"
    raise Unavailable(message, service="neo4j")


def fail_by_us() -> int:
    nothing: dict[str, int] = {}
    return nothing["absent"]


def test_a_fault_of_the_program_is_logged_and_a_service_that_is_away_is_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = ask_all({"one": lambda: 1, "away": fail_by_itself, "broken": fail_by_us})

    assert {"one": 1, "away": None, "broken": None} == found
    assert ["the question to broken failed"] == [record.message for record in caplog.records]
    assert "KeyError" in caplog.text


def test_a_question_that_hangs_holds_up_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probing, "PROBE_TIMEOUT_S", 0.3)
    over = threading.Event()

    try:
        found = ask_all({"quick": lambda: True, "hangs": lambda: over.wait(60)})
    finally:
        over.set()

    assert {"quick": True, "hangs": None} == found

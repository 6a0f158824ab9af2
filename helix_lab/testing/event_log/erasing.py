"""Erasing: events go or tell less, those of others stay where they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from helix_lab.domain.model.event import CONVERSATIONS
from helix_lab.testing.event_log.fixtures import make_event, read_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.event_log import EventLog


class ErasingTests:
    """`EventLog.erase`, for logs that can."""

    def test_an_erased_event_is_gone_and_the_others_keep_their_offsets(self, log: EventLog) -> None:
        entries = log.append([(CONVERSATIONS, make_event()) for _ in range(9)])

        log.erase({entries[4].event.event_id: None, entries[8].event.event_id: None})

        kept = [entry for number, entry in enumerate(entries) if number not in {4, 8}]
        assert kept == read_topic(log, CONVERSATIONS)

    def test_an_event_is_replaced_in_its_place(self, log: EventLog) -> None:
        first, second = log.append([(CONVERSATIONS, make_event()) for _ in range(2)])
        told_less = replace(first.event, data={"conversation_id": first.event.key})

        log.erase({told_less.event_id: told_less})

        assert [replace(first, event=told_less), second] == read_topic(log, CONVERSATIONS)
        assert [replace(first, event=told_less), second] == log.read_key(
            CONVERSATIONS, first.event.key
        )

    def test_events_come_after_what_was_erased(self, open_log: Callable[[], EventLog]) -> None:
        with open_log() as log:
            kept, gone = log.append([(CONVERSATIONS, make_event()) for _ in range(2)])
            log.erase({gone.event.event_id: None, "unknown": None})
            (new,) = log.append([(CONVERSATIONS, make_event())])

            assert [kept, new] == read_topic(log, CONVERSATIONS)
        with open_log() as log:
            assert [kept, new] == read_topic(log, CONVERSATIONS)

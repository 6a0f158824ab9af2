"""What every `EventLog` must do. An adapter subclasses `EventLogTests` and gives `open_log`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pytest

from helix_lab.domain.model.errors import Unavailable
from helix_lab.domain.model.event import CONVERSATIONS, DEBATES
from helix_lab.ports.event_log import TopicState
from helix_lab.testing.event_log.concurrency import ConcurrencyTests
from helix_lab.testing.event_log.content import ContentTests
from helix_lab.testing.event_log.erasing import ErasingTests as ErasingTests
from helix_lab.testing.event_log.fixtures import make_event, read_topic
from helix_lab.testing.event_log.identity import IdentityTests
from helix_lab.testing.event_log.model import check_against_model
from helix_lab.testing.event_log.reading import ReadingTests

if TYPE_CHECKING:
    from collections.abc import Callable

    from helix_lab.ports.event_log import EventLog


class EventLogTests(ReadingTests, IdentityTests, ContentTests, ConcurrencyTests):
    """The contract of `EventLog`, sentence by sentence.

    Attributes:
        model_examples: runs of random steps; fewer where a step is a request to a server.
    """

    model_examples: ClassVar[int] = 100

    def test_the_greatest_clock_is_of_any_event_and_survives(
        self, open_log: Callable[[], EventLog]
    ) -> None:
        with open_log() as log:
            log.append([(CONVERSATIONS, make_event(clock=70)), (DEBATES, make_event(clock=90))])
            log.append([(CONVERSATIONS, make_event(clock=80))])

            assert 90 == log.greatest_clock()
        with open_log() as log:
            assert 90 == log.greatest_clock()

    def test_what_was_appended_survives_a_restart(self, open_log: Callable[[], EventLog]) -> None:
        with open_log() as log:
            entries = log.append([(CONVERSATIONS, make_event()) for _ in range(10)])
        with open_log() as log:
            entries += log.append([(CONVERSATIONS, make_event())])

        with open_log() as log:
            assert entries == read_topic(log, CONVERSATIONS)

    def test_topics_that_are_right_stay_as_they_are(self, log: EventLog) -> None:
        entries = log.append([(CONVERSATIONS, make_event())])
        partitions = len(log.end_offsets([CONVERSATIONS]))

        (state,) = log.apply_topics({CONVERSATIONS: partitions})

        assert TopicState(CONVERSATIONS, partitions, "none") == state
        assert entries == read_topic(log, CONVERSATIONS)

    def test_a_working_log_passes_its_probe(self, log: EventLog) -> None:
        log.probe()
        log.append([(CONVERSATIONS, make_event())])
        log.probe()

    def test_a_closed_log_refuses_every_call(self, log: EventLog) -> None:
        log.close()
        log.close()

        for call in (
            lambda: log.append([(CONVERSATIONS, make_event())]),
            lambda: log.append([]),
            lambda: log.read(CONVERSATIONS, 0, start_offset=0, limit=1),
            lambda: log.read_key(CONVERSATIONS, "c1"),
            lambda: log.end_offsets([CONVERSATIONS]),
            lambda: log.wait_for_append({(CONVERSATIONS, 0): 0}, timeout_s=1),
            log.greatest_clock,
            lambda: log.erase({"e1": None}),
            lambda: log.apply_topics({CONVERSATIONS: None}),
            log.probe,
        ):
            with pytest.raises(Unavailable):
                call()

    def test_steps_in_any_order_agree_with_a_list(self, open_log: Callable[[], EventLog]) -> None:
        check_against_model(open_log, examples=self.model_examples)

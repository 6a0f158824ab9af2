"""The learner: ends conversations that have gone idle, and publishes insights as they come and go.

Both are events, so that a rebuild learns the same. Their ids are made of what they say, so two
learners that find the same say it once.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from helix_lab.domain.learning.confidence import fade, measure_confidence, measure_interval
from helix_lab.domain.learning.insights import (
    Thresholds,
    holds,
    measure_impact,
    write_description,
    write_title,
)
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.domain.model.errors import DuplicateId, HelixError
from helix_lab.domain.model.event import Draft, make_event_id
from helix_lab.projections.runner import ProjectionRunner
from helix_lab.queries.learning import (
    count_insights_of,
    list_by_ids,
    list_due_patterns,
    list_idle,
    list_standing_insights,
)
from helix_lab.record.learning import make_insight, pause_conversation, supersede_insight
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records

LOGGER = logging.getLogger(__name__)
STORE: Final = "learning"
_LOOK_EVERY_S: Final = 5.0
_QUIET_S: Final = 30.0
"""An import records old messages for a while; until it is over, nothing has ended."""

_AT_ONCE: Final = 500
_GROWN: Final = 2
"""An insight is written anew when it was seen so many times as often."""


class Learner:
    """The thread that looks; `look` may be called by anybody, at any time.

    Args:
        records: where what is learned is counted.
        writer: records pauses and insights.
        projections: filled with what was recorded.
        thresholds: above which a pattern is an insight.
        idle_s: a conversation ends when nobody has spoken for so long.
        half_life_days: 0: patterns never fade.
        clock: gives the time; another one for tests.
    """

    def __init__(
        self,
        records: Records,
        writer: Writer,
        projections: ProjectionRunner,
        *,
        thresholds: Thresholds,
        idle_s: float,
        half_life_days: float = 0.0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._records = records
        self._writer = writer
        self._projections = projections
        self.thresholds = thresholds
        self.half_life_days = half_life_days
        self._idle_s = idle_s
        self._clock = clock
        self._looking = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="helix-learner", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking; closing twice is harmless."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> int:
        """End what is idle and tell of insights; gives the number of events recorded."""
        with self._looking:
            self._projections.catch_up(STORE)
            paused = self._pause_idle()
            if paused:
                self._projections.catch_up(STORE)
            told = self._tell_insights()
            if told:
                self._projections.catch_up(STORE)
            return paused + told

    def measure(self, pattern: Mapping[str, Any]) -> dict[str, Any]:
        """What a pattern's counts come to now: confidence, and the interval of its share."""
        support, trials = fade(
            pattern["support"],
            pattern["trials"],
            last_seen=pattern["last_seen"],
            now=self._clock(),
            half_life_days=self.half_life_days,
        )
        prior = (pattern["prior_support"], pattern["prior_trials"])
        low, high = measure_interval(support, trials)
        return {
            "confidence": measure_confidence(support, trials, prior),
            "interval": [low, high],
        }

    def _watch(self) -> None:
        while not self._closing.wait(_LOOK_EVERY_S):
            try:
                self.look()
            except HelixError as error:
                LOGGER.warning("learning waits: %s", error)

    def _pause_idle(self) -> int:
        now = self._clock()
        quiet_s = min(self._idle_s, _QUIET_S)
        rows = list_idle(
            self._records,
            before=now - timedelta(seconds=self._idle_s),
            clock_before=make_hybrid_time(int((now.timestamp() - quiet_s) * 1000)),
            limit=_AT_ONCE,
        )
        self._record(
            [
                pause_conversation(
                    row["conversation_id"], last_clock=row["last_clock"], idle_s=self._idle_s
                )
                for row in rows
            ]
        )
        return len(rows)

    def _tell_insights(self) -> int:
        """Make what passes the thresholds an insight, and end what no longer does."""
        standing = {row["pattern_id"]: row for row in list_standing_insights(self._records)}
        due = {
            row["pattern_id"]: row
            for row in list_due_patterns(
                self._records,
                min_frequency=self.thresholds.min_frequency,
                min_confidence=self.thresholds.min_confidence,
            )
        }
        drafts: list[Draft] = []
        for pattern_id, row in standing.items():
            drafts += self._look_again(row, due.get(pattern_id))
        for pattern_id, row in due.items():
            if pattern_id not in standing and self._holds(row, is_made=False):
                drafts.append(make_insight(self._write(row)))
        self._record(drafts)
        return len(drafts)

    def _look_again(
        self, insight: Mapping[str, Any], pattern: Mapping[str, Any] | None
    ) -> list[Draft]:
        insight_id, pattern_id = insight["insight_id"], insight["pattern_id"]
        if pattern is None or not self._holds(pattern, is_made=True):
            reason = self._explain_end(pattern_id)
            return [supersede_insight(insight_id, pattern_id, reason=reason)]
        impact = measure_impact(pattern["frequency"], self.measure(pattern)["confidence"])
        has_grown = pattern["frequency"] >= _GROWN * insight["frequency"]
        if impact == insight["impact"] and not has_grown:
            return []
        successor = self._write(pattern)
        end = supersede_insight(
            insight_id,
            pattern_id,
            reason="more is known",
            superseded_by=successor["insight_id"],
        )
        return [make_insight(successor), end]

    def _holds(self, pattern: Mapping[str, Any], *, is_made: bool) -> bool:
        confidence = self.measure(pattern)["confidence"]
        return holds(pattern["frequency"], confidence, self.thresholds, is_made=is_made)

    def _explain_end(self, pattern_id: str) -> str:
        found = list_by_ids(self._records, [pattern_id])
        if not found:
            return "nothing shows it any more"
        if found[0]["is_muted"]:
            return "it was muted"
        confidence = self.measure(found[0])["confidence"]
        return f"frequency {found[0]['frequency']}, confidence {confidence:.2f}: below the minimum"

    def _write(self, pattern: Mapping[str, Any]) -> dict[str, Any]:
        """The next insight of a pattern."""
        pattern_id = pattern["pattern_id"]
        known = count_insights_of(self._records, [pattern_id]).get(pattern_id, 0)
        insight_id = make_event_id("insight", pattern_id, str(known))
        measured = self.measure(pattern)
        return {
            "insight_id": insight_id,
            "pattern_id": pattern["pattern_id"],
            "user_id": pattern["user_id"] or None,
            "insight_type": pattern["pattern_type"],
            "title": write_title(pattern),
            "description": write_description(pattern),
            "confidence": measured["confidence"],
            "frequency": pattern["frequency"],
            "impact": measure_impact(pattern["frequency"], measured["confidence"]),
            "patterns": [{"pattern_id": pattern["pattern_id"], "type": pattern["pattern_type"]}],
            "metadata": {
                "support": pattern["support"],
                "trials": pattern["trials"],
                "interval": measured["interval"],
            },
        }

    def _record(self, drafts: Sequence[Draft]) -> None:
        try:
            self._writer.record(drafts)
        except DuplicateId:
            self._record_one_by_one(drafts)

    def _record_one_by_one(self, drafts: Sequence[Draft]) -> None:
        """Another learner said some of it with other figures; what was recorded first stands."""
        for draft in drafts:
            with suppress(DuplicateId):
                self._writer.record([draft])

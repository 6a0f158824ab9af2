"""The graph: what messages and turns say of things, as nodes and edges of the graph store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, TypeAlias

import msgspec

from helix_lab.domain.knowledge.evidence import Evidence
from helix_lab.domain.knowledge.merges import Merge
from helix_lab.domain.model.event import (
    CONVERSATION_DESCRIBED,
    CONVERSATION_STARTED,
    CONVERSATIONS,
    DEBATES,
    ENTITIES_MERGED,
    ENTITIES_SPLIT,
    ENTITY_UPDATES,
    MESSAGE_ADDED,
    TURN_ANSWERED,
    Entry,
    Event,
)
from helix_lab.ports.graph import GraphStore
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.facts import (
    ConversationDescribed,
    ConversationStarted,
    EntitiesMerged,
    EntitiesSplit,
    MessageAdded,
    TurnSaid,
    read_fact,
)
from helix_lab.projections.graph_feed import Frame, GraphFeed, describe_news
from helix_lab.projections.graph_process import Saying
from helix_lab.projections.graph_writing import (
    add_evidence,
    apply_merges,
    describe_conversations,
)
from helix_lab.projections.projection import Checkpoint, Projection, check_is_known

MOST_HELD: Final = 150_000
"""Messages that are held back while an empty store is filled: some hundred megabytes."""


_GATHER_HEARD_S = 0.005


class Told(msgspec.Struct, frozen=True):
    """Something that is told of a conversation."""

    conversation_id: str
    news: Mapping[str, str]


class Split(msgspec.Struct, frozen=True):
    """A merge is undone."""

    merge_id: str


Row: TypeAlias = Evidence | Told | Merge | Split


class GraphProjection(Projection[Row]):
    """Fills the graph store.

    Args:
        store: where to.
        reader: finds the things that messages name.
        feed: is told what is new.
    """

    name = "graph"
    topics = (CONVERSATIONS, DEBATES, ENTITY_UPDATES)

    batch_size: ClassVar[int] = 500
    gather_s: ClassVar[float] = 1.0  # a transaction costs as much as hundreds of messages

    def __init__(
        self, store: GraphStore, reader: EvidenceReader, feed: GraphFeed | None = None
    ) -> None:
        self._store = store
        self._feed = feed or GraphFeed()
        self._reader = reader
        self._held: list[Row] | None = None
        self._held_checkpoint: dict[tuple[str, int], int] = {}

    def prepare(self, entries: Sequence[Entry]) -> None:
        """See `Projection.prepare`; a full batch, of which more may follow, goes to a process."""
        if len(entries) < self.batch_size:
            self._reader.rest(self.name)
        else:
            self._reader.prepare(self.name, find_sayings(entries, _SAYING))

    def close(self) -> None:
        """See `Projection.close`."""
        self._reader.rest(self.name)

    def project(self, entry: Entry) -> Row | None:
        """See `Projection.project`."""
        check_is_known(entry)
        return self._read(entry.event)

    def begin_refill(self) -> None:
        """See `Projection.begin_refill`; an empty store takes many messages at once far faster."""
        self._held, self._held_checkpoint = [], {}

    def end_refill(self) -> None:
        """See `Projection.end_refill`."""
        held, self._held = self._held, None
        if held is not None and self._held_checkpoint:
            self._write(held, self._held_checkpoint)
        self._feed.publish([{"type": "graph_rebuilt", "timestamp": _to_text(datetime.now(UTC))}])

    def write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> None:
        """See `Projection.write`; one transaction."""
        if self._held is None:
            self._feed.publish(self._write(rows, checkpoint))
            return
        self._held += rows
        self._held_checkpoint |= checkpoint
        if len(self._held) >= MOST_HELD:
            self._write(self._held, self._held_checkpoint)
            self.begin_refill()

    def choose_gather_s(self) -> float:
        """See `Projection.choose_gather_s`; who listens is told at once."""
        return _GATHER_HEARD_S if self._feed.is_heard else self.gather_s

    def _write(self, rows: Sequence[Row], checkpoint: Checkpoint) -> list[Frame]:
        """Write the rows in one transaction; what is new by them."""
        news: list[Frame] = []
        with self._store.transaction() as transaction:
            told: dict[str, dict[str, str]] = {}
            for row in rows:
                if isinstance(row, Told):
                    told.setdefault(row.conversation_id, {}).update(row.news)
            describe_conversations(transaction, told)
            evidence = [row for row in rows if isinstance(row, Evidence)]
            if evidence:
                news += describe_news(*add_evidence(transaction, evidence))
            merges = [row for row in rows if isinstance(row, Merge)]
            undone = [row.merge_id for row in rows if isinstance(row, Split)]
            if merges or undone:
                apply_merges(transaction, merges, undone)
                news += _tell_merges(merges, undone)
            transaction.move_checkpoint(self.name, checkpoint)
        return news

    def read_checkpoint(self) -> dict[tuple[str, int], int]:
        """See `Projection.read_checkpoint`."""
        return self._store.read_checkpoint(self.name)

    def clear(self) -> None:
        """See `Projection.clear`."""
        self._store.clear()

    def _read(self, event: Event) -> Row | None:
        saying = to_saying(event)
        if saying is None:
            read = _READERS.get(event.type)
            return None if read is None else read(event)
        evidence = self._reader.read(saying)
        return evidence if evidence.named else None


def _tell_merges(merges: Sequence[Merge], undone: Sequence[str]) -> list[Frame]:
    now = _to_text(datetime.now(UTC))
    told: list[Frame] = [
        {
            "type": "entities_merged",
            "merge": {"id": merge.merge_id, "source": merge.source, "target": merge.target},
            "timestamp": now,
        }
        for merge in merges
    ]
    split = [{"type": "entities_split", "merge": {"id": id}, "timestamp": now} for id in undone]
    return told + split


def to_saying(event: Event) -> Saying | None:
    """The text of an event that says something; None for another event.

    Raises:
        msgspec.ValidationError: it lacks what its type must have.
    """
    if event.type == MESSAGE_ADDED.name:
        said = read_fact(event.data, MessageAdded)
        speakers = () if said.user_id is None else (said.user_id,)
        return _make_saying(event, said.content, speakers)
    if event.type == TURN_ANSWERED.name:
        turn = read_fact(event.data, TurnSaid)
        return _make_saying(event, turn.text, ()) if turn.role == "answer" else None
    return None


def _make_saying(event: Event, text: str, speakers: tuple[str, ...]) -> Saying:
    return Saying(text, event.event_id, event.key, _to_text(event.time), speakers)


def find_sayings(entries: Sequence[Entry], types: Collection[str]) -> list[Saying]:
    """The texts of events of some types; what is refused is refused when its turn comes."""
    found = []
    for entry in entries:
        if entry.event.type in types:
            with suppress(msgspec.ValidationError):
                if (saying := to_saying(entry.event)) is not None:
                    found.append(saying)
    return found


def _to_text(time: datetime) -> str:
    """RFC 3339 in UTC, always with six digits of a second: as text it sorts as it does in time."""
    return time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def _tell(event: Event, news: Mapping[str, Any]) -> Told | None:
    known = {name: value for name, value in news.items() if value}
    return Told(event.key, known) if known else None


def _read_start(event: Event) -> Row | None:
    started = read_fact(event.data, ConversationStarted)
    return _tell(event, {"started_at": _to_text(event.time), "user_id": started.user_id})


def _read_title(event: Event) -> Row | None:
    return _tell(event, {"title": read_fact(event.data, ConversationDescribed).title})


def _read_merge(event: Event) -> Row:
    merged = read_fact(event.data, EntitiesMerged)
    return Merge(event.clock, merged.merge_id, merged.source, merged.target)


def _read_split(event: Event) -> Row:
    return Split(read_fact(event.data, EntitiesSplit).merge_id)


_SAYING = (MESSAGE_ADDED.name, TURN_ANSWERED.name)
_READERS: Mapping[str, Callable[[Event], Row | None]] = {
    CONVERSATION_STARTED.name: _read_start,
    CONVERSATION_DESCRIBED.name: _read_title,
    ENTITIES_MERGED.name: _read_merge,
    ENTITIES_SPLIT.name: _read_split,
}

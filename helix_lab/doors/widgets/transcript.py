"""A conversation as its reader walks it: one line of messages, in pages, with the other versions.

Nothing here knows a widget or a lab.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helix_lab.operations.replay import Replayed

_PEOPLE = ("name", "provider", "model")


@dataclass(frozen=True, slots=True)
class Utterance:
    """A message, as the lab replays it.

    Attributes:
        by: who or what spoke, beside the role; empty where nobody noted it.
        parent_id: the message it follows; None for a first one.
    """

    message_id: str
    role: str
    by: str
    content: str
    said_at: datetime
    parent_id: str | None


class Transcript:
    """The messages of a conversation, all branches, and the line through them that is shown.

    Attributes:
        line: ids of the messages that are shown, oldest first.
    """

    def __init__(self, utterances: Iterable[Utterance], *, line: Sequence[str]) -> None:
        self._all = {one.message_id: one for one in utterances}
        self._children: dict[str | None, list[str]] = {}
        for one in self._all.values():
            self._children.setdefault(one.parent_id, []).append(one.message_id)
        for siblings in self._children.values():
            siblings.sort(key=lambda name: self._all[name].said_at)
        self.line = list(line)

    def __len__(self) -> int:
        return len(self.line)

    @property
    def branched(self) -> int:
        """How many messages are not on the line."""
        return len(self._all) - len(self.line)

    def read(self, first: int, count: int) -> list[Utterance]:
        """Messages of the line from a place on."""
        return [self._all[name] for name in self.line[first : first + count]]

    def find(self, text: str) -> list[int]:
        """Places on the line whose content holds a text, whatever its case."""
        wanted = text.casefold()
        return [
            place
            for place, name in enumerate(self.line)
            if wanted and wanted in self._all[name].content.casefold()
        ]

    def find_place(self, message_id: str) -> int | None:
        """Where a message stands; the line is led through it if it is on another branch."""
        if message_id not in self._all:
            return None
        if message_id not in self.line:
            self.line = [*self._walk_up(message_id), *self._walk_down(message_id)]
        return self.line.index(message_id)

    def list_versions(self, message_id: str) -> list[str]:
        """Ids of the messages that follow the same one, itself among them, by time."""
        return self._children[self._all[message_id].parent_id]

    def _walk_up(self, message_id: str) -> list[str]:
        path: list[str] = []
        current: str | None = message_id
        while current is not None and current not in path:
            path.append(current)
            current = self._all[current].parent_id
        path.reverse()
        return path

    def _walk_down(self, message_id: str) -> list[str]:
        """What was said after a message, at each fork what came last."""
        path: list[str] = []
        following = self._children.get(message_id)
        while following and following[-1] not in path:
            path.append(following[-1])
            following = self._children.get(following[-1])
        return path


def make_transcript(replayed: Replayed) -> Transcript:
    """The transcript of a replay with metadata and alternatives.

    A replay names a parent only where the source did. On the current branch a message follows
    the one before it; an alternative without a parent follows the alternative before it.
    """
    known = {m.message_id for m in [*replayed.messages, *(replayed.alternatives or [])]}
    utterances: list[Utterance] = []
    before: str | None = None
    for message in replayed.messages:
        utterances.append(_read(message, before))
        before = message.message_id
    before = None
    for message in replayed.alternatives or []:
        parent = (message.metadata or {}).get("parent_id")
        utterances.append(_read(message, parent if parent in known else before))
        before = message.message_id
    return Transcript(utterances, line=[message.message_id for message in replayed.messages])


def _read(message: Any, parent_id: str | None) -> Utterance:
    metadata = message.metadata or {}
    return Utterance(
        message_id=message.message_id,
        role=message.role,
        by=" · ".join(str(metadata[name]) for name in _PEOPLE if metadata.get(name)),
        content=message.content,
        said_at=message.timestamp,
        parent_id=parent_id,
    )

"""What a reader gives: items to record, and refusals to report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.schemas import check_draft

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from helix_lab.domain.model.event import Draft


@dataclass(frozen=True, slots=True)
class Item:
    """One unit of a file that goes in whole: a conversation, a debate, a run of lines.

    The drafts fit their schemas.

    Attributes:
        name: how a report calls it: "conversations.json[17] 'Title'", "lines 1–500".
        is_divisible: its drafts are facts of their own, put together for speed. Where one
            contradicts what is recorded already (`DuplicateId`), the others go in without it.
    """

    name: str
    drafts: Sequence[Draft]
    is_divisible: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """An item that was refused, and why, in words for a person."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Records:
    """The raw JSON objects of one file, in order, between what could not be read.

    Attributes:
        label: what a record is called, with one place for its number: "line {}".
        run_label: what a run of them is called, with two: "lines {}–{}".
        raw: number and bytes of each object. It is read once.
    """

    label: str
    run_label: str
    raw: Iterator[tuple[int, bytes] | Refusal]

    def name(self, first: int, last: int | None = None) -> str:
        """How a report calls one record, or a run of them."""
        if last is None or last == first:
            return self.label.format(first)
        return self.run_label.format(first, last)


def make_item(name: str, drafts: Sequence[Draft]) -> Item:
    """An item whose drafts are checked; the same fact stated twice is in it once.

    Raises:
        InvalidRequest: a draft does not fit its schema, or two contradict each other.
    """
    by_id: dict[str, Draft] = {}
    for draft in drafts:
        first = by_id.setdefault(draft.event_id, draft)
        if first is draft:
            check_draft(draft)
        elif first.data != draft.data:
            message = f"the id {draft.subject!r} is used twice, with different content"
            raise InvalidRequest(message, value=draft.subject)
    return Item(name, list(by_id.values()))

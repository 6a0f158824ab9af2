"""The conversation viewer: what it shows, and what happens when its reader asks for something."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.widgets.showing import make_bundle
from helix_lab.doors.widgets.static_html import write_conversation
from helix_lab.doors.widgets.transcript import Transcript, Utterance, make_transcript

if TYPE_CHECKING:
    from helix_lab.doors.widgets.front import Front

PAGE_MESSAGES = 20
MOST_CHARACTERS = 20_000
"""Of one message; the rest stays in the kernel."""


class ConversationView:
    """A conversation that is read page by page; the last value of a cell shows it.

    The kernel holds the history, the browser only the page in sight.

    Args:
        title: what it is called.
        transcript: its messages.
        at: a message to begin at: its number from 1, or its id; the beginning if absent.

    Raises:
        InvalidRequest: there is no such message.
    """

    def __init__(self, title: str, transcript: Transcript, *, at: int | str | None = None) -> None:
        self._title = title
        self._transcript = transcript
        self._query = ""
        self._found: list[int] = []
        self._notice = ""
        self._first = 0
        self._target: int | None = None
        self._front: Front | None = None
        if at is not None:
            self._jump(at)
            if self._notice:
                raise InvalidRequest(self._notice, field="at")

    def ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the reader asks for, and give what is to be shown now.

        Args:
            asked: `do` is page, search, match, jump or version; `value` says which.
        """
        self._notice = ""
        value = asked.get("value")
        match asked.get("do"):
            case "page" if isinstance(value, int):
                self._target, self._first = None, self._start_of(self._clip(value))
            case "search" if isinstance(value, str):
                self._search(value)
            case "match" if isinstance(value, int):
                self._go_on(value)
            case "jump" if isinstance(value, int | str):
                self._jump(value)
            case "version" if isinstance(value, str):
                self._jump(value)
                self._found = self._transcript.find(self._query)
            case _:
                self._notice = "This viewer does not know how to do that; run its cell again."
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        """What is to be shown now, as JSON."""
        messages = self._transcript.read(self._first, PAGE_MESSAGES)
        numbered = enumerate(messages, start=self._first)
        return {
            "title": self._title,
            "total": len(self._transcript),
            "others": self._transcript.branched,
            "first": self._first,
            "page_messages": PAGE_MESSAGES,
            "messages": [self._show(place, message) for place, message in numbered],
            "query": self._query,
            "found": len(self._found),
            "match": self._found.index(self._target) if self._target in self._found else None,
            "target": self._target,
            "notice": self._notice,
        }

    def __repr__(self) -> str:
        return f"<conversation {self._title!r}, {len(self._transcript)} messages>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The viewer, and the page in sight as HTML for places where no widget can live."""
        return make_bundle(repr(self), write_conversation(self.state), self._open_front)

    def _open_front(self) -> Front:
        if self._front is None:
            from helix_lab.doors.widgets.front import ConversationFront

            self._front = ConversationFront(self.state, self.ask)
        return self._front

    def _search(self, text: str) -> None:
        self._query = text
        self._found = self._transcript.find(text)
        self._target = None
        if self._found:
            after = [place for place in self._found if place >= self._first]
            self._show_place((after or self._found)[0])
        elif text:
            self._notice = f"No message holds “{text}”."

    def _go_on(self, step: int) -> None:
        """To the next match, or with a step of -1 the one before; around at the ends."""
        if not self._found:
            return
        here = self._found.index(self._target) if self._target in self._found else -1
        self._show_place(self._found[(here + step) % len(self._found)])

    def _jump(self, to: int | str) -> None:
        text = str(to).strip()
        place = self._transcript.find_place(text)
        if place is None and text.isdecimal() and 1 <= int(text) <= len(self._transcript):
            place = int(text) - 1
        if place is None:
            total = len(self._transcript)
            allowed = f"1 to {total}, or the id of one" if total else "nothing, for it is empty"
            self._notice = f"There is no message {text!r}; allowed: {allowed}."
        else:
            self._show_place(place)

    def _show_place(self, place: int) -> None:
        self._target, self._first = place, self._start_of(place)

    def _clip(self, place: int) -> int:
        return max(0, min(place, len(self._transcript) - 1))

    def _start_of(self, place: int) -> int:
        return place - place % PAGE_MESSAGES

    def _show(self, place: int, message: Utterance) -> dict[str, Any]:
        versions = self._transcript.list_versions(message.message_id)
        rest = len(message.content) - MOST_CHARACTERS
        return {
            "number": place + 1,
            "message_id": message.message_id,
            "role": message.role,
            "by": message.by,
            "said_at": _show_moment(message.said_at),
            "text": message.content[:MOST_CHARACTERS],
            "cut_characters": max(0, rest),
            "versions": versions if len(versions) > 1 else [],
            "is_found": place in self._found,
        }


def view_conversation(
    lab: Any, conversation_id: str, *, at: int | str | None = None
) -> ConversationView:
    """A viewer of one conversation.

    Args:
        lab: has the operations as methods.
        conversation_id: a conversation that exists.
        at: a message to begin at: its number from 1, or its id.

    Raises:
        UnknownConversation: nothing of it is recorded.
        InvalidRequest: it has no such message.
    """
    replayed = lab.replay(conversation_id, include_metadata=True, include_alternatives=True)
    title = lab.get_conversation(conversation_id).title or conversation_id
    return ConversationView(title, make_transcript(replayed), at=at)


def _show_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

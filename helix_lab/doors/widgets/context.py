"""The context viewer: what a model is shown of a conversation, by budget, with its sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import HelixError
from helix_lab.doors.widgets.showing import make_bundle
from helix_lab.doors.widgets.static_html import write_context

if TYPE_CHECKING:
    from helix_lab.doors.widgets.front import Front

STRATEGIES = ("hybrid", "full", "entity", "window")
FIRST_SHARE = 0.3
MOST_LINES = 400
MOST_CHARACTERS = 4_000


class ContextView:
    """A compressed conversation whose budget can be dragged; the last value of a cell shows it.

    Args:
        lab: has the operations as methods.
        conversation_id: whose context.
        max_tokens: the budget at first; three tenths of the conversation if absent.
        strategy: how to compress at first.

    Raises:
        UnknownConversation: there is no such conversation.
    """

    def __init__(
        self,
        lab: Any,
        conversation_id: str,
        *,
        max_tokens: int | None = None,
        strategy: str = STRATEGIES[0],
    ) -> None:
        self._lab = lab
        self._conversation_id = conversation_id
        history = lab.replay(conversation_id)
        self._total: int = history.stats.total_tokens
        self._messages = {message.message_id: message for message in history.messages}
        self._budget = max_tokens or max(1, int(FIRST_SHARE * self._total))
        self._strategy = strategy
        self._opened: int | None = None
        self._front: Front | None = None
        self._made: dict[str, Any] = {}
        self._make()

    def ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the reader asks for, and give what is to be shown now.

        Args:
            asked: `do` is budget (tokens), strategy (its name) or sources (number of a line, to
                open or close it), each with its `value`.
        """
        value = asked.get("value")
        match asked.get("do"):
            case "budget":
                self._budget = min(max(1, int(str(value))), max(1, self._total))
                self._make()
            case "strategy":
                self._strategy = str(value)
                self._make()
            case "sources":
                self._opened = None if value == self._opened else int(str(value))
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        """What is to be shown now, as JSON."""
        return {
            "title": f"Context of {self._conversation_id}",
            "strategy": self._strategy,
            "strategies": list(STRATEGIES),
            "budget": self._budget,
            "total": self._total,
            "opened": self._opened,
            "sources": self._find_sources(),
            **self._made,
        }

    def close(self) -> None:
        """Take the widget from the page."""
        if self._front is not None:
            self._front.close()
            self._front = None

    def __repr__(self) -> str:
        texts = [line["text"] for line in self._made["lines"]]
        return "\n".join([f"Context of {self._conversation_id}", self._made["figures"], *texts])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The viewer, and the context as HTML for places where no widget can live."""
        return make_bundle(repr(self), write_context(self.state), self._open_front)

    def _make(self) -> None:
        self._opened = None
        share = self._budget / max(1, self._total)
        try:
            answer = self._lab.replay(
                self._conversation_id,
                max_tokens=self._budget,
                compression_strategy=self._strategy,
                compression_ratio=share if share < 1 else None,
            )
        except HelixError as error:
            self._made = {"lines": [], "figures": "", "notice": str(error)}
            return
        if answer.compression_stats is None:
            notice = "All of the conversation fits into this budget."
            self._made = {"lines": [], "figures": f"{self._total:,} tokens", "notice": notice}
            return
        lines = [*map(_show_line, answer.summary_lines), *map(_show_recent, answer.recent_messages)]
        cut = f"{len(lines) - MOST_LINES:,} lines more are not shown." * (len(lines) > MOST_LINES)
        figures = _write_figures(answer.compression_stats)
        self._made = {"lines": lines[:MOST_LINES], "figures": figures, "notice": cut}

    def _find_sources(self) -> list[dict[str, str]]:
        lines: Sequence[Mapping[str, Any]] = self._made["lines"]
        if self._opened is None or not 0 <= self._opened < len(lines):
            return []
        found = [
            self._messages[name] for name in lines[self._opened]["ids"] if name in self._messages
        ]
        return [
            {"role": one.role, "text": one.content[:MOST_CHARACTERS], "message_id": one.message_id}
            for one in found
        ]

    def _open_front(self) -> Front:
        if self._front is None:
            from helix_lab.doors.widgets.front import ContextFront

            self._front = ContextFront(self.state, self.ask)
        return self._front


def _show_line(line: Any) -> dict[str, Any]:
    return {"text": line.text, "ids": list(line.message_ids), "is_whole": False}


def _show_recent(message: Any) -> dict[str, Any]:
    text = f"{message.role}: {message.content}"
    return {"text": text, "ids": [message.message_id], "is_whole": True}


def _write_figures(stats: Any) -> str:
    minimum = "met" if stats.meets_minimum else "not met"
    return (
        f"{stats.compressed_tokens:,} of {stats.original_tokens:,} tokens ({stats.ratio:.0%}) · "
        f"quality {stats.quality_score:.3f} · minimum {stats.minimum_quality:g} {minimum}"
    )

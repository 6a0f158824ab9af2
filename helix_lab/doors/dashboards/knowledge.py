"""Knowledge: what was talked about in a window, and how the graph of it grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import make_html, write_cards, write_notice, write_table
from helix_lab.doors.dashboards.windowed import follow_window, make_select
from helix_lab.operations.knowledge_activity import KnowledgeActivity
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

_EMPTY = "No thing was named in this window. Choose a longer one, or say something:"
_COMMANDS = (
    "helix-lab import export.json",
    'helix-lab debates start --topic "Docker or Kubernetes?"',
)
_COLUMNS = ("entity", "type", "mentions", "messages", "conversations")
_TOP = 25

Section = Callable[[Methods, str], str]
SECTIONS: tuple[Section, ...] = ()
"""Further parts below the top entities, such as clusters: from the lab and the window to HTML."""


def make_knowledge(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?window=7d` chooses a window."""
    page = _Knowledge(lab)
    return follow_window(
        "knowledge", page, page.notice, page.cards, page.table, page.chart.layout, page.sections
    )


class _Knowledge:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select(default="7d")
        self.notice = make_html()
        self.cards = make_html()
        self.table = make_html()
        self.chart = charts.make_shares("New entities", file="helix-lab-entities", unit="a day")
        self.sections = make_html()

    def read(self) -> tuple[KnowledgeActivity, str]:
        window = self.window.value
        found: KnowledgeActivity = self._lab.get_knowledge_activity(window=window, limit=_TOP)
        return found, "".join(write(self._lab, window) for write in SECTIONS)

    def show(self, facts: tuple[KnowledgeActivity, str]) -> None:
        found, sections = facts
        self.notice.object = "" if found.entities else write_notice(_EMPTY, *_COMMANDS)
        self.cards.object = write_cards(_list_cards(found))
        self.table.object = write_table(
            f"Talked about, {found.window}", _COLUMNS, _list_rows(found), empty="Nothing."
        )
        self.chart.show_series(
            [(datetime.fromisoformat(day.date), day.new_entities, "new") for day in found.growth]
        )
        self.sections.object = sections


def _list_cards(found: KnowledgeActivity) -> list[tuple[str, str]]:
    return [
        ("entities", f"{found.total_entities:,}"),
        ("new in the window", f"{found.new_entities:,}"),
        ("relations", f"{found.total_relations:,}"),
    ]


def _list_rows(found: KnowledgeActivity) -> Sequence[tuple[Any, ...]]:
    return [
        (row.name, row.type, row.mentions, row.messages, row.conversations)
        for row in found.entities
    ]

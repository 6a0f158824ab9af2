"""Learning: how much is learned, how sure each pattern is, and what was concluded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import panel as pn

from helix_lab.domain.model.errors import QueryFailed
from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import (
    make_html,
    show_moment,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.doors.dashboards.windowed import follow_choice, read_address
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    from helix_lab.operations.learning import Insight, LearnedPattern, LearningStats

_EMPTY = "Nothing is learned yet: no conversation or debate has ended. Bring some, or hold one:"
_COMMANDS = (
    "helix-lab import conversations.jsonl",
    'helix-lab debates start --topic "Should services share a database?"',
)
_DAYS = 30
_GROWTH = (
    "SELECT date, patterns_learned, insights_generated FROM get_learning_progress($days) "
    "ORDER BY date"
)
_LISTED = 15
_LABEL_LENGTH = 60
_PATTERNS = ("pattern", "type", "description", "frequency", "confidence", "95 % interval")
_INSIGHTS = ("written (UTC)", "impact", "insight", "confidence", "95 % interval")


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows."""

    stats: LearningStats
    growth: Sequence[tuple[datetime, float, str]]
    patterns: Sequence[LearnedPattern]
    insights: Sequence[Insight]


def make_learning(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?user=ID` chooses a user."""
    page = _Learning(lab)
    return follow_choice(
        "learning",
        page,
        page.user,
        page.notice,
        page.cards,
        page.growth.layout,
        page.sureness.layout,
        page.insights,
        page.patterns,
    )


class _Learning:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        asked = read_address("user")
        self.user: Any = pn.widgets.TextInput(
            label="User", value=asked, placeholder="all users together", width=240
        )
        self.notice = make_html()
        self.cards = make_html()
        self.insights = make_html()
        self.patterns = make_html()
        self.growth = charts.make_shares("Learned a day", file="helix-lab-learned", unit="new")
        self.sureness = charts.make_sureness()

    def read(self) -> Facts:
        user_id = self.user.value.strip() or None
        top = self._lab.list_top_patterns(user_id=user_id, min_frequency=1, limit=_LISTED)
        told = self._lab.list_insights(user_id=user_id, min_confidence=0, limit=_LISTED)
        return Facts(
            self._lab.get_learning_stats(), self._read_growth(), top.patterns, told.insights
        )

    def _read_growth(self) -> list[tuple[datetime, float, str]]:
        try:
            grown = self._lab.run_query(_GROWTH, parameters={"days": _DAYS})
        except QueryFailed:
            # Analytics on ClickHouse have no functions of what was learned; the rest is shown.
            return []
        return _place_growth(grown.rows)

    def show(self, facts: Facts) -> None:
        stats = facts.stats
        learned = stats.conversations_learned + stats.debates_learned
        self.notice.object = "" if learned else write_notice(_EMPTY, *_COMMANDS)
        self.cards.object = write_cards(_list_cards(stats)) if learned else ""
        self.growth.show_series(facts.growth if learned else [])
        self._show_sureness(facts.patterns)
        self.insights.object = write_table(
            "Newest insights",
            _INSIGHTS,
            [_show_insight(one) for one in facts.insights],
            empty="None yet: no pattern is frequent and sure enough.",
        )
        self.patterns.object = write_table(
            "Patterns seen most",
            _PATTERNS,
            [_show_pattern(one) for one in facts.patterns],
            empty="None yet.",
        )

    def _show_sureness(self, patterns: Sequence[LearnedPattern]) -> None:
        # The first of the list is drawn at the top.
        drawn = list(reversed(patterns))
        names = [_label(place, one) for place, one in enumerate(drawn)]
        self.sureness.layout.visible = bool(drawn)
        self.sureness.figure.y_range.factors = names
        self.sureness.source.data = {
            "name": names,
            "low": [one.interval[0] for one in drawn],
            "sure": [one.confidence for one in drawn],
            "high": [one.interval[1] for one in drawn],
        }


def _place_growth(rows: Sequence[Sequence[Any]]) -> list[tuple[datetime, float, str]]:
    """Dots a day for patterns and for insights."""
    return [
        (datetime.fromisoformat(str(day)), float(count), kind)
        for day, patterns, insights in rows
        for count, kind in ((patterns, "patterns"), (insights, "insights"))
    ]


def _label(place: int, pattern: LearnedPattern) -> str:
    """A name of its own for each row, for two descriptions may begin alike."""
    text = pattern.description
    short = text if len(text) <= _LABEL_LENGTH else f"{text[: _LABEL_LENGTH - 1]}…"
    return short + "\u200b" * place


def _list_cards(stats: LearningStats) -> list[tuple[str, str]]:
    return [
        ("patterns", f"{stats.total_patterns:,}"),
        ("insights that hold", f"{stats.total_insights:,}"),
        ("of high impact", f"{stats.insights_by_impact['high']:,}"),
        ("conversations learned from", f"{stats.conversations_learned:,}"),
        ("debates learned from", f"{stats.debates_learned:,}"),
    ]


def _show_insight(one: Insight) -> tuple[Any, ...]:
    written = show_moment(one.created_at)
    return (written, one.impact, one.description, round(one.confidence, 2), _show_interval(one))


def _show_pattern(one: LearnedPattern) -> tuple[Any, ...]:
    return (
        *(one.pattern_id, one.pattern_type, one.description, one.frequency),
        round(one.confidence, 2),
        _show_interval(one),
    )


def _show_interval(one: Insight | LearnedPattern) -> str:
    return "{:.2f} to {:.2f}".format(*one.interval)

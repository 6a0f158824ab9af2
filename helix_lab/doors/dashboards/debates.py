"""Debates: how they end, who wins, and whether the sure ones do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import make_html, write_cards, write_notice, write_table
from helix_lab.doors.dashboards.windowed import follow_window, make_select, round_figure
from helix_lab.operations.debate_analytics import DebateStatistics
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

_EMPTY = "No debate ended in this window. Choose a longer one, or start a debate:"
_COMMANDS = (
    'helix-lab debates start --topic "Should services share a database?"',
    "helix-lab import debates.jsonl",
)
_OUTCOMES = ("outcome", "debates", "mean rounds", "mean s", "mean confidence")
_CALIBRATION = ("confidence from", "seats", "wins", "mean confidence", "win rate %")
_LEAST_DOT, _GREATEST_DOT = 6.0, 26.0


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows of one window."""

    statistics: DebateStatistics
    wins: Sequence[Any]


def make_debates(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?window=7d` chooses a window."""
    page = _Debates(lab)
    parts = (page.notice, page.cards, page.outcomes, page.wins.layout)
    return follow_window("debates", page, *parts, page.calibration.layout, page.steps)


class _Debates:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select()
        self.notice = make_html()
        self.cards = make_html()
        self.outcomes = make_html()
        self.steps = make_html()
        self.wins = charts.make_wins()
        self.calibration = charts.make_calibration()

    def read(self) -> Facts:
        window = self.window.value
        return Facts(
            self._lab.get_debate_statistics(window=window),
            self._lab.get_wins_by_position(window=window).wins,
        )

    def show(self, facts: Facts) -> None:
        found = facts.statistics
        self.notice.object = "" if found.debates else write_notice(_EMPTY, *_COMMANDS)
        self.cards.object = write_cards(_list_cards(found)) if found.debates else ""
        self.outcomes.object = write_table(
            f"Outcomes, {found.window}",
            _OUTCOMES,
            [_show_outcome(row) for row in found.outcomes],
            empty="None in this window.",
        )
        wins = charts.place_wins(facts.wins)
        self.wins.figure.x_range.factors = wins["place"]
        self.wins.show(wins, height="wins")
        self.wins.layout.visible = bool(facts.wins)
        self._show_calibration(found)

    def _show_calibration(self, found: DebateStatistics) -> None:
        most = max((row.seats for row in found.calibration), default=1)
        sizes = [max(_LEAST_DOT, _GREATEST_DOT * row.seats / most) for row in found.calibration]
        won = [row.win_rate for row in found.calibration]
        sure = [row.avg_confidence for row in found.calibration]
        self.calibration.show({"sure": sure, "won": won, "size": sizes}, height="won")
        self.calibration.layout.visible = bool(found.calibration)
        self.steps.object = write_table(
            "How sure seats were, and how often they won",
            _CALIBRATION,
            [
                (
                    row.from_confidence,
                    row.seats,
                    row.wins,
                    round_figure(row.avg_confidence, 3),
                    round_figure(row.win_rate, 1, times=100),
                )
                for row in found.calibration
            ],
            empty="No seat of a decided debate told how sure it was.",
        )


def _list_cards(found: DebateStatistics) -> list[tuple[str, str]]:
    rounds = sum(row.total_rounds * row.debates for row in found.rounds) / found.debates
    error = found.calibration_error
    return [
        ("debates", f"{found.debates:,}"),
        ("mean rounds", f"{rounds:.1f}"),
        ("calibration error", "unknown" if error is None else f"{error:.3f}"),
    ]


def _show_outcome(row: Any) -> tuple[Any, ...]:
    return (
        row.outcome,
        row.debates,
        round_figure(row.avg_rounds, 1),
        round_figure(row.avg_duration_ms, 1, times=0.001),
        round_figure(row.avg_confidence, 3),
    )

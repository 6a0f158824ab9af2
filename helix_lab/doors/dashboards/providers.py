"""Providers: how they answer over a window of time, how long they take, and who wins."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import panel as pn

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import make_html, write_notice, write_table
from helix_lab.doors.dashboards.windowed import follow_window, make_select, round_figure
from helix_lab.operations.analytics import ProviderRow
from helix_lab.operations.methods import Methods

_EMPTY = "No provider answered in this window. Choose a longer one, or start a debate:"
_EMPTY_AT_ALL = "No provider has answered yet. Start a debate, or take in debates of your own:"
_COMMANDS = (
    'helix-lab debates start --topic "Should services share a database?"',
    "helix-lab import debates.jsonl",
)
_COLUMNS = (
    "provider", "model", "requests", "success %", "mean s", "p95 s", "p99 s", "confidence",
    "tokens", "cost USD", "debates", "wins", "win rate %",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows of one window."""

    window: str
    providers: Sequence[ProviderRow]
    steps: Sequence[Any]
    wins: Sequence[Any]


def make_providers(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?window=7d` chooses a window."""
    page = _Providers(lab)
    return follow_window(
        "providers",
        page,
        page.notice,
        page.table,
        page.times.layout,
        page.wins.layout,
        controls=(page.download,),
    )


class _Providers:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select()
        self._facts = Facts(self.window.value, (), (), ())
        self.download = pn.widgets.FileDownload(
            callback=lambda: io.StringIO(write_csv(self._facts.providers)),
            filename="helix-lab-providers.csv",
            label="Save as CSV",
            embed=False,
            width=140,
        )
        self.notice = make_html()
        self.table = make_html()
        self.times = charts.make_response_times()
        self.wins = charts.make_wins()

    def read(self) -> Facts:
        window = self.window.value
        return Facts(
            window,
            self._lab.get_provider_performance(window=window).providers,
            self._lab.get_response_times(window=window).steps,
            self._lab.get_wins_by_position(window=window).wins,
        )

    def show(self, facts: Facts) -> None:
        self._facts = facts
        empty = _EMPTY_AT_ALL if facts.window == "all" else _EMPTY
        self.notice.object = "" if facts.providers else write_notice(empty, *_COMMANDS)
        rows = [_show_row(row) for row in facts.providers]
        self.table.object = write_table(
            f"Providers, {facts.window}", _COLUMNS, rows, empty="None in this window."
        )
        self.times.figure.x_range.start, self.times.figure.x_range.end = charts.span_of(facts.steps)
        self.times.show(charts.stack_steps(facts.steps), height="top")
        wins = charts.place_wins(facts.wins)
        self.wins.figure.x_range.factors = wins["place"]
        self.wins.show(wins, height="wins")
        for chart, content in ((self.times, facts.steps), (self.wins, facts.wins)):
            chart.layout.visible = bool(content)


def write_csv(rows: Sequence[ProviderRow]) -> str:
    """All measures of the rows, with the names and units of the REST API."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(ProviderRow.model_fields))
    writer.writeheader()
    writer.writerows(row.model_dump() for row in rows)
    return text.getvalue()


def _show_row(row: ProviderRow) -> tuple[Any, ...]:
    return (
        row.provider,
        row.model,
        row.total_requests,
        round_figure(row.success_rate, 1, times=100),
        round_figure(row.avg_response_time_ms, 2, times=0.001),
        round_figure(row.p95_response_time_ms, 2, times=0.001),
        round_figure(row.p99_response_time_ms, 2, times=0.001),
        round_figure(row.avg_confidence, 2),
        row.total_tokens,
        round_figure(row.total_cost_usd, 6),
        row.debates,
        row.wins,
        round_figure(row.win_rate, 1, times=100),
    )

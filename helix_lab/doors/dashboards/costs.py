"""Costs: what providers cost over time, and how many requests have no known price."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import make_html, write_cards, write_notice, write_table
from helix_lab.doors.dashboards.windowed import follow_window, make_select, round_figure
from helix_lab.operations.costs import CostRow, Costs
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

_EMPTY = "No provider was asked in this window. Choose a longer one, or ask one:"
_COMMANDS = (
    'helix-lab debates start --topic "Should services share a database?"',
    "helix-lab import debates.jsonl",
)
_COLUMNS = ("provider", "model", "requests", "tokens", "cost USD", "without a price")


def make_costs(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?window=7d` chooses a window."""
    page = _Costs(lab)
    return follow_window("costs", page, page.notice, page.cards, page.table, page.chart.layout)


class _Costs:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select(default="30d")
        self.notice = make_html()
        self.cards = make_html()
        self.table = make_html()
        self.chart = charts.make_shares("Cost", file="helix-lab-costs", unit="USD")

    def read(self) -> Costs:
        window = self.window.value
        granularity = "hourly" if window in {"1h", "24h"} else "daily"
        costs: Costs = self._lab.get_costs(window=window, granularity=granularity)
        return costs

    def show(self, found: Costs) -> None:
        self.notice.object = "" if found.costs else write_notice(_EMPTY, *_COMMANDS)
        self.cards.object = write_cards(_list_cards(found)) if found.costs else ""
        self.table.object = write_table(
            f"Costs, {found.window}", _COLUMNS, _sum_up(found.costs), empty="None in this window."
        )
        self.chart.show_series(
            [
                (datetime.fromisoformat(row.date), row.cost_usd, f"{row.provider} {row.model}")
                for row in found.costs
                if row.cost_usd is not None
            ]
        )


def _list_cards(found: Costs) -> list[tuple[str, str]]:
    requests = sum(row.requests for row in found.costs)
    return [
        ("known costs", f"${found.total_cost_usd:,.4f}"),
        ("requests", f"{requests:,}"),
        ("without a price", f"{found.unpriced_requests:,}"),
    ]


def _sum_up(costs: Sequence[CostRow]) -> list[tuple[Any, ...]]:
    """A row a provider and model, the dearest first."""
    rows: dict[tuple[str, str], list[CostRow]] = defaultdict(list)
    for row in costs:
        rows[row.provider, row.model].append(row)
    totals = [
        (
            *pair,
            sum(row.requests for row in own),
            sum(row.total_tokens or 0 for row in own),
            round_figure(sum(row.cost_usd or 0.0 for row in own), 6) or 0.0,
            sum(row.unpriced_requests for row in own),
        )
        for pair, own in rows.items()
    ]
    return sorted(totals, key=lambda total: (-total[4], total[:2]))

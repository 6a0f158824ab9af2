"""Context: how far and how well conversations are compressed, over time, by strategy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import (
    make_html,
    write_cards,
    write_notice,
    write_table,
)
from helix_lab.doors.dashboards.windowed import follow_window, make_select, round_figure
from helix_lab.operations.compressions import CompressionMeasures
from helix_lab.operations.methods import Methods

if TYPE_CHECKING:
    import panel as pn

_EMPTY = "Nothing was compressed in this window. Choose a longer one, or compress a conversation:"
_EMPTY_AT_ALL = "Nothing was compressed yet. Compress a conversation:"
_COMMANDS = (
    "helix-lab import conversations.json",
    "helix-lab conversations replay CONVERSATION_ID --compression-ratio 0.3",
)
_COLUMNS = (
    "strategy", "compressions", "mean ratio", "least ratio", "greatest ratio", "mean quality",
    "least quality", "below minimum", "tokens before", "tokens after", "by a model", "mean ms",
    "p95 ms",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Facts:
    """What the page shows of one window."""

    measures: CompressionMeasures
    steps: Sequence[Any]


def make_context(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open; `?window=7d` chooses a window."""
    page = _Context(lab)
    parts = (page.notice, page.cards, page.table, page.quality.layout, page.ratio.layout)
    return follow_window("context", page, *parts)


class _Context:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select()
        self.notice = make_html()
        self.cards = make_html()
        self.table = make_html()
        self.quality = charts.make_shares("Quality", file="helix-lab-quality")
        self.ratio = charts.make_shares("Ratio", file="helix-lab-ratio")

    def read(self) -> Facts:
        window = self.window.value
        return Facts(
            self._lab.get_compression_stats(window=window),
            self._lab.get_compression_trends(window=window).steps,
        )

    def show(self, facts: Facts) -> None:
        measures = facts.measures
        empty = _EMPTY_AT_ALL if measures.window == "all" else _EMPTY
        is_empty = measures.total_compressions == 0
        self.notice.object = write_notice(empty, *_COMMANDS) if is_empty else ""
        self.cards.object = "" if is_empty else write_cards(_list_cards(measures))
        rows = [
            _show_row(name, row.model_dump()) for name, row in sorted(measures.strategies.items())
        ]
        self.table.object = write_table(
            f"Strategies, {measures.window}", _COLUMNS, rows, empty="None in this window."
        )
        for chart, measure in ((self.quality, "avg_quality"), (self.ratio, "avg_ratio")):
            points = [(step.at, getattr(step, measure), step.strategy) for step in facts.steps]
            chart.show_series(points)


def _list_cards(measures: CompressionMeasures) -> list[tuple[str, str]]:
    return [
        ("compressions", f"{measures.total_compressions:,}"),
        ("mean ratio", f"{measures.avg_ratio:.2f}"),
        ("mean quality", f"{measures.avg_quality:.3f}"),
        ("below the minimum", f"{measures.below_minimum:,}"),
        ("mean time", f"{measures.avg_compression_time_ms:,.0f} ms"),
    ]


def _show_row(name: str, row: dict[str, Any]) -> tuple[Any, ...]:
    shares = ("avg_ratio", "min_ratio", "max_ratio", "avg_quality", "min_quality")
    counts = ("below_minimum", "original_tokens", "compressed_tokens", "by_llm")
    times = ("avg_time_ms", "p95_time_ms")
    return (
        name,
        row["count"],
        *(round_figure(row[share], 3) for share in shares),
        *(row[count] for count in counts),
        *(round_figure(row[time], 1) for time in times),
    )

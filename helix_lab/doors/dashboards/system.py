"""System: what this lab uses, what it is asked, and how fast it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from helix_lab.doors.dashboards import charts
from helix_lab.doors.dashboards.parts import make_html, write_cards, write_table
from helix_lab.doors.dashboards.windowed import follow_window, make_select, round_figure
from helix_lab.operations.methods import Methods
from helix_lab.operations.system_analytics import SystemMetrics

if TYPE_CHECKING:
    import panel as pn

_OPERATIONS = (
    "operation", "calls", "refused", "failed", "calls a second", "p50 ms", "p95 ms", "p99 ms",
    "longest ms",
)  # fmt: skip
_MIB = 2**20


def make_system(lab: Methods) -> pn.Column:
    """The page, which follows the lab as long as it is open."""
    page = _System(lab)
    return follow_window(
        "system", page, page.cards, page.cpu.layout, page.memory.layout, page.operations, page.lag
    )


class _System:
    def __init__(self, lab: Methods) -> None:
        self._lab = lab
        self.window = make_select(("1h", "24h"), default="1h")
        self.cards = make_html()
        self.operations = make_html()
        self.lag = make_html()
        self.cpu = charts.make_shares("Processor", file="helix-lab-cpu", unit="per cent")
        self.memory = charts.make_shares("Memory", file="helix-lab-memory", unit="MiB")

    def read(self) -> SystemMetrics:
        metrics: SystemMetrics = self._lab.get_system_metrics(window=self.window.value)
        return metrics

    def show(self, found: SystemMetrics) -> None:
        self.cards.object = write_cards(_list_cards(found))
        self.cpu.show_series(
            [
                point
                for row in found.samples
                for point in (
                    (row.at, row.cpu_percent, "this lab (100 is one core)"),
                    (row.at, row.system_cpu_percent, "machine (100 is all cores)"),
                )
            ]
        )
        self.memory.show_series(
            [(row.at, row.memory_bytes / _MIB, "this lab") for row in found.samples]
        )
        self.operations.object = write_table(
            f"Operations, {found.window}",
            _OPERATIONS,
            [
                (
                    row.operation,
                    row.calls,
                    row.refused,
                    row.failed,
                    round_figure(row.calls_per_s, 3),
                    *(round_figure(ms, 1) for ms in (row.p50_ms, row.p95_ms, row.p99_ms)),
                    round_figure(row.max_ms, 1),
                )
                for row in found.operations
            ],
            empty="Nothing was asked yet.",
        )
        self.lag.object = write_table(
            "Stores", ("store", "events behind the log"), sorted(found.projection_lag.items()),
            empty="This lab has no store.",
        )  # fmt: skip


def _list_cards(found: SystemMetrics) -> list[tuple[str, str]]:
    return [
        ("open for", f"{found.up_s / 3600:.1f} h"),
        ("processor", f"{found.now.cpu_percent:.0f} %"),
        ("memory", f"{found.now.memory_bytes / _MIB:,.0f} MiB"),
        ("calls a second", f"{found.calls_per_s:.2f}"),
        ("events recorded", f"{found.recorded_events:,}"),
    ]

"""Charts of the pages, by Bokeh: drawn once, then given new values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import panel as pn
from bokeh.models import AdaptiveTicker, ColumnDataSource, FactorRange, Range1d, SaveTool
from bokeh.plotting import figure

# Okabe and Ito's colours, which people with any colour vision tell apart; not the black one.
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b0a000")
_HEIGHT = 240
_LEGEND_LINE = 24
_SAVE = "save.do.emit(undefined)"
_PAPER = {"default": ("#ffffff", "#1f2328", "#d0d7de"), "dark": ("#121212", "#e6e6e6", "#3a3f44")}
"""Background, text and lines of each theme."""
_MIN_SPAN_S = (0.1, 10.0)
_MARGIN = timedelta(minutes=2)


class Chart:
    """A figure whose marks come from one source, and a button that saves it as PNG.

    Attributes:
        layout: the title, the figure and the button.
        source: the values; give `source.data` anew to draw them.
    """

    def __init__(self, title: str, columns: Sequence[str], *, file: str, **options: Any) -> None:
        self.save = SaveTool(filename=file)
        self.figure = figure(
            title=title,
            height=_HEIGHT,
            sizing_mode="stretch_width",
            tools=[self.save],
            toolbar_location=None,
            **{"y_range": Range1d(0, 1), **options},
        )
        self.source = ColumnDataSource({name: [] for name in columns})
        button = pn.widgets.Button(label=f"{title}: save as PNG", margin=(4, 0))
        button.js_on_click(args={"save": self.save}, code=_SAVE)
        _paint(self.figure, *_PAPER[pn.config.theme])
        self.layout = pn.Column(
            pn.pane.Bokeh(self.figure, sizing_mode="stretch_width", margin=0),
            button,
            sizing_mode="stretch_width",
            margin=(4, 12),
        )

    def show_series(self, points: Sequence[tuple[datetime, float, str]]) -> None:
        """Draw measures over time; nothing is shown where there is none."""
        self.layout.visible = bool(points)
        if points:
            moments = [at.replace(tzinfo=None) for at, _, _ in points]
            self.figure.x_range.start = min(moments) - _MARGIN
            self.figure.x_range.end = max(moments) + _MARGIN
        self.show(place_series(points), height="share")

    def show(self, values: Mapping[str, Sequence[Any]], *, height: str) -> None:
        """Draw these values instead of what is there; the one called `height` sets the scale."""
        self.figure.y_range.end = max([1, *values[height]]) * 1.05
        # The legend lies below, one line a name.
        self.figure.height = _HEIGHT + _LEGEND_LINE * len(set(values.get("who", ())))
        self.source.data = dict(values)


def _count_whole(chart: Chart) -> None:
    """No halves of what is counted."""
    chart.figure.yaxis.ticker = AdaptiveTicker(min_interval=1)


def make_activity() -> Chart:
    """Messages a minute over the last hour."""
    chart = Chart(
        "Messages a minute",
        ["at", "messages"],
        file="helix-lab-activity",
        x_axis_type="datetime",
        y_axis_label="messages",
        x_axis_label="UTC",
        x_range=Range1d(),
    )
    chart.figure.vbar(x="at", top="messages", width=50_000, source=chart.source, color=COLOURS[0])
    _count_whole(chart)
    return chart


def make_response_times() -> Chart:
    """How many answers of each provider took how long; the time on a logarithmic axis."""
    chart = Chart(
        "Response time",
        ["from_s", "until_s", "turns", "bottom", "top", "who", "colour"],
        file="helix-lab-response-times",
        x_axis_type="log",
        x_range=Range1d(*_MIN_SPAN_S),
        x_axis_label="seconds",
        y_axis_label="answers",
    )
    chart.figure.quad(
        left="from_s", right="until_s", bottom="bottom", top="top", source=chart.source,
        color="colour", legend_field="who",
    )  # fmt: skip
    _count_whole(chart)
    return _with_legend(chart)


def make_wins() -> Chart:
    """Wins of each provider, side by side for each position."""
    chart = Chart(
        "Wins by position",
        ["place", "wins", "who", "colour"],
        file="helix-lab-wins",
        x_range=FactorRange(),
        y_axis_label="wins",
    )
    chart.figure.vbar(
        x="place", top="wins", width=0.8, source=chart.source, color="colour", legend_field="who"
    )
    chart.figure.xaxis.major_label_text_font_size = "0px"
    _count_whole(chart)
    return _with_legend(chart)


def make_shares(title: str, *, file: str, unit: str = "0 to 1") -> Chart:
    """Shares (or other measures) over time, a colour for each name."""
    chart = Chart(
        title,
        ["at", "share", "who", "colour"],
        file=file,
        x_axis_type="datetime",
        x_axis_label="UTC",
        y_axis_label=unit,
        x_range=Range1d(),
    )
    chart.figure.scatter(
        x="at", y="share", size=9, source=chart.source, color="colour", legend_field="who"
    )
    return _with_legend(chart)


def make_calibration() -> Chart:
    """How often seats won, by how sure they were; where both are equal, they are calibrated."""
    chart = Chart(
        "Confidence and wins",
        ["sure", "won", "size"],
        file="helix-lab-calibration",
        x_range=Range1d(0, 1),
        x_axis_label="mean confidence of the seats",
        y_axis_label="share that won",
    )
    chart.figure.scatter(x="sure", y="won", size="size", source=chart.source, color=COLOURS[0])
    chart.figure.line([0, 1], [0, 1], color=COLOURS[1], line_dash="dashed")
    return chart


def make_sureness() -> Chart:
    """The confidence of patterns as dots, on the intervals that their shares lie in."""
    chart = Chart(
        "Confidence of the patterns seen most, and their intervals of 95 %",
        ["name", "low", "sure", "high"],
        file="helix-lab-sureness",
        x_range=Range1d(0, 1),
        y_range=FactorRange(),
        x_axis_label="share of the occasions",
    )
    chart.figure.height = 2 * _HEIGHT
    chart.figure.segment(
        x0="low", x1="high", y0="name", y1="name", source=chart.source, line_width=3,
        color=COLOURS[4],
    )  # fmt: skip
    chart.figure.scatter(x="sure", y="name", size=9, source=chart.source, color=COLOURS[0])
    return chart


def _with_legend(chart: Chart) -> Chart:
    """The legend below the figure, where it hides nothing on a narrow screen."""
    legend = chart.figure.legend[0]
    legend.location = "top_left"
    background, text, line = _PAPER[pn.config.theme]
    legend.background_fill_color, legend.label_text_color = background, text
    legend.border_line_color = line
    chart.figure.add_layout(legend, "below")
    return chart


def _paint(plot: figure, background: str, text: str, line: str) -> None:
    """The colours of the theme, also in a saved picture."""
    plot.background_fill_color = plot.border_fill_color = background
    plot.outline_line_color = plot.grid.grid_line_color = line
    plot.title.text_color = text
    for name in ("axis_label_text_color", "major_label_text_color", "axis_line_color"):
        setattr(plot.axis, name, text)
    plot.axis.major_tick_line_color = plot.axis.minor_tick_line_color = line


def colour_of(names: Sequence[str]) -> dict[str, str]:
    """A colour for each name, the same whenever the names are the same."""
    ordered = sorted(set(names))
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(ordered)}


def place_series(points: Sequence[tuple[datetime, float, str]]) -> dict[str, list[Any]]:
    """Measures over time as dots: (moment in UTC, measure, name)."""
    colours = colour_of([who for _, _, who in points])
    return {
        "at": [at.replace(tzinfo=None) for at, _, _ in points],
        "share": [measure for _, measure, _ in points],
        "who": [who for _, _, who in points],
        "colour": [colours[who] for _, _, who in points],
    }


def span_of(steps: Sequence[Any]) -> tuple[float, float]:
    """From the fastest to the slowest step, in seconds, and a little more."""
    if not steps:
        return _MIN_SPAN_S
    fastest, slowest = min(s.from_ms for s in steps), max(s.until_ms for s in steps)
    return fastest / 1000 / 1.1, slowest / 1000 * 1.1


def stack_steps(steps: Sequence[Any]) -> dict[str, list[Any]]:
    """Steps of response time as boxes, those of one step on top of each other."""
    names = [f"{step.provider} {step.model}" for step in steps]
    colours = colour_of(names)
    heights: dict[float, int] = {}
    boxes: dict[str, list[Any]] = {
        name: [] for name in ("from_s", "until_s", "turns", "bottom", "top", "who", "colour")
    }
    for step, who in zip(steps, names, strict=True):
        bottom = heights.get(step.from_ms, 0)
        heights[step.from_ms] = bottom + step.turns
        values = (step.from_ms / 1000, step.until_ms / 1000, step.turns,
                  bottom, bottom + step.turns, who, colours[who])  # fmt: skip
        for column, value in zip(boxes.values(), values, strict=True):
            column.append(value)
    return boxes


def place_wins(wins: Sequence[Any]) -> dict[str, list[Any]]:
    """Wins as bars, grouped by position."""
    names = [f"{row.provider} {row.model}" for row in wins]
    colours = colour_of(names)
    return {
        "place": [(row.position or "none", who) for row, who in zip(wins, names, strict=True)],
        "wins": [row.wins for row in wins],
        "who": names,
        "colour": [colours[who] for who in names],
    }

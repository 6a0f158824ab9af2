"""A table as text and as HTML, the same rows in both; every value is escaped."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from html import escape
from typing import Any
from unicodedata import combining, east_asian_width

PAGE_ROWS = 100
_LEAST_PAGE_ROWS = 10
_PAGE_CELLS = 10_000
TEXT_ROWS = 20
_CELL_WIDTH = 40
_HTML_CELL_WIDTH = 300
_GAP = "  "
# The block of control pictures begins at U+2400; C1 controls have none.
_DRAWN = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\t"},
    **dict.fromkeys(range(0x7F, 0xA0), 0x2421),
}
_NAMED = {None: "NULL", True: "true", False: "false"}
_LARGE = 1e5  # from here on six digits would cut the whole part

Rows = Sequence[Sequence[Any]]
Caption = Callable[[int], str]
"""Number of rows on the screen → one line on how much of the answer that is."""


def to_text(
    columns: Sequence[str],
    rows: Rows,
    *,
    caption: Caption,
    limit: int = TEXT_ROWS,
    width: int = 10_000,
    cell_width: int = _CELL_WIDTH,
) -> str:
    """Aligned columns for a terminal; long values are cut.

    Args:
        columns: their names.
        rows: one value a column in each.
        caption: says below how much is shown.
        limit: rows at most.
        width: characters a line at most; columns that do not fit are named below.
        cell_width: characters of a value at most.
    """
    shown = [[_cut(show(value), cell_width) for value in row] for row in rows[:limit]]
    widths = [
        max(map(_measure, [name, *(row[place] for row in shown)]))
        for place, name in enumerate(columns)
    ]
    fitting = _count_fitting(widths, width)
    is_number = _find_numbers(fitting, rows[:limit])

    def line(cells: Sequence[str]) -> str:
        placed = zip(cells, widths, is_number, strict=False)
        return _GAP.join(_pad(cell, w, is_right=n) for cell, w, n in placed).rstrip()

    lines = [line(columns), line(["─" * w for w in widths]), *map(line, shown)]
    hidden = columns[fitting:]
    notes = [caption(len(shown)), f"not shown: {', '.join(hidden)}" if hidden else ""]
    return "\n".join([*lines, *filter(None, notes)])


def count_page_rows(columns: int) -> int:
    """How many rows of so many columns a page of a browser bears."""
    return max(_LEAST_PAGE_ROWS, min(PAGE_ROWS, _PAGE_CELLS // max(columns, 1)))


def to_html(
    columns: Sequence[str], rows: Rows, *, caption: Caption, cell_width: int = _HTML_CELL_WIDTH
) -> str:
    """A table that a screen reader can walk: caption, column headings, nothing but text in cells.

    It can be scrolled by keyboard, takes its colours from the page, and is never wider than it.
    """
    shown = rows[: count_page_rows(len(columns))]
    is_number = _find_numbers(len(columns), shown)
    aligns = ["right" if number else "left" for number in is_number]
    said = escape(caption(len(shown)))
    head = "".join(
        f'<th scope="col" style="text-align:{align}">{escape(name)}</th>'
        for name, align in zip(columns, aligns, strict=True)
    )
    widths = [cell_width] * len(columns)
    body = "".join("<tr>" + "".join(map(_cell, row, aligns, widths)) + "</tr>" for row in shown)
    return (
        f'<div role="region" aria-label="{said}" tabindex="0" '
        'style="max-width:100%;max-height:30em;overflow:auto">'
        f'<table style="margin:0"><caption style="text-align:left">{said}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def show(value: Any) -> str:
    """A value in one line."""
    if value is None or isinstance(value, bool):
        return _NAMED[value]
    if isinstance(value, float):
        return f"{value:.6g}" if abs(value) < _LARGE else f"{value:.12g}"
    if isinstance(value, str):
        return make_printable(value.replace("\r\n", "\n").replace("\n", "⏎"))
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bytes):
        return value.hex(" ")
    return str(value)


def make_printable(text: str) -> str:
    """The text with control characters drawn, so that none of them reaches a terminal.

    What an assistant said may hold sequences that move the cursor or hide text.
    """
    return text if text.isprintable() else text.translate(_DRAWN)


def _cell(value: Any, align: str, width: int) -> str:
    style = f"text-align:{align}" + (";opacity:.6;font-style:italic" if value is None else "")
    return f'<td style="{style}">{escape(_cut(show(value), width))}</td>'


def _measure(text: str) -> int:
    """Columns of a terminal that a text takes: wide characters take two, accents none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if combining(character) else 1 + (east_asian_width(character) in "WF")
        for character in text
    )


def _pad(text: str, width: int, *, is_right: bool) -> str:
    space = " " * (width - _measure(text))
    return space + text if is_right else text + space


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def _count_fitting(widths: Sequence[int], limit: int) -> int:
    """How many columns, from the left, fit on a line; at least one."""
    used = 0
    for place, width in enumerate(widths):
        used += width + len(_GAP)
        if place and used - len(_GAP) > limit:
            return place
    return len(widths)


def _find_numbers(columns: int, rows: Rows) -> list[bool]:
    """Which columns hold numbers alone, and at least one."""

    def holds_numbers(place: int) -> bool:
        values = [row[place] for row in rows if row[place] is not None]
        return bool(values) and all(
            isinstance(value, int | float | Decimal) and not isinstance(value, bool)
            for value in values
        )

    return [holds_numbers(place) for place in range(columns)]

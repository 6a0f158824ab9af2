"""Parts that pages are made of: cards, tables, notices, and what keeps them up to date."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from importlib.resources import files
from typing import Any, TypeVar

import panel as pn

from helix_lab.domain.model.errors import HelixError
from helix_lab.doors.tables import Rows, to_html
from helix_lab.operations.dashboards import PAGES

Facts = TypeVar("Facts")

STYLE = files(__package__).joinpath("parts.css").read_text(encoding="utf-8")


def make_html(content: str = "", **options: Any) -> pn.pane.HTML:
    """A pane that is as wide as the page; everything in `content` is already escaped."""
    return pn.pane.HTML(
        content, stylesheets=[STYLE], sizing_mode="stretch_width", margin=(4, 12), **options
    )


def make_heading(name: str) -> pn.pane.HTML:
    """The title of a page, and the way to the others; they keep the theme."""
    query = "?theme=dark" if pn.config.theme == "dark" else ""
    links = "".join(
        f'<a href="{page.name}{query}"'
        + (' aria-current="page"' if page.name == name else "")
        + f">{escape(page.title)}</a>"
        for page in PAGES
    )
    title, summary = next((page.title, page.summary) for page in PAGES if page.name == name)
    navigation = f'<nav aria-label="Dashboards">{links}</nav>'
    return make_html(f"{navigation}<h1>{escape(title)}</h1><p>{escape(summary)}.</p>")


def write_cards(cards: Sequence[tuple[str, str]]) -> str:
    """Numbers with their names, side by side, below each other on a phone."""
    inside = "".join(
        f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for label, value in cards
    )
    return f'<dl class="cards">{inside}</dl>'


def write_table(title: str, columns: Sequence[str], rows: Rows, *, empty: str) -> str:
    """A table below its title, or what to do to fill it."""
    if not rows:
        return f"<h2>{escape(title)}</h2><p>{escape(empty)}</p>"
    caption = f"{title}: {len(rows)} rows"
    return f"<h2>{escape(title)}</h2>" + to_html(columns, rows, caption=lambda _: caption)


def write_notice(text: str, *commands: str) -> str:
    """What is the matter, and what can be typed against it; nothing for no text."""
    if not text:
        return ""
    typed = "".join(f"<pre>{escape(command)}</pre>" for command in commands)
    return f'<div class="notice" role="status"><p>{escape(text)}</p>{typed}</div>'


def show_moment(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


class Following:
    """Reads facts from the lab and shows them: now, and in a browser again and again.

    Reading happens in a thread, so that a lab that does not answer holds up no other page.

    Args:
        read: asks the lab.
        show: puts what was read on the page.
    """

    def __init__(self, read: Callable[[], Facts], show: Callable[[Facts], None]) -> None:
        self._read: Callable[[], Any] = read
        self._show: Callable[[Any], None] = show
        self.trouble = make_html()

    def begin(self, *, every_ms: int) -> None:
        """Show the first facts, and keep them fresh for as long as the page is open."""
        try:
            self._show(self._read())
        except HelixError as error:
            self._tell(error)
        document = pn.state.curdoc
        if document is not None and document.session_context is not None:
            pn.state.add_periodic_callback(self.refresh, period=every_ms)

    async def refresh(self, *_: object) -> None:
        """Show what is so now."""
        try:
            self._show(await asyncio.to_thread(self._read))
        except HelixError as error:
            self._tell(error)
        else:
            self.trouble.object = ""

    def _tell(self, error: HelixError) -> None:
        self.trouble.object = write_notice(f"Helix Lab cannot tell: {error}. It is asked again.")


def follow_lab(name: str, page: Any, *parts: Any, every_ms: int) -> pn.Column:
    """The page of a name, which follows the lab as long as it is open.

    Args:
        name: of the page.
        page: has `read`, which asks the lab, and `show`, for what was read.
        parts: what it shows, from top to bottom.
        every_ms: between two questions.
    """
    following = Following(page.read, page.show)
    following.begin(every_ms=every_ms)
    return pn.Column(make_heading(name), following.trouble, *parts, sizing_mode="stretch_width")

"""Widgets as HTML that needs no script: for saved notebooks, mail, and readers of any kind.

Every value is text. Colours come from the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from helix_lab.doors import tables

_MOST_CHARACTERS = 2_000
_BOX = "border:1px solid currentcolor;border-radius:4px;padding:6px 10px;margin:6px 0"
_TEXT = "white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0 0"
EDGE_COLUMNS = ("from", "relation", "to", "strength")
MOST_EDGES = 100
RUN_COLUMNS = ("run", "job", "state", "progress", "began", "took", "error")


def write_conversation(state: Mapping[str, Any]) -> str:
    """The page in sight of a conversation, as a list."""
    messages = state["messages"]
    shown = f"Messages {state['first'] + 1} to {state['first'] + len(messages)} of {state['total']}"
    caption = shown if messages else "No messages yet"
    if len(messages) < state["total"]:
        caption += "; run the cell in a notebook to search and to read the rest"
    items = "".join(map(_write_message, messages))
    return (
        f'<div role="group" aria-label="Conversation {escape(state["title"])}">'
        f"<p><strong>{escape(state['title'])}</strong><br>{escape(caption)}.</p>"
        f'<ol start="{state["first"] + 1}">{items}</ol></div>'
    )


def write_runs(title: str, rows: Sequence[Sequence[Any]], *, notice: str) -> str:
    """Runs as a table."""
    said = f"<p>{escape(notice)}</p>" if notice else ""
    if not rows:
        return said or "<p>No run yet.</p>"
    return said + tables.to_html(RUN_COLUMNS, rows, caption=lambda _: title)


def write_context(state: Mapping[str, Any]) -> str:
    """A context as a list of lines, each with the number of messages it came from."""
    items = "".join(
        f'<li style="{_TEXT}">{escape(tables.make_printable(line["text"]))} '
        f"<small>({_count_sources(line)})</small></li>"
        for line in state["lines"]
    )
    said = " ".join(filter(None, (state["figures"], state["notice"])))
    return (
        f'<div role="group" aria-label="{escape(state["title"])}">'
        f"<p><strong>{escape(state['title'])}</strong>, {escape(state['strategy'])}<br>"
        f"{escape(said)}</p><ol>{items}</ol></div>"
    )


def write_edges(state: Mapping[str, Any]) -> str:
    """A graph as a table of its edges, the strongest first."""
    names = {node["id"]: node["name"] for node in state["nodes"]}
    edges = sorted(state["edges"], key=lambda edge: -(edge["strength"] or 0))
    rows = [
        (names[edge["source"]], edge["label"], names[edge["target"]], edge["strength"])
        for edge in edges[:MOST_EDGES]
    ]
    total = f"{state['title']}: {len(names):,} nodes, {len(edges):,} relations"
    said = f"<p>{escape(state['notice'])}</p>" if state["notice"] else ""
    return said + tables.to_html(EDGE_COLUMNS, rows, caption=lambda _: total)


def _count_sources(line: Mapping[str, Any]) -> str:
    count = len(line["ids"])
    return "whole" if line["is_whole"] else f"{count} source{'s' * (count != 1)}"


def _write_message(message: Mapping[str, Any]) -> str:
    text = message["text"]
    cut = max(0, len(text) - _MOST_CHARACTERS) + message["cut_characters"]
    more = f"<p><em>{cut:,} characters more</em></p>" if cut else ""
    versions = message["versions"]
    place = versions.index(message["message_id"]) + 1 if versions else 0
    branch = f" · version {place} of {len(versions)}" if versions else ""
    by = f" · {escape(message['by'])}" if message["by"] else ""
    return (
        f'<li style="{_BOX}"><strong>{escape(message["role"])}</strong>{by} · '
        f"{escape(message['said_at'])}{branch}"
        f'<div style="{_TEXT}">{escape(tables.make_printable(text[:_MOST_CHARACTERS]))}</div>'
        f"{more}</li>"
    )

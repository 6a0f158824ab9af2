"""Completion in `%%cypher` cells: labels, types of edges and properties that the graph has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import HelixError

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext, SimpleMatcherResult

    from helix_lab.operations.knowledge_query import GraphCatalog

KEYWORDS = ("MATCH", "OPTIONAL MATCH", "WHERE", "RETURN", "ORDER BY", "LIMIT", "WITH", "UNWIND")
_CELL = re.compile(r"%%cypher\b[^\n]*\n")
_WORD = re.compile(r"[A-Za-z_]\w*$")


def complete(context: CompletionContext, find_lab: Any) -> SimpleMatcherResult:
    """What may stand at the cursor; nothing outside of a Cypher cell.

    Args:
        context: of IPython.
        find_lab: gives the lab, or None where none is connected: a Tab opens nothing.
    """
    from IPython.core.completer import SimpleCompletion

    cell = _CELL.match(context.full_text)
    if cell is None or context.cursor_line == 0:
        return {"completions": [], "suppress": False}
    lines = context.full_text.split("\n")
    before = "\n".join([*lines[1 : context.cursor_line], context.line_with_cursor])
    before = before[: len(before) - len(context.line_with_cursor) + context.cursor_position]
    words = propose(before, _describe(find_lab()))
    # IPython replaces its own token, which may begin before the word, as in `(e:Ent`.
    lead = context.token[: len(context.token) - len(_last_word(context.token))]
    found = [SimpleCompletion(text=lead + word, type="keyword") for word in words]
    return {"completions": found, "suppress": True}


def propose(before: str, catalog: GraphCatalog | None) -> list[str]:
    """The words that go on with a statement, sorted.

    Args:
        before: the statement up to the cursor.
        catalog: what the graph has; None: keywords alone.
    """
    word = _last_word(before)
    ahead = before[: len(before) - len(word)]
    names: Iterable[str]
    if catalog is None:
        names = KEYWORDS
    elif re.search(r"\[[^\[\]]*[:|]\s*$", ahead):
        names = catalog.edges
    elif re.search(r"\([^()\[\]{}]*:\s*$", ahead):
        names = catalog.nodes
    elif ahead.endswith(".") or re.search(r"\{[^{}]*$", ahead):
        parts = (*catalog.nodes.values(), *catalog.edges.values())
        names = {name for part in parts for name in part}
    else:
        names = KEYWORDS
    return sorted(name for name in names if name.casefold().startswith(word.casefold()))


def _last_word(text: str) -> str:
    found = _WORD.search(text)
    return found.group() if found else ""


def _describe(lab: Any) -> GraphCatalog | None:
    catalog: GraphCatalog | None = None
    with suppress(HelixError):
        catalog = None if lab is None else lab.describe_graph()
    return catalog

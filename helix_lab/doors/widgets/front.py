"""The half of a widget that lives in the browser, by anywidget: one state down, one wish up.

The scripts lie beside this file and come through the kernel: nothing is built, and nothing is
fetched from any other host.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anywidget
from traitlets import Dict

_HERE = Path(__file__).parent
State = dict[str, Any]


def _read(name: str) -> str:
    """A script, after the parts that all of them use: a module of the kernel cannot import."""
    return "\n".join((_HERE / part).read_text(encoding="utf-8") for part in ("parts.js", name))


class Front(anywidget.AnyWidget):  # type: ignore[misc] # it has no types here
    """What the browser shows of a widget.

    Args:
        state: what is shown first.
        answer: from what the reader asks for to what is shown then.
    """

    _css = _HERE / "widgets.css"
    state = Dict().tag(sync=True)
    asked = Dict().tag(sync=True)

    def __init__(self, state: State, answer: Callable[[Mapping[str, Any]], State]) -> None:
        super().__init__(state=state)
        self._answer = answer
        self.observe(self._take, "asked")

    def _take(self, change: Mapping[str, Any]) -> None:
        self.state = self._answer(change["new"])


class ConversationFront(Front):
    """The conversation viewer."""

    _esm = _read("conversation.js")


class MonitorFront(Front):
    """The run monitor."""

    _esm = _read("monitor.js")


class ContextFront(Front):
    """The context viewer."""

    _esm = _read("context.js")


class GraphFront(Front):
    """The graph viewer."""

    _esm = _read("graph.js")

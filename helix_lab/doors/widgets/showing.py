"""What a widget gives to a notebook: always text and HTML, and itself where somebody can use it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helix_lab.doors.widgets.front import Front


def make_bundle(text: str, html: str, open_front: Callable[[], Front]) -> dict[str, Any]:
    """The forms of one output; a front end takes the first that it can show."""
    bundle = {"text/plain": text, "text/html": html}
    if is_somebody_there():
        data = open_front()._repr_mimebundle_()
        if data is not None:
            widget = data[0] if isinstance(data, tuple) else data
            bundle |= {kind: value for kind, value in widget.items() if kind != "text/plain"}
    return bundle


def is_somebody_there() -> bool:
    """Whether a person runs the cell, in a front end that could show a widget.

    papermill, nbclient and nbval say that nobody can be asked for input. A widget of theirs would
    be saved with a page that then fetches its scripts from a foreign host.
    """
    from IPython.core.getipython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return False
    request = kernel.get_parent("shell") or {}
    return bool(request.get("content", {}).get("allow_stdin"))

"""Helix Lab: keep, understand and use everything that your LLM assistants ever said."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helix_lab.domain.model.errors import HelixError
    from helix_lab.doors.client import Client
    from helix_lab.doors.connection import connect
    from helix_lab.doors.kernel.extension import load_ipython_extension, unload_ipython_extension
    from helix_lab.lab import Lab, open_lab

__all__ = [
    "Client",
    "HelixError",
    "Lab",
    "connect",
    "load_ipython_extension",
    "open_lab",
    "unload_ipython_extension",
]

_HOMES = {
    "Client": "helix_lab.doors.client",
    "HelixError": "helix_lab.domain.model.errors",
    "Lab": "helix_lab.lab",
    "connect": "helix_lab.doors.connection",
    "load_ipython_extension": "helix_lab.doors.kernel.extension",
    "open_lab": "helix_lab.lab",
    "unload_ipython_extension": "helix_lab.doors.kernel.extension",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """A public name, imported at its first use: `import helix_lab` alone loads no driver."""
        if name not in _HOMES:
            message = f"module {__name__!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(importlib.import_module(_HOMES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])

"""Where the statements of `sql/` are, and the functions that PostgreSQL is given."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def find_sql() -> Traversable:
    """The folder `sql/`: inside the installed package, or beside it in a checkout."""
    installed = files("helix_lab") / "_sql"
    if installed.is_dir():
        return installed
    return Path(__file__).parents[2] / "sql"


def load_functions(folder: str) -> dict[str, str]:
    """The statements of a folder of `sql/` that make functions, by name."""
    found = (find_sql() / folder).iterdir()
    return {
        item.name.removesuffix(".sql"): item.read_text(encoding="utf-8")
        for item in sorted(found, key=lambda item: item.name)
        if item.name.endswith(".sql")
    }

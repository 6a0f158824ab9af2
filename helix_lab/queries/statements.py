"""The named statements of `sql/`, read by name, and checked to say what they answer."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

HEADER = ("name", "asks", "params", "returns")


def find_sql() -> Traversable:
    """The folder `sql/`: inside the installed package, or beside it in a checkout."""
    installed = files("helix_lab") / "_sql"
    if installed.is_dir():
        return installed
    return Path(__file__).parents[2] / "sql"


@cache
def load_statement(name: str) -> str:
    """The statement of `sql/queries/<name>.sql`.

    Raises:
        ValueError: its header does not give name, asks, params and returns, in this order.
    """
    text = (find_sql() / "queries" / f"{name}.sql").read_text(encoding="utf-8")
    lines = text.splitlines()[: len(HEADER)]
    keys = [line.removeprefix("-- ").partition(":")[0] for line in lines]
    if keys != list(HEADER) or lines[0] != f"-- name: {name}":
        message = f"sql/queries/{name}.sql must begin with a header of {', '.join(HEADER)}"
        raise ValueError(message)
    return text


@cache
def load_schema(engine: str) -> tuple[str, ...]:
    """The statements of `sql/<engine>/`, in the order of their numbers."""
    folder = find_sql() / engine
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return tuple((folder / name).read_text(encoding="utf-8") for name in names)

"""The named statements of `sql/`, read by name, and checked to say what they answer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from helix_lab.records.sql_files import find_sql

HEADER = ("name", "asks", "params", "returns")
GRAPH_SCHEMA = "schema"


_DIALECTS = {"duckdb": "queries", "clickhouse": "queries/clickhouse"}


@cache
def load_statement(name: str, *, dialect: str = "duckdb") -> str:
    """The statement of `sql/queries/<name>.sql`, or of its folder for another dialect.

    Raises:
        ValueError: its header does not give name, asks, params and returns, in this order.
    """
    folder = _DIALECTS[dialect]
    text = (find_sql() / folder / f"{name}.sql").read_text(encoding="utf-8")
    _check_header(text, name, f"sql/{folder}/{name}.sql", mark="-- ")
    return text


@cache
def load_batch_statement(name: str) -> str:
    """The statement of `sql/batch/<name>.sql`: one text, for every batch engine.

    Raises:
        ValueError: its header does not give name, asks, params and returns, in this order.
    """
    text = (find_sql() / "batch" / f"{name}.sql").read_text(encoding="utf-8")
    _check_header(text, name, f"sql/batch/{name}.sql", mark="-- ")
    return text


def _check_header(text: str, name: str, path: str, *, mark: str) -> None:
    lines = text.splitlines()[: len(HEADER)]
    keys = [line.removeprefix(mark).partition(":")[0] for line in lines]
    if keys != list(HEADER) or lines[0] != f"{mark}name: {name}":
        message = f"{path} must begin with a header of {', '.join(HEADER)}"
        raise ValueError(message)


@cache
def load_graph_statements(engine: str) -> Mapping[str, str]:
    """The statements of `sql/graph/` by name, without headers; those of the engine go first.

    Raises:
        ValueError: a header does not give name, asks, params and returns, in this order.
    """
    folder = find_sql() / "graph"
    found: dict[str, str] = {}
    for place in (folder, folder / engine):
        for item in place.iterdir():
            name, _, ending = item.name.partition(".")
            if ending != "cypher" or name == GRAPH_SCHEMA:
                continue
            text = item.read_text(encoding="utf-8")
            _check_header(text, name, f"sql/graph/{item.name}", mark="// ")
            found[name] = text.split("\n", len(HEADER))[len(HEADER)].strip()
    return found


@cache
def load_graph_schema(engine: str) -> tuple[str, ...]:
    """The statements of `sql/graph/<engine>/schema.cypher`, in order."""
    text = (find_sql() / "graph" / engine / f"{GRAPH_SCHEMA}.cypher").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("//")]
    return tuple(part.strip() for part in "\n".join(lines).split(";\n") if part.strip())


@cache
def load_schema(engine: str) -> tuple[str, ...]:
    """The statements of `sql/<engine>/`, in the order of their numbers."""
    folder = find_sql() / engine
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return tuple((folder / name).read_text(encoding="utf-8") for name in names)

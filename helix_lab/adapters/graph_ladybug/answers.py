"""What the engine answers, as plain values: nodes, edges and paths in the form of the port."""

from __future__ import annotations

from typing import Any


def to_rows(result: Any) -> list[dict[str, Any]]:
    """All rows of a result by column."""
    results = result if isinstance(result, list) else [result]
    last = results[-1]
    if last is None:
        return []
    names = last.get_column_names()
    rows = [dict(zip(names, row, strict=True)) for row in last.get_all()]
    for one in results:
        one.close()
    return rows


def read_rows(result: Any, max_rows: int) -> tuple[list[list[Any]], bool]:
    """At most so many rows, and whether there are more."""
    rows: list[list[Any]] = []
    while result.has_next():
        if len(rows) == max_rows:
            return rows, True
        row = result.get_next()
        ids: dict[Any, str] = {}
        _gather(row, ids)
        rows.append([_simplify(value, ids) for value in row])
    return rows, False


def _gather(value: Any, ids: dict[Any, str]) -> None:
    """The own ids of all nodes in a row, by the engine's."""
    if isinstance(value, dict):
        if "_ID" in value and "id" in value and "_SRC" not in value:
            ids[_key(value["_ID"])] = value["id"]
        for item in value.values():
            _gather(item, ids)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather(item, ids)


def _simplify(value: Any, ids: dict[Any, str]) -> Any:
    if isinstance(value, list | tuple):
        return [_simplify(item, ids) for item in value]
    if not isinstance(value, dict):
        return value
    if "_NODES" in value:
        return {
            "nodes": _simplify(value["_NODES"], ids),
            "edges": _simplify(value["_RELS"], ids),
        }
    if "_SRC" in value:
        return {
            "label": value["_LABEL"],
            "source": ids.get(_key(value["_SRC"]), _key(value["_SRC"])),
            "target": ids.get(_key(value["_DST"]), _key(value["_DST"])),
            "properties": _properties(value, ids),
        }
    if "_ID" in value:
        return {
            "id": value.get("id"),
            "label": value["_LABEL"],
            "properties": _properties(value, ids),
        }
    return {name: _simplify(item, ids) for name, item in value.items()}


def _properties(value: dict[str, Any], ids: dict[Any, str]) -> dict[str, Any]:
    return {
        name: _simplify(item, ids)
        for name, item in value.items()
        if item is not None and not (name.startswith("_") and name.isupper())
    }


def _key(place: dict[str, int]) -> str:
    return f"{place['table']}:{place['offset']}"

"""Values of an answer as Python has them: JSON has no form for times, decimals and bytes."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

_DECIMAL = re.compile(r"decimal\d+\((\d+), (\d+)\)")
_ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")


def read_rows(types: Iterable[str], rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    """The rows with values read by the Arrow types of their columns; null is None."""
    readers = [_find_reader(type_) for type_ in types]

    def read(row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            value if value is None or reader is None else reader(value)
            for value, reader in zip(row, readers, strict=True)
        )

    return [read(row) for row in rows]


def find_arrow_type(name: str) -> pa.DataType | None:
    """The Arrow type of this name; None where the values themselves must tell."""
    import pyarrow as pa

    if match := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(match[1]), int(match[2]))
    if match := _ZONED.fullmatch(name):
        return pa.timestamp(match[1], tz=match[2])
    try:
        return pa.type_for_alias(name)
    except ValueError:
        return None


def _find_reader(type_: str) -> Callable[[Any], Any] | None:
    if match := _DECIMAL.fullmatch(type_):
        # A sum of whole numbers is one of those.
        return int if match[2] == "0" else Decimal
    if type_.startswith("timestamp"):
        return datetime.fromisoformat
    return _READERS.get(type_)


_READERS: dict[str, Callable[[Any], Any]] = {
    "double": float,  # "nan" and "inf" came as text
    "float": float,
    "binary": base64.b64decode,
    "date32[day]": date.fromisoformat,
    "time64[us]": time.fromisoformat,
}

"""Moments: a time, or a place in the log, up to which something is read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator
from pydantic import WithJsonSchema as JsonSchema

from helix_lab.operations.operation import read_instant

GREATEST_OFFSET = 2**53


def _read_moment(value: object) -> object:
    """A time, or the offset of an event; both also as text, as a URL or a command line has them."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value[:20])
    if isinstance(value, int) and not isinstance(value, bool):
        if not 0 <= value <= GREATEST_OFFSET:
            message = f"must be an offset from 0 to {GREATEST_OFFSET}, or a time"
            raise ValueError(message)
        return value
    return read_instant(value)


Moment = Annotated[
    datetime | int,
    BeforeValidator(_read_moment),
    JsonSchema(
        {
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "integer", "minimum": 0, "maximum": GREATEST_OFFSET},
            ]
        }
    ),
]
"""A time with its zone, or an offset in the log."""

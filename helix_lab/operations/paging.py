"""Cursors: where the next page of a list begins, as one opaque word."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.event import from_micros, to_micros

Limit = Annotated[int, Field(ge=1, le=1000, description="rows at most")]
Cursor = Annotated[
    str | None, Field(max_length=2000, description="`next_cursor` of the page before")
]


def make_cursor(moment: datetime, item_id: str) -> str:
    """The cursor after an item of a list that is ordered by (moment, id)."""
    raw = f"{to_micros(moment)}/{item_id}".encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def read_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """The (moment, id) after which a page begins.

    Raises:
        InvalidRequest: it is no cursor of ours.
    """
    if cursor is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        micros, _, item_id = raw.decode().partition("/")
        if not item_id:
            raise ValueError
        return from_micros(int(micros)).astimezone(UTC), item_id
    except (ValueError, OverflowError, OSError, binascii.Error):
        message = "field 'cursor': take it from next_cursor of the page before, unchanged"
        raise InvalidRequest(message, field="cursor") from None

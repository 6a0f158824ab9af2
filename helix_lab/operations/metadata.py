"""Metadata: facts of the caller's own, kept as they came within limits."""

from __future__ import annotations

from typing import Any

from helix_lab.domain.model.errors import InvalidRequest, TooLarge
from helix_lab.domain.model.event_json import MAX_DEPTH

MAX_METADATA_BYTES = 64 * 1024

Metadata = dict[str, Any]


def check_metadata(metadata: Metadata | None) -> Metadata | None:
    """The same, if it is neither too large nor nested too deep.

    Raises:
        InvalidRequest: nested too deep.
        TooLarge: over `MAX_METADATA_BYTES`.
    """
    try:
        size = len(str(metadata)) if metadata else 0
    except RecursionError:
        message = f"field 'metadata': nested deeper than {MAX_DEPTH} levels"
        raise InvalidRequest(message, field="metadata") from None
    if size > MAX_METADATA_BYTES:
        message = f"field 'metadata': {size} characters; at most {MAX_METADATA_BYTES} are allowed"
        raise TooLarge(message, field="metadata")
    return metadata

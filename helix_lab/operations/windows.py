"""The window of time of a question: a length back from now, or from one moment to another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.operations.operation import Instant, Request
from helix_lab.queries import analytics as questions

Window = Literal["1h", "24h", "7d", "30d", "all"]


class Windowed(Request):
    """Which window of time."""

    window: Window = Field("24h", description="how far back from now, or from `until`")
    since: Instant | None = Field(None, description="from this moment on, in place of `window`")
    until: Instant | None = Field(None, description="before this moment; now unless given")


@dataclass(frozen=True, slots=True)
class Span:
    """What a window means at this moment.

    Attributes:
        name: the window as it was asked for, or both ends as ISO 8601 writes an interval.
        from_at: inclusive; None is the beginning.
        until_at: exclusive.
    """

    name: str
    from_at: datetime | None
    until_at: datetime


def read_span(request: Windowed) -> Span:
    """The ends of a window.

    Raises:
        InvalidRequest: it ends before it begins.
    """
    until_at = request.until or now()
    if request.since is None:
        from_at = questions.start_of_window(request.window, until_at)
    else:
        from_at = request.since
        if from_at >= until_at:
            message = (
                f"field 'since': {from_at.isoformat()} is not before {until_at.isoformat()}, "
                "the end of the window; give an earlier moment, or a later 'until'"
            )
            raise InvalidRequest(message, field="since")
    is_named = request.since is None and request.until is None
    return Span(request.window if is_named else _show(from_at, until_at), from_at, until_at)


def now() -> datetime:
    """The end of a window: what was recorded in this moment is inside."""
    return datetime.now(UTC) + timedelta(seconds=1)


def show_bucket(bucket: datetime, unit: str, zone: ZoneInfo) -> str:
    """A step of time as the clocks of its zone show it: a month, a day, or an hour."""
    if unit == "month":
        return f"{bucket:%Y-%m}"
    if unit == "day":
        return bucket.date().isoformat()
    return bucket.replace(tzinfo=zone).isoformat().replace("+00:00", "Z")


def _show(from_at: datetime | None, until_at: datetime) -> str:
    begin = ".." if from_at is None else _show_moment(from_at)
    return f"{begin}/{_show_moment(until_at)}"


def _show_moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

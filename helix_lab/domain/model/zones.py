"""Time zones by their names of the IANA database."""

from __future__ import annotations

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from helix_lab.domain.model.errors import InvalidRequest


def read_zone(name: str) -> ZoneInfo:
    """The time zone of this name.

    Raises:
        InvalidRequest: there is none.
    """
    if name not in _list_zones():
        message = (
            f"field 'timezone': there is no time zone {name!r}; give a name of the IANA database, "
            "such as Europe/Berlin or UTC"
        )
        raise InvalidRequest(message, field="timezone")
    return ZoneInfo(name)


@cache
def _list_zones() -> frozenset[str]:
    """Read from the disk once, which takes long; `localtime` is a zone of one machine."""
    return frozenset(available_timezones() - {"localtime"})

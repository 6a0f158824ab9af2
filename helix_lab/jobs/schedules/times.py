"""When a schedule is due: five cron fields, read on the clocks of one time zone.

The rules are those of Debian's cron, by cronsim. A time that clocks skip in spring is taken at the
first moment after the gap, one that they show twice in autumn is taken once; what runs at every
hour or minute runs by the time that passes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.domain.model.zones import read_zone

_FIELDS = 5
_ADVICE = (
    "give five fields: minute, hour, day of month, month, day of week (0 or 7 is Sunday), such as "
    '"0 7 * * 1" for Mondays at seven'
)


@dataclass(frozen=True, slots=True)
class Times:
    """The moments of a cron expression in a time zone."""

    cron: str
    zone: ZoneInfo

    def find_next(self, after: datetime) -> datetime:
        """The first moment after this one, in UTC."""
        found: datetime = next(CronSim(self.cron, after.astimezone(self.zone)))
        return found.astimezone(UTC)

    def find_latest(self, *, since: datetime, until: datetime) -> datetime | None:
        """The last moment in a span, both ends included; None if it holds none."""
        latest = None
        moment = self.find_next(since - timedelta(seconds=1))
        while moment <= until:
            latest, moment = moment, self.find_next(moment)
        return latest


def describe_cron(cron: str) -> str:
    """An expression that can be read in English words, such as "At 07:00 on Monday"."""
    return CronSim(cron, datetime.now(UTC)).explain()


def read_times(cron: str, timezone: str) -> Times:
    """The moments of an expression.

    Raises:
        InvalidRequest: no cron expression, one that is never due, or no time zone.
    """
    times = Times(" ".join(cron.split()), read_zone(timezone))
    if len(cron.split()) != _FIELDS:
        message = f"field 'cron': {cron!r} has {len(cron.split())} fields; {_ADVICE}"
        raise InvalidRequest(message, field="cron")
    try:
        times.find_next(datetime.now(UTC))
    except CronSimError as error:
        reason = str(error)
        message = f"field 'cron': {cron!r} cannot be read: {reason[:1].lower()}{reason[1:]}; "
        raise InvalidRequest(message + _ADVICE, field="cron") from None
    except StopIteration:
        message = f"field 'cron': {cron!r} is not due at any time; {_ADVICE}"
        raise InvalidRequest(message, field="cron") from None
    return times

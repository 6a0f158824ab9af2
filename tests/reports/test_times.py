"""When schedules are due: cron fields on the clocks of a zone, also where these are changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.jobs.schedules.times import describe_cron, read_times

SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
"""In Berlin the clocks go from 2 to 3 in the night after."""
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
"""In Berlin the clocks go from 3 back to 2 in the night after."""


def list_moments(cron: str, after: datetime, count: int, zone: str = "Europe/Berlin") -> list[str]:
    times = read_times(cron, zone)
    moments = []
    for _ in range(count):
        after = times.find_next(after)
        assert UTC is after.tzinfo
        moments.append(f"{after:%m-%dT%H:%M}")
    return moments


def test_a_day_of_the_week_is_counted_as_cron_does_and_zones_keep_their_clocks() -> None:
    # Mondays at seven: 6 UTC in winter, 5 UTC in summer.
    expected = ["03-23T06:00", "03-30T05:00"]

    assert expected == list_moments("0 7 * * 1", datetime(2026, 3, 22, tzinfo=UTC), 2)
    assert expected == list_moments("0 7 * * MON", datetime(2026, 3, 22, tzinfo=UTC), 2)


def test_sunday_is_0_and_7() -> None:
    expected = ["03-29T05:00", "04-05T05:00"]

    assert expected == list_moments("0 7 * * 0", SPRING, 2)
    assert expected == list_moments("0 7 * * 7", SPRING, 2)


def test_a_time_that_does_not_exist_is_taken_after_the_gap() -> None:
    assert ["03-29T01:00", "03-30T00:30"] == list_moments("30 2 * * *", SPRING, 2)


def test_a_time_that_exists_twice_is_taken_once() -> None:
    assert ["10-25T00:30", "10-26T01:30"] == list_moments("30 2 * * *", AUTUMN, 2)


@pytest.mark.parametrize("after", [SPRING, AUTUMN])
def test_every_hour_goes_by_the_time_that_passes(after: datetime) -> None:
    expected = [f"{after + timedelta(hours=hour):%m-%dT%H:%M}" for hour in range(1, 25)]

    assert expected == list_moments("0 * * * *", after, 24)


def test_the_latest_moment_of_a_span_includes_its_ends() -> None:
    times = read_times("0 * * * *", "UTC")
    hour = timedelta(hours=1)

    assert SPRING + hour == times.find_latest(since=SPRING, until=SPRING + hour)
    assert SPRING == times.find_latest(since=SPRING, until=SPRING + hour / 2)
    assert times.find_latest(since=SPRING + hour / 4, until=SPRING + hour / 2) is None


@pytest.mark.parametrize(
    ("cron", "said"),
    [
        ("", "has 0 fields"),
        ("every monday", "has 2 fields"),
        ("* * * *", "has 4 fields"),
        ("0 0 7 * * 1", "has 6 fields"),
        ("@daily", "has 1 fields"),
        ("61 * * * *", "bad minute"),
        ("0 25 * * *", "bad hour"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("0 0 * * FOO", "bad day-of-week"),
        ("0 0 * * 1;ls", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
    ],
)
def test_what_is_no_cron_expression_is_refused_with_the_field(cron: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match="minute, hour, day of month") as caught:
        read_times(cron, "UTC")

    assert said in caught.value.message
    assert "cron" == caught.value.details["field"]


@pytest.mark.parametrize(
    "zone", ["", "Europe", "Mars/Olympus", "../../etc/passwd", "europe/berlin"]
)
def test_a_zone_that_there_is_not_is_refused(zone: str) -> None:
    with pytest.raises(InvalidRequest, match="there is no time zone") as caught:
        read_times("0 7 * * 1", zone)

    assert "timezone" == caught.value.details["field"]


def test_an_expression_is_put_into_words() -> None:
    assert "At 07:00 on Monday" == describe_cron("0 7 * * 1")

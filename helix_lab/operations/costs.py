"""The operation that tells what providers cost."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from helix_lab.domain.model.zones import read_zone
from helix_lab.operations.operation import Name, Operation, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Windowed, read_span, show_bucket
from helix_lab.queries import analytics as questions

_UNITS = {"hourly": "hour", "daily": "day", "monthly": "month"}


class MeasureCosts(Windowed):
    """Which window of time, and in which steps."""

    granularity: Literal["hourly", "daily", "monthly"] = "daily"
    timezone: Name = Field("UTC", description="whose hours, days and months")


class CostRow(Response):
    """What a provider and model cost in one step of time."""

    date: str = Field(description="as clocks of the time zone show it")
    provider: str
    model: str
    requests: int
    total_tokens: int | None
    cost_usd: float | None = Field(description="of the requests whose price is known")
    unpriced_requests: int


class Costs(Response):
    """What requests cost, the oldest step first; steps without a request are left out."""

    window: str
    granularity: str
    timezone: str
    total_cost_usd: float = Field(description="of the requests whose price is known")
    unpriced_requests: int = Field(description="their cost is missing in every sum")
    costs: list[CostRow]


def measure_costs(services: Services, request: MeasureCosts) -> Costs:
    """What the requests of chats and debates cost."""
    span = read_span(request)
    zone = read_zone(request.timezone)
    unit = _UNITS[request.granularity]
    found = services.ask(
        "analytics",
        lambda: questions.measure_costs(
            services.analytics,
            from_at=span.from_at,
            until_at=span.until_at,
            granularity=unit,
            timezone=zone.key,
        ),
    )
    rows = [CostRow(date=show_bucket(row["bucket"], unit, zone), **row) for row in found]
    return Costs(
        window=span.name,
        granularity=request.granularity,
        timezone=zone.key,
        total_cost_usd=sum(row.cost_usd or 0.0 for row in rows),
        unpriced_requests=sum(row.unpriced_requests for row in rows),
        costs=rows,
    )


OPERATIONS = (
    Operation(
        name="get_costs",
        summary="Tell what providers cost",
        method="GET",
        path="/v1/analytics/costs",
        scope="read",
        request=MeasureCosts,
        response=Costs,
        run=measure_costs,
    ),
)

"""Operations on analytics of debates: how they end, how sure their seats are, what one took."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from helix_lab.domain.model.errors import UnknownDebate
from helix_lab.operations.operation import Id, Operation, Request, Response
from helix_lab.operations.services import Services
from helix_lab.operations.windows import Windowed, read_span
from helix_lab.queries import analytics as questions
from helix_lab.queries.conversations import find_debate


class OutcomeRow(Response):
    """How many debates ended like this."""

    outcome: str
    debates: int
    avg_rounds: float
    avg_duration_ms: float | None
    avg_confidence: float | None = Field(description="of the verdict")


class RoundsRow(Response):
    """How many debates took so many rounds."""

    total_rounds: int
    debates: int


class CalibrationRow(Response):
    """How often seats won that were so sure of their answers."""

    from_confidence: float = Field(description="of a step that is a tenth wide")
    seats: int
    wins: int
    avg_confidence: float
    win_rate: float = Field(description="wins / seats")


class DebateStatistics(Response):
    """The completed debates of a window of time."""

    window: str
    debates: int
    outcomes: list[OutcomeRow]
    rounds: list[RoundsRow]
    calibration: list[CalibrationRow] = Field(description="of seats in debates with a winner")
    calibration_error: float | None = Field(
        description="mean distance of win rate and confidence, weighed by seats; null without any"
    )


class GetDebateMetrics(Request):
    """Which debate."""

    debate_id: Id = Field(description="a debate that was started")


class SeatRow(Response):
    """What one seat took, over all of its answers."""

    seat: str
    position: str | None
    provider: str
    model: str
    turns: int
    failed_turns: int
    avg_response_time_ms: float | None
    total_tokens: int | None
    avg_confidence: float | None
    cost_usd: float | None


class DebateMetrics(Response):
    """What one debate took; sums hold answers, votes and judgments whose figures are known."""

    debate_id: str
    outcome: str | None = Field(description="null while it goes on")
    rounds: int
    participants: list[str] = Field(description="provider/model of each seat")
    winner: str | None = Field(description="provider/model")
    confidence: float | None = Field(description="of the verdict")
    turns: int
    failed_turns: int
    avg_response_time_ms: float | None
    max_response_time_ms: float | None
    total_tokens: int | None
    cost_usd: float | None
    unpriced_turns: int
    seats: list[SeatRow]


def measure_debates(services: Services, request: Windowed) -> DebateStatistics:
    """How debates end, how long they take, and whether the sure ones win."""
    span = read_span(request)

    def count(statement: str) -> list[dict[str, Any]]:
        return questions.count_debates(
            services.analytics, statement, from_at=span.from_at, until_at=span.until_at
        )

    names = ("debate_outcomes", "debate_rounds", "confidence_calibration")
    outcomes, rounds, steps = services.ask("analytics", lambda: [count(name) for name in names])
    calibration = [CalibrationRow(**step, win_rate=step["wins"] / step["seats"]) for step in steps]
    return DebateStatistics(
        window=span.name,
        debates=sum(row["debates"] for row in outcomes),
        outcomes=[OutcomeRow(**row) for row in outcomes],
        rounds=[RoundsRow(**row) for row in rounds],
        calibration=calibration,
        calibration_error=_measure_error(calibration),
    )


def measure_debate(services: Services, request: GetDebateMetrics) -> DebateMetrics:
    """What one debate took, in all and by seat."""
    debate_id = request.debate_id
    row, _turns = services.find(
        "conversations",
        lambda: find_debate(services.records, debate_id),
        otherwise=UnknownDebate(debate_id),
    )
    totals, seats = services.ask(
        "analytics",
        lambda: (
            questions.measure_debate(services.analytics, debate_id),
            questions.measure_seats(services.analytics, debate_id),
        ),
    )
    shown = [SeatRow(**seat) for seat in seats]
    result = row["result"] or {}
    winner = result.get("winner")
    return DebateMetrics(
        debate_id=debate_id,
        outcome=result.get("outcome"),
        participants=[f"{seat.provider}/{seat.model}" for seat in shown],
        winner=f"{winner['provider']}/{winner['model']}" if winner else None,
        confidence=result.get("confidence"),
        seats=shown,
        **totals,
    )


def _measure_error(steps: list[CalibrationRow]) -> float | None:
    """The expected calibration error (Naeini et al. 2015), over the steps of the confidence."""
    seats = sum(step.seats for step in steps)
    if not seats:
        return None
    return sum(step.seats * abs(step.win_rate - step.avg_confidence) for step in steps) / seats


OPERATIONS = (
    Operation(
        name="get_debate_statistics",
        summary="Tell how debates end, and whether the sure ones win",
        method="GET",
        path="/v1/analytics/debates",
        scope="read",
        request=Windowed,
        response=DebateStatistics,
        run=measure_debates,
    ),
    Operation(
        name="get_debate_metrics",
        summary="Tell what one debate took",
        method="GET",
        path="/v1/analytics/debate/{debate_id}",
        scope="read",
        request=GetDebateMetrics,
        response=DebateMetrics,
        run=measure_debate,
        errors=(UnknownDebate,),
    ),
)

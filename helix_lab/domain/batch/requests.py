"""Requests: what providers were asked, in chats and in debates, and how they did."""

from __future__ import annotations

from typing import Any, Final

from helix_lab.domain.batch.rows import (
    Columns,
    Row,
    from_millionths,
    list_rows,
    to_columns,
    to_millionths,
)

REQUEST_NAMES: Final = (
    "kind",
    "provider",
    "model",
    "debate_seat",
    "is_judged",
    "has_won",
    "is_error",
    "response_time",
    "confidence",
    "input_tokens",
    "output_tokens",
    "cost",
)
"""A request; `response_time` in nanoseconds, `confidence` and `cost` (USD) in millionths.

`debate_seat` names a seat of a debate, where the request is an answer in one; `is_judged` says
that the debate ended with a winner or a tie, `has_won` that this seat won."""

MESSAGE_COLUMNS: Final = (
    "provider",
    "model",
    "latency_ms",
    "input_tokens",
    "output_tokens",
    "cost_usd",
)
TURN_COLUMNS: Final = (
    *("debate_id", "role", "seat", "provider", "model", "outcome", "winner_seat"),
    *("error_code", "response_time_ms", "confidence", "input_tokens", "output_tokens"),
    "cost_usd",
)
_JUDGED: Final = frozenset({"decided", "tie"})


def read_messages(columns: Columns) -> dict[str, list[Any]]:
    """The replies of providers among rows of the dataset `conversations`."""
    rows = [
        (
            "chat",
            provider,
            model or "",
            None,
            False,
            False,
            False,
            to_millionths(latency_ms),
            None,
            read,
            written,
            to_millionths(cost),
        )
        for provider, model, latency_ms, read, written, cost in list_rows(columns, MESSAGE_COLUMNS)
        if provider is not None
    ]
    return to_columns(rows, REQUEST_NAMES)


def read_turns(columns: Columns) -> dict[str, list[Any]]:
    """The turns of the dataset `debates`."""
    rows = []
    for row in list_rows(columns, TURN_COLUMNS):
        debate_id, role, seat, provider, model, outcome, winner, error, *measures = row
        response_ms, confidence, read, written, cost = measures
        is_answer = role == "answer"
        rows.append(
            (
                "debate" if is_answer else role,
                provider,
                model,
                f"{debate_id}\n{seat}" if is_answer else None,
                is_answer and outcome in _JUDGED,
                is_answer and winner is not None and seat == winner,
                error is not None,
                to_millionths(response_ms),
                to_millionths(confidence),
                read,
                written,
                to_millionths(cost),
            )
        )
    return to_columns(rows, REQUEST_NAMES)


def rate_provider(row: Row) -> Row:
    """A provider's model with its derived figures; null where nothing is known."""
    timed, judged = row.pop("timed"), row["debates_judged"]
    return {
        **row,
        "error_rate": round(row["errors"] / row["requests"], 6),
        "avg_response_time_ms": from_millionths(row.pop("time_sum"), timed),
        "p50_response_time_ms": from_millionths(row.pop("time_p50"), 1),
        "p95_response_time_ms": from_millionths(row.pop("time_p95"), 1),
        "avg_confidence": from_millionths(row.pop("confidence_sum"), row.pop("rated")),
        "cost_usd": from_millionths(row.pop("cost_sum"), 1),
        "win_rate": round(row["wins"] / judged, 6) if judged else None,
    }

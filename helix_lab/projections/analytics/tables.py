"""The columns of the analytics tables, in the order in which rows give them."""

from __future__ import annotations

import pyarrow as pa

_MOMENT = pa.timestamp("us")
_MESSAGE = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("conversation_id", pa.string()),
        ("message_id", pa.string()),
        ("user_id", pa.string()),
        ("role", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("tokens", pa.int64()),
        ("characters", pa.int64()),
    ]
)
_TURN = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("debate_id", pa.string()),
        ("conversation_id", pa.string()),
        ("round", pa.int32()),
        ("role", pa.string()),
        ("seat", pa.string()),
        ("position", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("response_time_ms", pa.float64()),
        ("tokens_used", pa.int64()),
        ("confidence_score", pa.float64()),
        ("cost_usd", pa.float64()),
        ("error_count", pa.int32()),
    ]
)
_WINNER = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("debate_id", pa.string()),
        ("conversation_id", pa.string()),
        ("outcome", pa.string()),
        ("winner_provider", pa.string()),
        ("winner_model", pa.string()),
        ("winner_position", pa.string()),
        ("total_rounds", pa.int32()),
        ("final_confidence", pa.float64()),
        ("debate_duration_ms", pa.float64()),
    ]
)
_COMPRESSION = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("compression_id", pa.string()),
        ("conversation_id", pa.string()),
        ("purpose", pa.string()),
        ("strategy", pa.string()),
        ("original_messages", pa.int64()),
        ("original_tokens", pa.int64()),
        ("compressed_tokens", pa.int64()),
        ("max_tokens", pa.int64()),
        ("requested_ratio", pa.float64()),
        ("ratio", pa.float64()),
        ("quality_score", pa.float64()),
        ("meets_minimum", pa.bool_()),
        ("preserved_entities", pa.int64()),
        ("duration_ms", pa.float64()),
        ("llm_provider", pa.string()),
        ("llm_model", pa.string()),
    ]
)
_CHAT = pa.schema(
    [
        ("timestamp", _MOMENT),
        ("conversation_id", pa.string()),
        ("message_id", pa.string()),
        ("provider", pa.string()),
        ("model", pa.string()),
        ("response_time_ms", pa.float64()),
        ("ttft_ms", pa.float64()),
        ("input_tokens", pa.int64()),
        ("output_tokens", pa.int64()),
        ("cost_usd", pa.float64()),
        ("error_code", pa.string()),
    ]
)
SCHEMAS = {
    "message_metrics": _MESSAGE,
    "chat_metrics": _CHAT,
    "debate_metrics": _TURN,
    "debate_winners": _WINNER,
    "compression_metrics": _COMPRESSION,
}

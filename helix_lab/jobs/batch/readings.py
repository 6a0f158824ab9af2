"""What is read out of the lake's files: stages by the datasets that they are made for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from helix_lab.domain.batch import debates, requests
from helix_lab.domain.lake.schema import CONVERSATIONS, DEBATES
from helix_lab.ports.batch import Stage

if TYPE_CHECKING:
    import pyarrow as pa

Kind = Literal["text", "texts", "whole", "real", "truth", "moment", "reals"]
"""Of a column; `moment` comes out of a statement as text in RFC 3339."""

Columns = Mapping[str, Kind]


def make_schema(columns: Columns) -> pa.Schema:
    """The columns as Arrow has them."""
    import pyarrow as pa

    types: dict[Kind, Any] = {
        "text": pa.string(),
        "texts": pa.list_(pa.string()),
        "reals": pa.list_(pa.float64()),
        "whole": pa.int64(),
        "real": pa.float64(),
        "truth": pa.bool_(),
        "moment": pa.timestamp("us", "UTC"),
    }
    return pa.schema([(name, types[kind]) for name, kind in columns.items()])


@dataclass(frozen=True, slots=True)
class Reading:
    """A stage, by the datasets that it is made for.

    Attributes:
        functions: dataset → function, and the columns that it needs.
        columns: of what it gives.
    """

    name: str
    functions: Mapping[str, tuple[str, tuple[str, ...]]]
    columns: Columns
    is_whole: bool = False

    def stage(self, dataset: str) -> Stage:
        """The stage for files of a dataset."""
        function, needed = self.functions[dataset]
        return Stage(function, needed, make_schema(self.columns), self.is_whole)


MENTIONS: Final = Reading(
    "mentions",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.mentions:read_messages",
            ("conversation_id", "position", "content", "created_at", "event"),
        ),
        DEBATES.name: (
            "helix_lab.domain.batch.mentions:read_turns",
            ("conversation_id", "turn", "role", "response", "created_at", "event"),
        ),
    },
    {
        "conversation_id": "text",
        "message_id": "text",
        "position": "whole",
        "time": "text",
        "place": "whole",
        "entity_id": "text",
        "name": "text",
        "type": "text",
        "aliases": "texts",
        "mentions": "whole",
        "confidence": "real",
        "confidence_parts": "whole",
    },
)
TERMS: Final = Reading(
    "terms",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.terms:read_messages",
            ("conversation_id", "position", "content"),
        ),
        DEBATES.name: (
            "helix_lab.domain.batch.terms:read_turns",
            ("conversation_id", "turn", "role", "response"),
        ),
    },
    {"conversation_id": "text", "position": "whole", "term": "text", "mentions": "whole"},
)
REQUESTS: Final = Reading(
    "requests",
    {
        CONVERSATIONS.name: (
            "helix_lab.domain.batch.requests:read_messages",
            requests.MESSAGE_COLUMNS,
        ),
        DEBATES.name: ("helix_lab.domain.batch.requests:read_turns", requests.TURN_COLUMNS),
    },
    {
        "kind": "text",
        "provider": "text",
        "model": "text",
        "debate_seat": "text",
        "is_judged": "truth",
        "has_won": "truth",
        "is_error": "truth",
        "response_time": "whole",
        "confidence": "whole",
        "input_tokens": "whole",
        "output_tokens": "whole",
        "cost": "whole",
    },
)
DEBATE: Final[Columns] = {
    "debate_id": "text",
    "topic": "text",
    "protocol": "text",
    "outcome": "text",
    "seats": "whole",
    "rounds": "whole",
    "turns": "whole",
    "failed_turns": "whole",
    "terms_first": "real",
    "terms_last": "real",
    "agreement_first": "real",
    "agreement_last": "real",
    "persistence": "real",
    "confidence_first": "real",
    "confidence_last": "real",
    "winner_position": "text",
    "winner_provider": "text",
    "winner_model": "text",
    "winner_confidence": "real",
    "has_first_won": "truth",
    "has_longest_won": "truth",
}
DEBATES_READ: Final = Reading(
    "debates",
    {DEBATES.name: ("helix_lab.domain.batch.debates:read_debates", debates.TURN_COLUMNS)},
    DEBATE,
    is_whole=True,
)

"""Labs on real engines, what is in their stores, and waiting with a deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import sqlalchemy as sa

from helix_lab.lab import Lab, open_lab
from helix_lab.records.tables import (
    CHECKPOINT,
    CONVERSATION,
    DEAD_LETTER,
    DEBATE,
    DEBATE_TURN,
    PROPOSAL,
    PROPOSAL_DECISION,
)
from helix_lab.settings import LakeSettings, ProviderSettings, Settings

PATIENCE_S = 30.0
"""How long a test waits for what should come soon; only a failing test waits that long."""

TABLES = (CONVERSATION, DEBATE, DEBATE_TURN, PROPOSAL, PROPOSAL_DECISION, CHECKPOINT)
METRICS = {
    "message_metrics": "conversation_id, message_id",
    "chat_metrics": "conversation_id, message_id",
    "debate_metrics": "debate_id, round, role, seat",
    "debate_winners": "debate_id",
    "compression_metrics": "compression_id",
}


def open_at(
    folder: Path,
    *providers: ProviderSettings,
    records_url: str | None = None,
    log_url: str | None = None,
    workers: tuple[str, ...] = (),
    lake: LakeSettings | None = None,
) -> Lab:
    """The lab of a folder, whatever the environment says."""
    settings = Settings(
        folder,
        "test-node",
        port=0,
        providers=providers,
        records_url=records_url,
        log_url=log_url,
        workers=workers,
        lake=lake,
    )
    return open_lab(settings=settings)


def wait_until(condition: Callable[[], object], *, timeout_s: float = PATIENCE_S) -> None:
    """Return when the condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            message = f"nothing happened within {timeout_s} s"
            raise TimeoutError(message)
        time.sleep(0.005)


def catch_up(lab: Lab) -> None:
    """Return when every projection is level with the log."""
    assert lab.services.projections.catch_up(timeout_s=PATIENCE_S)


def rebuild(lab: Lab, store: str) -> None:
    """Rebuild a store and wait for the end."""
    run = lab.rebuild_store(store)
    assert "succeeded" == lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S).state


def dump_stores(lab: Lab) -> dict[str, list[dict[str, Any]]]:
    """Everything that the projections made, in an order of its own."""
    catch_up(lab)
    found: dict[str, list[dict[str, Any]]] = {}
    with lab.services.records.read() as connection:
        for table in TABLES:
            query = sa.select(table).order_by(*table.primary_key)
            found[table.name] = [dict(row) for row in connection.execute(query).mappings()]
    for name, order in METRICS.items():
        query_text = f"SELECT * FROM {name} ORDER BY {order}"
        rows = cast("pa.Table", lab.services.analytics.ask(query_text, {})).to_pylist()
        found[name] = rows
    return found


def read_dead_letters(lab: Lab) -> list[dict[str, Any]]:
    """The events that projections refused."""
    query = sa.select(DEAD_LETTER).order_by(DEAD_LETTER.c.projection, DEAD_LETTER.c.offset)
    with lab.services.records.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def say(content: str, role: str = "user", **fields: Any) -> dict[str, Any]:
    """A message as a request has it."""
    return {"role": role, "content": content, **fields}


def contents(lab: Lab, conversation_id: str) -> list[str]:
    """What a conversation says now."""
    return [message.content for message in lab.replay(conversation_id).messages]

"""Compression keeps within its budget and says where each line came from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from helix_lab.domain.context.compression import STRATEGIES, Strategy, analyse, compress
from helix_lab.domain.context.history import Message

TIME = datetime(2026, 1, 2, tzinfo=UTC)
TALK = [
    Message(f"m{n}", TIME, {"role": "user", "content": f"Fact {n}: the box has {n * 7} screws."})
    for n in range(40)
]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_digest_keeps_its_budget_and_cites_messages(strategy: Strategy) -> None:
    made = compress(analyse(TALK), budget_tokens=200, strategy=strategy)

    assert made.stats.compressed_tokens <= 200
    ids = {message.message_id for message in TALK}
    assert made.summary
    assert all(line.message_ids and ids.issuperset(line.message_ids) for line in made.summary)

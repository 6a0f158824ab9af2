"""The labels of everyday chat are places and types alone: nothing of the texts is kept."""

from __future__ import annotations

import json
import re
from itertools import pairwise

from bench.evaluations.chat_entities import LABELS
from helix_lab.domain.knowledge.mention import GRAPH_TYPES


def test_labels_are_places_and_types_in_order() -> None:
    messages = json.loads(LABELS.read_text(encoding="utf-8"))["messages"]

    assert 300 == len(messages)
    assert 182 == sum(map(len, messages.values()))
    for message_id, labels in messages.items():
        assert re.fullmatch(r"(?:locomo/[2-4]/D\d+:\d+)|(?:beam/\d+/\d+)", message_id)
        assert all(0 <= start < end for start, end, _ in labels)
        assert {kind for _, _, kind in labels} <= set(GRAPH_TYPES)
        assert all(left[1] <= right[0] for left, right in pairwise(labels))

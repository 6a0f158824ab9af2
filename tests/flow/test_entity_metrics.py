"""How many entities are found in what is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.lab import open_lab
from tests.flow.labs import catch_up
from tests.flow.test_graph import say


def test_entities_are_counted_by_day_and_over_all_messages(tmp_path: Path) -> None:
    with open_lab(tmp_path / "data") as lab:
        nothing = lab.get_entity_metrics()
        for conversation_id in ("c1", "c2"):
            lab.start_conversation(conversation_id=conversation_id)
        say(lab, "c1", "We run Docker and Kubernetes; Docker is enough.")
        say(lab, "c1", "yes, so it is")
        say(lab, "c2", "Docker again")
        catch_up(lab)
        found = lab.get_entity_metrics(window="1h")
        later = lab.get_entity_metrics(since="2999-01-01T00:00:00Z", until="2999-02-01T00:00:00Z")

    assert (0, None, 0, 0, None, []) == (
        nothing.messages,
        nothing.extraction_rate,
        nothing.total_extractions,
        nothing.unique_entities,
        nothing.avg_entities_per_msg,
        nothing.daily_stats,
    )
    assert (3, 2, 2) == (found.messages, found.messages_with_entities, found.unique_entities)
    assert found.total_extractions >= 3
    assert 2 / 3 == pytest.approx(found.extraction_rate)
    assert found.total_extractions / 3 == pytest.approx(found.avg_entities_per_msg)
    assert found.total_extractions == sum(day.total_extractions for day in found.daily_stats)
    assert [] == later.daily_stats


def test_a_window_that_is_none_is_refused(tmp_path: Path) -> None:
    with open_lab(tmp_path / "data") as lab:
        for window in ("yesterday", "-1h", "999999d"):
            with pytest.raises(InvalidRequest, match="window"):
                lab.get_entity_metrics(window=window)

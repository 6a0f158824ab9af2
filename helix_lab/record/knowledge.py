"""Drafts of the events about entities: that two of them are one, and that they are not."""

from __future__ import annotations

from helix_lab.domain.model.event import ENTITIES_MERGED, ENTITIES_SPLIT, Draft, make_event_id

KEY = "entities"
"""All go to one partition, so that they stay in order."""


def merge_entities(merge_id: str, source: str, target: str) -> Draft:
    """Two entities are one, and show as the target."""
    data = {"merge_id": merge_id, "source": source, "target": target}
    event_id = make_event_id("entities.merge", merge_id)
    return Draft(event_id, ENTITIES_MERGED, KEY, merge_id, data)


def split_entities(merge_id: str) -> Draft:
    """A merge does not count any more."""
    event_id = make_event_id("entities.split", merge_id)
    return Draft(event_id, ENTITIES_SPLIT, KEY, merge_id, {"merge_id": merge_id})

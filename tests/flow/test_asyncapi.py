"""The AsyncAPI document describes what is published, all of it and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from helix_lab import Lab, open_lab
from helix_lab.adapters.log_sqlite import SqliteEventLog
from helix_lab.domain.learning.insights import Thresholds
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.model.errors import ProviderError
from helix_lab.domain.model.event import EVENT_TYPES, MEMORY_CONFLICTS, TOPICS, Entry
from helix_lab.jobs.learner import Learner
from helix_lab.operations.span_intake import take_in_spans
from helix_lab.record.asyncapi import dump_asyncapi, to_cloud_event
from helix_lab.record.memories import update_memory
from helix_lab.record.nodes import join
from helix_lab.record.writer import Writer
from helix_lab.settings import ProviderSettings, Settings
from tests.flow.labs import wait_until

DOCUMENT = Path(__file__).parents[2] / "docs" / "asyncapi.yaml"
SAMPLES = Path(__file__).parents[1] / "samples"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Entry]]:
    """All that is recorded when every kind of fact happens once."""
    folder = tmp_path_factory.mktemp("asyncapi")
    # Recorded turns without a vote: one seat is answered, the other turns fail.
    tape = folder / "turns.jsonl"
    tape.write_text(json.dumps({"key": "1/answer/researcher", "text": "Yes."}), encoding="utf-8")
    settings = Settings(
        data_dir=folder / "lab",
        node_id="node-1",
        providers=(ProviderSettings("tape", tape.as_uri(), "recorded"),),
    )
    settings = replace(settings, memory_log=str(folder / "shared.sqlite"))
    with open_lab(settings=settings) as lab, SqliteEventLog(folder / "shared.sqlite") as shared:
        play_every_kind(lab)
        play_every_node(lab, shared)
        yield [
            entry
            for topic in TOPICS
            for log in (lab.services.log, shared)
            for entry in log.read(topic, 0, start_offset=0, limit=100_000)
        ]


def play_every_node(lab: Lab, shared: SqliteEventLog) -> None:
    lab.create_memory("Cache reads", memory_id="both")
    other = Writer(shared, node_id="node-2")
    update = Update("both", Kind.CREATE, 1, 1, {"content": "Cache writes"})
    other.record(
        [
            join("node-2", instance="i"),
            update_memory(update, node_id="node-2", seq=1, seen={}),
        ]
    )
    lab.force_sync()
    (conflict,) = lab.list_memory_conflicts().conflicts
    lab.resolve_memory_conflict(conflict.conflict_id, "choose", node_id="node-2")
    assert lab.services.exchange.write_snapshot()
    wait_until(lambda: 2 == len(shared.read(MEMORY_CONFLICTS, 0, start_offset=0, limit=9)))
    lab.remove_sync_peer("node-2")


def play_learning(lab: Lab) -> None:
    """Insights come when a pattern is confirmed and go when it is muted; idle talks end."""
    lab.start_conversation(conversation_id="asked", user_id="v")
    lab.append_messages("asked", [{"role": "user", "content": "How do I begin?"}])
    services = lab.services
    later = Learner(
        services.records,
        services.writer,
        services.projections,
        thresholds=Thresholds(min_frequency=1, min_confidence=0.5, insight_threshold=0.5),
        idle_s=1800.0,
        clock=lambda: datetime.now(UTC) + timedelta(hours=1),
    )
    assert later.look()
    pattern = lab.list_top_patterns(min_frequency=1).patterns[0]
    lab.review_pattern(pattern.pattern_id, "mute")
    later.look()


def play_every_kind(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c", title="All kinds", user_id="u")
    lab.append_messages("c", [{"role": "user", "content": "Should we cache?", "name": "Ann"}])
    lab.complete_conversation("c", outcome="successful", reason="answered")
    debate = lab.start_debate("Should we cache?", conversation_id="c", wait_s=30)
    assert "succeeded" == debate.status
    lab.create_memory("Caching helps reads", memory_id="m", user_id="u", tags=["cache"])
    lab.update_memory("m", importance=0.9, metadata={"source": "debate"}, tags_removed=["cache"])
    lab.delete_memory("m")
    lab.create_memory("Caching helps reads", memory_id="m", expires_at="2999-01-01T00:00:00Z")
    lab.delete_memory("m", erase=True)
    lab.append_messages("c", [{"role": "user", "content": "I live in Oslo. I prefer tea."}])
    first, second = lab.list_memory_proposals().proposals
    lab.accept_memory_proposal(first.proposal_id)
    lab.decline_memory_proposal(second.proposal_id)
    lab.append_messages("c", [{"role": "user", "content": "Docker and Kubernetes"}])
    assert lab.services.projections.catch_up(timeout_s=60)
    merged = lab.merge_entities("Docker", "Kubernetes")
    lab.split_entities(merge_id=merged.merge_id)
    play_learning(lab)
    assert lab.replay("c", compression_ratio=1.0).stats.compressed
    with pytest.raises(ProviderError):  # the tape has no turn of this name
        lab.chat("c", "And why?", provider="tape")
    span = {"traceId": "a" * 32, "spanId": "b" * 16, "startTimeUnixNano": 1, "endTimeUnixNano": 2}
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    assert 1 == take_in_spans(lab.services, json.dumps(spans).encode(), form="json").accepted
    for sample in sorted(SAMPLES.iterdir()):
        run = lab.start_import(str(sample), wait_s=30)
        assert run.state in {"succeeded", "failed"}


def test_the_document_is_the_one_that_the_code_makes() -> None:
    hint = "run `python -m helix_lab.record.asyncapi > docs/asyncapi.yaml`"

    assert dump_asyncapi() == DOCUMENT.read_text(encoding="utf-8"), hint


def test_every_topic_and_every_event_type_is_described_once(document: dict[str, Any]) -> None:
    described = {
        channel["address"]: set(channel["messages"]) for channel in document["channels"].values()
    }
    registered = {
        topic: {name for name, kind in EVENT_TYPES.items() if kind.topic == topic}
        for topic in TOPICS
    }

    assert registered == described
    assert set(EVENT_TYPES) == set(document["components"]["messages"])


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in find_references(document):
        found: Any = document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]

        assert found


def test_every_kind_of_event_is_published(published: list[Entry]) -> None:
    assert set(EVENT_TYPES) == {entry.event.type for entry in published}


def test_every_published_event_fits_the_document(
    document: dict[str, Any], published: list[Entry]
) -> None:
    channels = {channel["address"]: channel for channel in document["channels"].values()}

    for entry in published:
        message = document["components"]["messages"][entry.event.type]
        headers, payload = to_cloud_event(entry)

        assert entry.event.type in channels[entry.topic]["messages"]
        jsonschema.validate(headers, message["headers"], jsonschema.Draft7Validator)
        jsonschema.validate(payload, message["payload"]["schema"], jsonschema.Draft7Validator)


def test_the_document_refuses_an_event_that_is_not_as_described(
    document: dict[str, Any], published: list[Entry]
) -> None:
    message = next(e for e in published if e.event.type == "helixagent.message.added")
    schema = document["components"]["messages"]["helixagent.message.added"]["payload"]["schema"]

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**message.event.data, "role": "robot"}, schema)


def find_references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from find_references(item)
    elif isinstance(value, list):
        for item in value:
            yield from find_references(item)

"""The operations of the knowledge graph, as they are used."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    Conflict,
    InvalidRequest,
    QueryRefused,
    QueryTimedOut,
    TooLarge,
    UnknownEntity,
)
from helix_lab.lab import Lab, open_lab
from tests.flow.test_graph import TALK, say, start


@pytest.fixture(scope="module")
def talked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a talk that no test of this file changes."""
    with open_lab(tmp_path_factory.mktemp("talked")) as lab:
        start(lab)
        yield lab


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(tmp_path / "data") as lab:
        start(lab)
        yield lab


def names(related: Any) -> list[str]:
    return [item.name for item in related.related]


def test_the_debate_of_the_guide_relates_docker_and_kubernetes(tmp_path: Path) -> None:
    with open_lab(tmp_path) as lab:
        lab.start_debate("Tell me about Docker and Kubernetes", wait_s=30)

        answer = lab.get_related("Docker")

        assert "Docker" == answer.entity
        (kubernetes,) = [item for item in answer.related if item.name == "Kubernetes"]
        assert ("technology", True) == (kubernetes.type, kubernetes.strength >= 0.5)
        assert kubernetes.cooccurrence_count >= 1


def test_related_entities_come_by_strength_once_each(talked: Lab) -> None:
    answer = talked.get_related("docker")

    assert len(set(names(answer))) == len(answer.related)
    strengths = [item.strength for item in answer.related]
    assert sorted(strengths, reverse=True) == strengths
    (kafka,) = [item for item in answer.related if item.name == "MongoDB"]
    assert ("USES", True, 1, 1) == (
        kafka.relationship_type,
        kafka.is_source,
        kafka.support,
        kafka.cooccurrence_count,
    )
    assert 1 == len(talked.get_related("Docker", limit=1).related)
    assert [] == talked.get_related("Docker", min_strength=0.99).related
    assert [] == talked.get_related("Docker", as_of="2020-01-01T00:00:00Z").related


def test_an_unknown_entity_is_told_with_the_nearest_names(talked: Lab) -> None:
    with pytest.raises(UnknownEntity, match="did you mean 'Docker'") as caught:
        talked.get_related("Dokcer")

    assert "Docker" in caught.value.details["nearest"]
    with pytest.raises(UnknownEntity):
        talked.get_related("Docker", type="person")


@pytest.mark.parametrize(
    "name", ["`tick` \"quote\" {brace} 'x' $y", "😀", "x" * 500, "' OR 1=1 //"]
)
def test_odd_names_are_unknown_and_no_more(talked: Lab, name: str) -> None:
    with pytest.raises(UnknownEntity):
        talked.get_related(name)
    assert [] == talked.search_entities(query=name).entities


def test_a_name_of_ten_thousand_characters_is_refused(talked: Lab) -> None:
    with pytest.raises(InvalidRequest, match="at most 500"):
        talked.get_related("x" * 10_000)


def test_a_path_has_entities_and_relationships_in_turn(talked: Lab) -> None:
    answer = talked.find_path("Rust", "Python")

    told = answer.model_dump()
    assert ("Rust", "Python") == (told["from"], told["to"])
    assert "Rust" == answer.path[0]["entity"]
    assert "Python" == answer.path[-1]["entity"]
    assert 2 * answer.path_length + 1 == len(answer.path)
    assert all("relationship" in step for step in answer.path[1::2])
    assert 0 < answer.total_strength <= 1


def test_a_path_that_is_too_long_or_has_no_steps_is_told(talked: Lab) -> None:
    none = talked.find_path("Rust", "PyTorch", max_depth=1)
    still = talked.find_path("Rust", "Rust")

    assert ([], None, None) == (none.path, none.path_length, none.total_strength)
    assert (1, 0) == (len(still.path), still.path_length)


def test_search_takes_beginnings_first_and_then_what_is_like_it(talked: Lab) -> None:
    found = talked.search_entities(query="redsi").entities
    begun = talked.search_entities(query="P").entities

    assert [("Redis", "fuzzy")] == [(item.name, item.match) for item in found]
    assert {"Python", "PyTorch"} == {item.name for item in begun if item.match == "prefix"}
    assert [] == talked.search_entities(query="redsi", fuzzy=False).entities
    assert [] == talked.search_entities(query="P", type="person").entities
    assert 2 == len(talked.search_entities(limit=2).entities)


def test_an_entity_is_shown_with_its_evidence(talked: Lab) -> None:
    entity = talked.get_entity("docker")

    assert ("Docker", ["Docker"], 3, 2) == (
        entity.name,
        entity.aliases,
        entity.mention_count,
        entity.message_count,
    )
    assert ["Boxes"] == [item.title for item in entity.conversations]
    assert [1, 2] == sorted(message.count for message in entity.messages)
    both = talked.get_evidence("Docker", "Redis")
    assert 1 == len(both.messages)


def test_merged_entities_answer_to_all_names_until_they_are_split(lab: Lab) -> None:
    before = lab.get_entity("Redis").model_dump()

    merged = lab.merge_entities("Redis", "MongoDB")
    as_one = lab.get_entity("redis")

    assert ("MongoDB", 2) == (merged.name, len(merged.members))
    assert ("MongoDB", ["MongoDB", "Redis"]) == (as_one.name, as_one.aliases)
    assert as_one.entity_id == lab.get_entity(before["entity_id"]).entity_id
    with pytest.raises(Conflict, match="one entity already"):
        lab.merge_entities("MongoDB", "Redis")

    assert merged.merge_id == lab.split_entities(entity_id="MongoDB").merge_id
    assert before == lab.get_entity("Redis").model_dump()
    with pytest.raises(Conflict, match="is not merged"):
        lab.split_entities(merge_id=merged.merge_id)


def test_a_split_needs_one_of_its_fields(talked: Lab) -> None:
    with pytest.raises(InvalidRequest, match="either"):
        talked.split_entities()


def test_cypher_gives_rows_by_column(talked: Lab) -> None:
    answer = talked.query_graph(
        "// related\nMATCH (e1:Entity {name: $name})-[:RELATED_TO]-(e2:Entity)\n"
        "RETURN DISTINCT e2.name, e2.type ORDER BY e2.name LIMIT 10;",
        parameters={"name": "Docker"},
    )

    assert ["e2.name", "e2.type"] == answer.columns
    assert {"e2.name": "MongoDB", "e2.type": "technology"} == answer.rows[0]
    assert (len(answer.rows), False) == (answer.row_count, answer.truncated)


def test_cypher_that_writes_or_does_not_end_is_told(talked: Lab) -> None:
    with pytest.raises(QueryRefused):
        talked.query_graph("MATCH (n) DETACH DELETE n")
    with pytest.raises(QueryTimedOut):
        talked.query_graph(
            "MATCH (a:Entity)-[:RELATED_TO*1..30]-(b) RETURN count(*)", timeout_s=0.2
        )


def test_the_catalog_and_the_stats_tell_what_there_is(talked: Lab) -> None:
    assert "name" in talked.describe_graph().nodes["Entity"]
    stats = talked.get_graph_stats()
    assert ("ladybug", len(TALK), "") == (stats.backend, stats.messages, stats.notice)
    assert stats.entities >= 7


def test_the_graph_is_exported_whole(talked: Lab) -> None:
    document = talked.export_graph()
    graphml = talked.export_graph(format="graphml").document

    stats = talked.get_graph_stats()
    kinds = [edge["label"] for edge in document.edges]
    assert stats.related_to == kinds.count("RELATED_TO")
    ids = {node["id"] for node in document.nodes}
    assert {edge["source"] for edge in document.edges} <= ids
    root = ET.fromstring(graphml)
    space = {"g": "http://graphml.graphdrawing.org/xmlns"}
    assert len(document.nodes) == len(root.findall(".//g:node", space))
    assert len(document.edges) == len(root.findall(".//g:edge", space))
    with pytest.raises(TooLarge, match="max_entities"):
        talked.export_graph(max_entities=1)


def test_a_store_that_is_behind_is_waited_for(lab: Lab) -> None:
    say(lab, "c1", "TypeScript and Go.")

    assert "TypeScript" == lab.get_entity("TypeScript").name


def test_what_was_talked_about_is_told_by_window(tmp_path: Path) -> None:
    with open_lab(tmp_path) as lab:
        lab.start_conversation(conversation_id="c")
        old = {"role": "user", "content": "Redis.", "created_at": "2020-05-01T10:00:00Z"}
        new = {"role": "user", "content": "Docker and Docker and Kubernetes"}
        lab.append_messages("c", [old, new])

        week = lab.get_knowledge_activity(window="7d")
        ever = lab.get_knowledge_activity(window="all")
        then = lab.get_knowledge_activity(
            since="2020-05-01T00:00:00Z", until="2020-05-02T00:00:00Z"
        )

        assert [("Docker", 2, 1), ("Kubernetes", 1, 1)] == [
            (row.name, row.mentions, row.messages) for row in week.entities
        ]
        assert {"Docker", "Kubernetes", "Redis"} == {row.name for row in ever.entities}
        assert [("2020-05-01", 1)] == [(day.date, day.new_entities) for day in then.growth]
        assert (2, 3, 3) == (week.new_entities, ever.new_entities, week.total_entities)

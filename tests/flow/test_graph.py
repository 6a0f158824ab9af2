"""The graph follows the log: live as rebuilt, merged and split again, whole after a crash."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.knowledge.identity import identify
from helix_lab.domain.model.errors import Unavailable
from helix_lab.lab import Lab, open_lab
from helix_lab.record import knowledge
from helix_lab.settings import read_settings
from tests.flow.labs import PATIENCE_S
from tests.tiers import Running

EXPORTS = (
    *("export_entities", "export_relations", "export_co_occurrences"),
    *("export_mentioned_in", "export_conversations", "export_users"),
)
TALK = [
    "Docker uses MongoDB. Redis is fun with Docker.",
    "MongoDB, Redis and Python in one sentence.",
    "PyTorch is not Redis. GraphQL uses Python.",
    "Rust uses Docker",
]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(tmp_path / "data") as lab:
        yield lab


def say(lab: Lab, conversation_id: str, *texts: str) -> None:
    messages = [{"role": "user", "content": text} for text in texts]
    lab.append_messages(conversation_id, messages)


def start(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c1", user_id="ann", title="Boxes")
    say(lab, "c1", *TALK)


def read_all(lab: Lab) -> dict[str, Any]:
    assert lab.services.projections.catch_up("graph", timeout_s=20)
    return {name: lab.services.graph.ask(name) for name in EXPORTS}


def id_of(name: str) -> str:
    return identify(name, "technology").entity_id


def test_messages_become_entities_and_edges(lab: Lab) -> None:
    start(lab)

    graph = read_all(lab)

    names = {row["id"]: row["name"] for row in graph["export_entities"]}
    assert {"Docker", "MongoDB", "Redis", "Python"} <= set(names.values())
    edges = {(names[r["source"]], r["type"], names[r["target"]]) for r in graph["export_relations"]}
    assert ("Docker", "uses", "MongoDB") in edges
    assert [("c1", "Boxes")] == [(r["id"], r["title"]) for r in graph["export_conversations"]]
    assert [{"id": "ann", "conversation_id": "c1"}] == graph["export_users"]


def test_a_rebuilt_graph_equals_the_live_one(lab: Lab) -> None:
    start(lab)
    read_all(lab)
    for number in range(5):
        say(lab, "c1", f"Docker and MongoDB, again. {number}", TALK[number % 4])
        read_all(lab)  # one batch each
    merge(lab, "m1", "Redis", "MongoDB")
    live = read_all(lab)

    lab.services.projections.rebuild("graph")

    assert live == read_all(lab)


def merge(lab: Lab, merge_id: str, source: str, target: str) -> None:
    lab.services.writer.record([knowledge.merge_entities(merge_id, id_of(source), id_of(target))])


def split(lab: Lab, merge_id: str) -> None:
    lab.services.writer.record([knowledge.split_entities(merge_id)])


def test_merged_entities_show_as_one_with_all_edges(lab: Lab) -> None:
    start(lab)
    merge(lab, "m1", "Redis", "MongoDB")

    graph = read_all(lab)

    (kafka,) = [row for row in graph["export_entities"] if row["name"] == "MongoDB"]
    assert ["MongoDB", "Redis"] == kafka["aliases"]
    assert id_of("Redis") not in {row["id"] for row in graph["export_entities"]}
    assert 5 == kafka["mention_count"]
    assert not any(row["source"] == row["target"] for row in graph["export_relations"])


def test_random_merges_and_splits_restore_the_exact_graph(lab: Lab) -> None:
    start(lab)
    untouched = read_all(lab)
    draw = random.Random(3)
    names = ["Docker", "MongoDB", "Redis", "Python", "Rust"]
    active: list[str] = []

    for step in range(12):
        merge(lab, f"m{step}", *draw.sample(names, 2))
        active.append(f"m{step}")
        if draw.random() < 0.5:
            split(lab, active.pop(draw.randrange(len(active))))
        if step == 6:
            say(lab, "c1", "Python uses Redis, and Docker.")
            read_all(lab)
    assert read_all(lab) != untouched
    for merge_id in draw.sample(active, len(active)):
        split(lab, merge_id)
    restored = read_all(lab)
    lab.services.projections.rebuild("graph")

    assert restored == read_all(lab)
    assert len(untouched["export_entities"]) == len(restored["export_entities"])


def test_a_split_that_comes_before_its_merge_counts(lab: Lab) -> None:
    start(lab)
    untouched = read_all(lab)

    split(lab, "m1")
    merge(lab, "m1", "Redis", "MongoDB")

    assert untouched == read_all(lab)


def test_the_same_event_delivered_twice_changes_nothing(lab: Lab) -> None:
    start(lab)
    live = read_all(lab)
    projection = lab.services.projections._followers["graph"]._projection
    entries = lab.services.log.read("helixagent.conversations", 0, start_offset=0, limit=100)

    rows = [projection.project(entry) for entry in entries]
    projection.write([row for row in rows if row is not None], projection.read_checkpoint())

    assert live == read_all(lab)


def test_a_message_with_very_many_entities_is_taken(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c1")
    say(lab, "c1", " ".join(f"`call_{number}()`" for number in range(3000)) + " Docker")

    assert "Docker" in {row["name"] for row in read_all(lab)["export_entities"]}


@pytest.mark.services("neo4j")
def test_a_lab_on_neo4j_has_the_graph_of_an_embedded_one(
    running_services: Running, tmp_path: Path
) -> None:
    server = running_services("neo4j")
    remote = read_settings(data_dir=tmp_path / "server", environment=dict(server))
    local = read_settings(data_dir=tmp_path / "embedded", environment={})
    with open_lab(settings=local) as embedded, open_lab(settings=remote) as lab:
        lab.services.projections.rebuild("graph")
        for each in (embedded, lab):
            start(each)
            merge(each, "m1", "Redis", "MongoDB")

        assert "neo4j" == lab.get_graph_stats().backend
        assert "connected" == lab.get_health().services["neo4j"]
        assert drop_times(read_all(embedded)) == drop_times(read_all(lab))
        live = read_all(lab)
        lab.services.projections.rebuild("graph")
        assert live == read_all(lab)
        split(lab, "m1")
        assert "Redis" in {row["name"] for row in read_all(lab)["export_entities"]}
        lab.services.graph.clear()


def drop_times(graph: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{key: v for key, v in row.items() if "2026-" not in str(v)} for row in rows]
        for name, rows in graph.items()
    }


def test_a_cut_file_is_filled_again_from_the_log(tmp_path: Path) -> None:
    with open_lab(tmp_path) as lab:
        start(lab)
        before = read_all(lab)
    path = tmp_path / "graph.lbug"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    with open_lab(tmp_path) as again:
        assert "filled again from the log" in again.services.graph.notice
        assert before == read_all(again)


def test_many_small_transactions_hold_no_memory(lab: Lab) -> None:
    lab.start_conversation(conversation_id="c")
    for number in range(100):
        say(lab, "c", f"Kafka {number} runs on Kubernetes")
        assert lab.services.projections.catch_up("graph", timeout_s=PATIENCE_S)

    assert {} == lab.services.projections.list_faults()


def test_a_rebuild_whose_writing_fails_is_made_up_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(lab)
    before = read_all(lab)

    def refuse() -> None:
        message = "no space left"
        raise Unavailable(message, service="graph")

    with monkeypatch.context() as broken:
        broken.setattr(lab.services.graph, "transaction", refuse)
        with pytest.raises(Unavailable, match="no space"):
            lab.services.projections.rebuild("graph")

    assert before == read_all(lab)
    assert any(before.values())

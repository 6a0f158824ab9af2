"""Recommendations, topic clusters and discoveries, from what was said."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from helix_lab.domain.model.errors import InvalidRequest, UnknownConversation, UnknownEntity
from helix_lab.lab import Lab, open_lab
from helix_lab.ports.graph import Row

TALKS = {
    "deploy": ("Docker runs beside Kubernetes.", "Helm and Kubernetes, as always."),
    "deploy-2": ("Kubernetes and Helm again.", "Docker and Kubernetes for the rest."),
    "data": ("PostgreSQL and Redis hold the rows.",),
    "data-2": ("Redis sits before PostgreSQL.",),
    "short": ("Tell me about Docker.",),
    "alone": ("TensorFlow is on its own here.",),
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with open_lab(tmp_path_factory.mktemp("topics")) as lab:
        for conversation_id, texts in TALKS.items():
            lab.start_conversation(conversation_id=conversation_id, title=f"On {conversation_id}")
            said = [{"role": "user", "content": text} for text in texts]
            lab.append_messages(conversation_id, said)
        assert lab.services.projections.catch_up("graph", timeout_s=60)
        yield lab


def test_who_asked_about_docker_is_told_of_kubernetes(lab: Lab) -> None:
    found = lab.get_recommendations(entity="docker").recommendations

    assert "Kubernetes" == found[0].name
    assert "You asked about Docker, you might also want to learn about Kubernetes" == found[0].text
    (reason,) = found[0].reasons
    assert ("Docker", found[0].score) == (reason.name, reason.strength)


def test_a_conversation_is_recommended_nothing_that_it_mentions(lab: Lab) -> None:
    found = lab.get_recommendations(conversation_id="short").recommendations

    assert ["Kubernetes"] == [one.name for one in found]
    assert [] == lab.get_recommendations(conversation_id="alone").recommendations
    assert [] == lab.get_recommendations(conversation_id="short", min_strength=0.99).recommendations


def test_recommendations_are_for_one_known_thing(lab: Lab) -> None:
    with pytest.raises(InvalidRequest, match="either conversation_id or entity"):
        lab.get_recommendations()
    with pytest.raises(UnknownConversation):
        lab.get_recommendations(conversation_id="nowhere")
    with pytest.raises(UnknownEntity, match="did you mean 'Docker'"):
        lab.get_recommendations(entity="Dokcer")


def test_conversations_are_grouped_by_what_they_share_and_named_by_it(lab: Lab) -> None:
    answer = lab.list_clusters()

    groups = [{one.conversation_id for one in cluster.conversations} for cluster in answer.clusters]
    assert [{"data", "data-2"}] == [group for group in groups if "data" in group]
    (deploy,) = [cluster for cluster in answer.clusters if "Kubernetes" in cluster.name]
    shown = {one.conversation_id for one in deploy.conversations}
    assert {"deploy", "deploy-2"} <= shown <= {"deploy", "deploy-2", "short"}
    assert deploy.size == len(shown)
    assert not any("alone" in group for group in groups)
    assert answer == lab.list_clusters()
    assert 1 == len(lab.list_clusters(limit=1).clusters)


def test_a_pair_that_shares_a_neighbour_and_never_met_is_discovered(lab: Lab) -> None:
    answer = lab.list_discoveries(entity="Docker", min_shared=1)

    (pair,) = answer.discoveries
    assert {"Docker", "Helm"} == {pair.source.name, pair.target.name}
    assert ["Kubernetes"] == [reason.name for reason in pair.reasons]
    assert pair.score == pytest.approx(sum(reason.score for reason in pair.reasons))
    assert [] == lab.list_discoveries(entity="Docker", min_shared=2).discoveries
    every = lab.list_discoveries(min_shared=1).discoveries
    assert pair in every
    with pytest.raises(UnknownEntity):
        lab.list_discoveries(entity="Nothing of the kind")


def test_many_pairs_are_discovered_with_one_question_on_what_met(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = ("Docker", "Helm", "Terraform", "Ansible", "Jenkins")
    with open_lab(tmp_path_factory.mktemp("many")) as lab:
        lab.start_conversation(conversation_id="c")
        texts = [f"{name} runs beside Kubernetes." for name in others]
        lab.append_messages("c", [{"role": "user", "content": text} for text in texts])
        assert lab.services.projections.catch_up("graph", timeout_s=60)
        asked: list[str] = []
        ask = lab.services.graph.ask

        def count(statement: str, **parameters: Any) -> list[Row]:
            asked.append(statement)
            return ask(statement, **parameters)

        monkeypatch.setattr(lab.services.graph, "ask", count)
        found = lab.list_discoveries(entity="Docker", min_shared=1).discoveries

    names = {name for pair in found for name in (pair.source.name, pair.target.name)}
    assert (set(others), len(others) - 1) == (names, len(found))
    assert 1 == asked.count("co_occurrences")


def test_an_empty_lab_has_no_clusters_and_no_discoveries(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with open_lab(tmp_path_factory.mktemp("empty")) as lab:
        assert [] == lab.list_clusters().clusters
        assert [] == lab.list_discoveries().discoveries

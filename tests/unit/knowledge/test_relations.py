"""What a text states of two things is read; what it denies or asks is not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.knowledge.relations import RELATION_TYPES, find_relations

WORDS = st.sampled_from(
    [
        "Docker",
        "Kubernetes",
        "Redis",
        "uses",
        "runs",
        "on",
        "is",
        "a",
        "not",
        "Anna",
        "Paris",
        "lives",
    ]
) | st.sampled_from(
    ["in", ",", "and", "or", ".", "Google", "works", "at", "brother", "'s", "created by"]
)


def read(text: str) -> list[tuple[str, str, str]]:
    mentions = open_extractor().extract(text)
    return [
        (mentions[r.source].name, r.type, mentions[r.target].name)
        for r in find_relations(text, mentions)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Kubernetes uses Docker.", [("Kubernetes", "uses", "Docker")]),
        ("Kubernetes runs on Linux.", [("Kubernetes", "runs_on", "Linux")]),
        ("FastAPI depends on Starlette.", [("FastAPI", "depends_on", "Starlette")]),
        ("Podman is an alternative to Docker.", [("Podman", "alternative_to", "Docker")]),
        ("Redis 7.0 is used by Celery.", [("Celery", "uses", "Redis")]),
        ("Kubernetes replaced Docker Swarm.", [("Kubernetes", "replaces", "Docker Swarm")]),
        ("Linux was created by Linus Torvalds.", [("Linux", "created_by", "Linus Torvalds")]),
        ("Anna works at Google and lives in Paris.", [("Anna", "works_at", "Google")]),
        ("Tom's brother Robert lives in Berlin.",
         [("Tom", "family_of", "Robert"), ("Robert", "lives_in", "Berlin")]),
        ("Airflow uses PostgreSQL, Redis and Kubernetes.",
         [("Airflow", "uses", name) for name in ("PostgreSQL", "Redis", "Kubernetes")]),
        ("Does Kubernetes use Docker?", []),
        ("Could Kubernetes use Docker?", []),
        ("Kubernetes does not use Docker.", []),
        ("Kubernetes never uses Docker.", []),
        ("FastAPI is a Python framework.", []),
        ("Docker. Kubernetes.", []),
    ],
)  # fmt: skip
def test_statements_are_read(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert expected == read(text)


@given(st.lists(WORDS, max_size=25).map(" ".join))
@settings(max_examples=100, deadline=None)
def test_relations_join_two_mentions_of_the_text(text: str) -> None:
    mentions = open_extractor().extract(text)

    for relation in find_relations(text, mentions):
        assert relation.type in RELATION_TYPES
        assert relation.source != relation.target
        assert 0 <= min(relation.source, relation.target)
        assert max(relation.source, relation.target) < len(mentions)
        assert 0 < relation.confidence <= 1

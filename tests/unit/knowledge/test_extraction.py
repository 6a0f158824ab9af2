"""The extractor finds what a text names, and answers lawfully to any text."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.knowledge.mention import ENTITY_TYPES, GRAPH_TYPES, Mention

PIECES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "Docker",
            "Go",
            "good",
            "`re.sub()`",
            "```",
            "`",
            "C++",
            "don't",
            "Dr. Smith,",
            "7 May 2023",
        ]
    ),
    st.sampled_from(
        [
            "الرياض",
            "שלום",
            "東京",
            "👩‍👩‍👧",
            '"The Witcher"',
            "St. Louis",
            "K8s",
            "U.S.",
            "https://a.b",
        ]
    ),
    st.sampled_from(
        ["...", "--", "\n", "\t", "\u2028", "e\u0301", "\x00", "\ud800", "AI", "@", "of"]
    ),
)
TEXTS = st.lists(PIECES, max_size=30).map(" ".join) | st.text(max_size=80)


def extract(text: str, *speakers: str) -> list[Mention]:
    return open_extractor().extract(text, speakers=speakers)


def graph(text: str, *speakers: str) -> set[tuple[str, str]]:
    return {(m.name, m.type) for m in extract(text, *speakers) if m.type in GRAPH_TYPES}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "How do I deploy Docker containers on Kubernetes?",
            {("Docker", "technology"), ("Kubernetes", "technology")},
        ),
        ("We feel good, and go on. Go get it!", set()),
        ("The server is written in Go and C++, not in Java.",
         {("Go", "technology"), ("C++", "technology"), ("Java", "technology")}),
        ("My sister Anna met Dr. Smith in Paris on May 7, 2023.",
         {("Anna", "person"), ("Smith", "person"), ("Paris", "place"), ("May 7, 2023", "date")}),
        ("She works at Harvard University in New York since 2019.",
         {("Harvard University", "organisation"), ("New York", "place"), ("2019", "date")}),
        ("We moved to St. Louis, near the Golden Gate Bridge.",
         {("St. Louis", "place"), ("Golden Gate Bridge", "place")}),
        ('Have you read "The Lord of the Rings" yet?', {("The Lord of the Rings", "other")}),
        ("Call `parse_line()` in main.py, it raises a KeyError.",
         {("parse_line()", "code"), ("main.py", "code"), ("KeyError", "code")}),
        ("OAuth2 and JWT secure the API.",
         {("OAuth2", "concept"), ("JWT", "concept"), ("API", "concept")}),
        ("I may march to the store in March. Will you come in May?",
         {("March", "date"), ("May", "date")}),
        ("Wow, congrats! Yeah, thanks, that sounds awesome, bye!", set()),
        ("I told him that he and she and we are They.", set()),
        ("```python\nimport redis\nDocker = Kubernetes\n```", set()),
    ],
)  # fmt: skip
def test_what_a_text_names_is_found_with_its_type(text: str, expected: set[object]) -> None:
    assert expected == graph(text)


def test_those_who_talk_are_no_mentions() -> None:
    text = "Hey Melanie, did Mel and Caroline meet Anna?"

    assert {("Anna", "person")} == graph(text, "Melanie Ray", "Caroline")
    assert ("Caroline", "person") in graph(text)


def test_common_nouns_of_software_are_told_from_names() -> None:
    text = "The browser on my server sorts an array in Python 3.11.2."

    kinds = {mention.name: mention.type for mention in extract(text)}

    assert "technology" == kinds["Python"]
    assert "version" == kinds["3.11.2"]
    assert not {kinds.get(noun, "generic") for noun in ("browser", "server", "array")} & set(
        GRAPH_TYPES
    )


@given(TEXTS, st.lists(st.text(max_size=8), max_size=2))
@settings(max_examples=80, deadline=None)
def test_mentions_lie_in_the_text_in_order_and_apart(text: str, speakers: list[str]) -> None:
    mentions = extract(text, *speakers)

    for mention in mentions:
        assert mention.name == text[mention.start : mention.end] != ""
        assert mention.type in ENTITY_TYPES
        assert 0 <= mention.confidence <= 1
    for left, right in pairwise(mentions):
        assert left.end <= right.start
    assert mentions == extract(text, *speakers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\x00",
        "👩‍👩‍👧" * 1000,
        "مرحبا بكم في الرياض",
        "`" * 9999,
        "Ab " * 5000,
        "\ud800 Docker",
    ],
)
def test_any_text_is_taken(text: str) -> None:
    assert all(m.name == text[m.start : m.end] for m in extract(text))


def test_a_text_with_a_hundred_thousand_names_is_taken_whole() -> None:
    mentions = extract("Anna met Tom. " * 50_000)

    assert 100_000 == len(mentions)
    assert {"Anna", "Tom"} == {mention.name for mention in mentions}


@pytest.mark.parametrize(
    "piece", ["a", "a.", "<a ", "(a", "`a", "A ", "'s", "1.2", "Of the ", '"A']
)
def test_a_megabyte_of_anything_is_taken(piece: str) -> None:
    text = (piece * (1_000_000 // len(piece)))[: 1_000_000 if len(piece) < 2 else 50_000]

    assert isinstance(extract(text), list)


def test_answers_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from helix_lab.domain.knowledge.extraction import open_extractor as o;"
        "from helix_lab.domain.knowledge.identity import identify as i;"
        "m = o().extract('Anna runs `f()` of Flask on Docker in Paris; the array breaks.');"
        "print(m, [i(x.name, x.type) for x in m])"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert 1 == len(answers)
    assert "Flask" in answers.pop()

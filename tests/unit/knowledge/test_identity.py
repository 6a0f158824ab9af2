"""Names of one thing have one id; near misses never."""

from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.entities import read_aliases
from helix_lab.domain.knowledge.gazetteer import terms
from helix_lab.domain.knowledge.identity import identify
from helix_lab.domain.knowledge.mention import ENTITY_TYPES

TYPES = st.sampled_from(ENTITY_TYPES)
NAMES = st.text(max_size=20) | st.sampled_from(
    [name for term in terms() for name in (term.name, *term.aliases)]
)
SAME, DIFFERENT = read_aliases()
KNOWN_MISSES = 20
"""Aliases of the set that the table lacks may be as many, of some hundred."""


def entity_id(name: str, kind: str) -> str:
    return identify(name, kind).entity_id


def test_aliases_are_one_thing() -> None:
    missed = [pair for pair in SAME if entity_id(pair[1], pair[0]) != entity_id(pair[2], pair[0])]

    assert len(missed) <= KNOWN_MISSES, missed


@pytest.mark.parametrize(("kind", "left", "right"), DIFFERENT)
def test_near_misses_stay_apart(kind: str, left: str, right: str) -> None:
    assert entity_id(left, kind) != entity_id(right, kind)


def test_every_alias_of_the_table_leads_to_its_own_term() -> None:
    wrong = [
        (name, term.name)
        for term in terms()
        for name in (term.name, *term.aliases)
        if identify(name, term.type).name != term.name
    ]

    assert [] == wrong


@pytest.mark.parametrize("kind", ["technology", "other", "code"])
def test_numbers_are_never_taken_for_each_other(kind: str) -> None:
    ids = {entity_id(f"PR #{number}", kind) for number in range(1, 500)}

    assert 499 == len(ids)


@given(NAMES, TYPES)
@settings(max_examples=150, deadline=None)
def test_what_is_identified_is_identified_as_itself(name: str, kind: str) -> None:
    found = identify(name, kind)

    assert found == identify(found.name, found.type)
    assert found == identify(name, kind)
    assert found.type in ENTITY_TYPES
    assert found.entity_id.startswith("ent-")


@given(NAMES, TYPES)
@settings(max_examples=100, deadline=None)
def test_spaces_and_quotes_around_a_name_do_not_count(name: str, kind: str) -> None:
    assume(any(sign.isalnum() for sign in name))

    assert entity_id(name, kind) == entity_id(f"  `{name}`, ", kind)


def test_a_known_name_corrects_the_type_but_not_that_of_a_person_or_place() -> None:
    assert "technology" == identify("Kubernetes", "other").type
    assert "Kubernetes" == identify("k8s", "organisation").name
    assert "person" == identify("Claude", "person").type
    assert entity_id("Java", "place") != entity_id("Java", "technology")


def test_case_counts_in_code_alone() -> None:
    assert entity_id("foo", "code") != entity_id("Foo", "code")
    assert entity_id("__init__", "code") != entity_id("init", "code")
    assert entity_id("foo()", "code") == entity_id("foo", "code")
    assert entity_id("DOCKER", "technology") == entity_id("docker", "technology")

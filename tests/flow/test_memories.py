"""Memories through a whole lab: written to the log, shown from the records."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.model.errors import (
    Conflict,
    HelixError,
    InvalidRequest,
    MemoryDeleted,
    StaleVersion,
    UnknownMemory,
)
from helix_lab.lab import Lab, open_lab
from helix_lab.record.memories import update_memory
from helix_lab.record.nodes import join
from helix_lab.record.writer import Writer
from helix_lab.records.tables import MEMORY_TABLES
from helix_lab.settings import Settings
from tests.flow.labs import catch_up


def write_elsewhere(lab: Lab, memory_id: str, **changes: Any) -> None:
    """What another node wrote that had seen one update of this lab."""
    update = Update(memory_id, Kind.EDIT, 2, lab.services.log.greatest_clock() + 1, changes)
    draft = update_memory(update, node_id="other", seq=1, seen={"test-node": 1})
    Writer(lab.services.log, node_id="other").record([join("other", instance="o"), draft])


def read_tables(lab: Lab) -> list[Any]:
    catch_up(lab)
    with lab.services.records.read() as connection:
        return [
            connection.execute(sa.select(table).order_by(*table.primary_key)).all()
            for table in MEMORY_TABLES
        ]


def test_a_memory_is_kept_changed_found_and_deleted(lab: Lab) -> None:
    made = lab.create_memory("User prefers OAuth2", user_id="u1", tags=["auth"], memory_id="m1")
    assert (1, "semantic", ["auth"]) == (made.version, made.type, made.tags)

    changed = lab.update_memory("m1", content="User prefers JWT", tags_added=["api"])
    assert (2, ["api", "auth"]) == (changed.version, changed.tags)

    assert ["m1"] == [found.memory_id for found in lab.list_memories(q="jwt user").memories]
    assert ["m1"] == [found.memory_id for found in lab.list_memories(tag="api").memories]
    assert [] == lab.list_memories(q="OAuth2").memories
    lab.delete_memory("m1")

    with pytest.raises(MemoryDeleted, match="was deleted by test-node"):
        lab.get_memory("m1")
    with pytest.raises(MemoryDeleted):
        lab.update_memory("m1", content="no")
    assert [] == lab.list_memories().memories
    actions = [update.action for update in lab.get_memory_history("m1").updates]
    assert ["created", "updated", "deleted"] == actions


def test_a_deleted_memory_can_be_made_anew_and_has_nothing_of_the_old(lab: Lab) -> None:
    lab.create_memory("one", memory_id="m1", tags=["old"], metadata={"a": 1})
    lab.delete_memory("m1")

    made = lab.create_memory("two", memory_id="m1")

    assert ("two", [], {}, 3) == (made.content, made.tags, made.metadata, made.version)


@pytest.mark.parametrize(
    ("strategy", "shown"), [("last_write_wins", "Prefer JWT"), ("merge_all", "OAuth2 and JWT")]
)
def test_what_two_nodes_wrote_side_by_side_is_kept_and_shown(
    tmp_path: Path, strategy: str, shown: str
) -> None:
    settings = Settings(tmp_path / "lab", "test-node", port=0, memory_strategy=strategy)
    with open_lab(settings=settings) as lab:
        lab.create_memory("Prefer", memory_id="m1")
        lab.update_memory("m1", content="Prefer OAuth2")

        write_elsewhere(lab, "m1", content="Prefer JWT")

        memory = lab.get_memory("m1")
        assert (3, True) == (memory.version, memory.has_conflict)
        assert shown in memory.content
        assert "Prefer OAuth2 and JWT" == lab.get_memory("m1", strategy="merge_all").content
        assert 1 == lab.get_sync_status().memories_in_conflict
        resolved = lab.update_memory("m1", content="Prefer passkeys")
        assert (4, False) == (resolved.version, resolved.has_conflict)


def test_a_rebuilt_store_equals_the_live_one(lab: Lab) -> None:
    for number in range(5):
        lab.create_memory(f"fact {number}", memory_id=f"m{number}", tags=["t"])
    lab.delete_memory("m3")
    write_elsewhere(lab, "m1", importance=1.0)
    live = read_tables(lab)

    lab.services.projections.rebuild("memory")

    assert live == read_tables(lab)


def test_threads_that_write_at_once_lose_nothing(lab: Lab) -> None:
    lab.create_memory("start", memory_id="m1")

    def add(number: int) -> None:
        lab.update_memory("m1", tags_added=[f"t{number}"], metadata={f"k{number}": number})

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    memory = lab.get_memory("m1")
    assert {f"k{number}": number for number in range(8)} == memory.metadata
    assert [f"t{number}" for number in range(8)] == memory.tags
    assert (9, False) == (memory.version, memory.has_conflict)


def test_a_memory_that_changed_meanwhile_is_not_overwritten(lab: Lab) -> None:
    lab.create_memory("one", memory_id="m1")
    lab.update_memory("m1", content="two", if_version=1)

    with pytest.raises(StaleVersion, match="has version 2 by now, not 1") as caught:
        lab.update_memory("m1", content="three", if_version=1)

    assert "two" == caught.value.details["current"]["content"]


def test_an_expired_memory_is_not_listed(lab: Lab) -> None:
    lab.create_memory("old", memory_id="m1", expires_at="2020-01-01T00:00:00Z")
    lab.create_memory("new", memory_id="m2", expires_at="2999-01-01T00:00:00Z")

    assert ["m2"] == [memory.memory_id for memory in lab.list_memories().memories]


def test_pages_hold_every_memory_once(lab: Lab) -> None:
    for number in range(7):
        lab.create_memory(f"fact {number}", user_id="u1")
    cursor, seen = None, []
    while True:
        page = lab.list_memories(user_id="u1", limit=3, cursor=cursor)
        seen += [memory.content for memory in page.memories]
        cursor = page.next_cursor
        if cursor is None:
            break

    assert [f"fact {number}" for number in reversed(range(7))] == seen


@pytest.mark.parametrize(
    ("act", "error", "words"),
    [
        (lambda lab: lab.create_memory(""), InvalidRequest, "content"),
        (lambda lab: lab.create_memory("x" * 1_000_001), InvalidRequest, "content"),
        (lambda lab: lab.create_memory("x", importance=2), InvalidRequest, "importance"),
        (lambda lab: lab.create_memory("x", type="other"), InvalidRequest, "episodic"),
        (lambda lab: lab.create_memory("again", memory_id="m1"), Conflict, "PATCH"),
        (lambda lab: lab.update_memory("m1"), InvalidRequest, "nothing to change"),
        (lambda lab: lab.update_memory("m9", content="x"), UnknownMemory, "m9"),
        (lambda lab: lab.get_memory("m9"), UnknownMemory, "m9"),
        (lambda lab: lab.get_memory_history("m9"), UnknownMemory, "m9"),
        (lambda lab: lab.list_memories(q="a " * 21), InvalidRequest, "21 words"),
    ],
)
def test_bad_input_is_refused(lab: Lab, act: Any, error: type[HelixError], words: str) -> None:
    lab.create_memory("one", memory_id="m1")

    with pytest.raises(error, match=words):
        act(lab)

    assert ["m1"] == [memory.memory_id for memory in lab.list_memories().memories]


def test_an_erased_memory_is_gone_for_ever(lab: Lab) -> None:
    lab.create_memory("a secret", memory_id="m1")

    assert "" == lab.delete_memory("m1", erase=True).content

    with pytest.raises(MemoryDeleted, match="erased for ever"):
        lab.create_memory("again", memory_id="m1")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("oauth2", ["m1", "m2"]),
        ("PREFERS oauth2", ["m1"]),
        ("oauth*", ["m1", "m2", "m3"]),
        ("oauth", []),
        ("straße", ["m4"]),
        ("認証", ["m5"]),
        ("'; DROP", []),
        ('" OR *', []),
        ("...", []),
    ],
)
def test_words_are_found_alike_in_every_store(lab: Lab, query: str, found: list[str]) -> None:
    texts = ["User prefers OAuth2", "oauth2, not JWT", "OAuth1 is old", "Straße 7", "認証は2段階"]
    for number, text in enumerate(texts, 1):
        lab.create_memory(text, memory_id=f"m{number}")

    assert found == sorted(m.memory_id for m in lab.list_memories(q=query).memories)


def test_a_word_is_found_no_more_once_it_was_replaced(lab: Lab) -> None:
    lab.create_memory("Prefer tea", memory_id="m1")
    lab.create_memory("Prefer tea", memory_id="m2")
    lab.update_memory("m1", content="Prefer coffee")
    lab.delete_memory("m2")

    assert [] == lab.list_memories(q="tea").memories
    assert ["m1"] == [memory.memory_id for memory in lab.list_memories(q="coffee").memories]

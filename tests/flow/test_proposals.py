"""Facts that users tell of themselves: proposed, accepted with their source, declined for good."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helix_lab.domain.model.errors import Conflict, NotFound
from helix_lab.lab import Lab, open_lab
from tests.flow.labs import catch_up, dump_stores, rebuild, say

TEXT = "I live in Oslo. I prefer tea. How are you?"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    with open_lab(tmp_path) as lab:
        lab.start_conversation(conversation_id="c", user_id="u")
        yield lab


def listed(lab: Lab, **asked: Any) -> list[str]:
    return [found.content for found in lab.list_memory_proposals(**asked).proposals]


def test_what_a_user_says_is_proposed_with_its_message(lab: Lab) -> None:
    lab.append_messages("c", [say(TEXT, message_id="m1"), say("I live in Rome.", "assistant")])

    found = lab.list_memory_proposals(user_id="u").proposals

    assert {"I live in Oslo", "I prefer tea"} == {one.content for one in found}
    assert {("c", "m1", "u", "proposed")} == {
        (one.conversation_id, one.message_id, one.user_id, one.state) for one in found
    }
    assert [] == listed(lab, user_id="v")


def test_an_accepted_fact_is_a_memory_with_its_source(lab: Lab) -> None:
    lab.append_messages("c", [say("I live in Oslo.", message_id="m1")])
    (proposal,) = lab.list_memory_proposals().proposals

    memory = lab.accept_memory_proposal(proposal.proposal_id, tags=["home"])
    again = lab.accept_memory_proposal(proposal.proposal_id)

    assert ("I live in Oslo", "u", "fact", ["home"]) == (
        memory.content,
        memory.user_id,
        memory.category,
        memory.tags,
    )
    assert {"conversation_id": "c", "message_id": "m1"} == memory.metadata["source"]
    assert memory == again
    (accepted,) = lab.list_memory_proposals(state="accepted").proposals
    assert (memory.memory_id, []) == (accepted.memory_id, listed(lab))


def test_a_fact_can_be_accepted_in_other_words(lab: Lab) -> None:
    lab.append_messages("c", [say("I live in Oslo.")])
    (proposal,) = lab.list_memory_proposals().proposals

    memory = lab.accept_memory_proposal(proposal.proposal_id, content="Lives in Oslo, Norway")

    assert "Lives in Oslo, Norway" == lab.get_memory(memory.memory_id).content


def test_the_same_words_are_proposed_once_and_stay_declined(lab: Lab) -> None:
    lab.append_messages("c", [say("I prefer tea.")])
    (proposal,) = lab.list_memory_proposals().proposals
    lab.start_conversation(conversation_id="d", user_id="u")
    lab.append_messages("d", [say("Well, I prefer TEA!")])
    assert ["I prefer tea"] == listed(lab)

    lab.decline_memory_proposal(proposal.proposal_id)
    lab.append_messages("d", [say("I prefer tea.")])

    assert ([], ["I prefer tea"]) == (listed(lab), listed(lab, state="declined"))
    with pytest.raises(Conflict, match="declined already"):
        lab.accept_memory_proposal(proposal.proposal_id)
    with pytest.raises(NotFound, match="proposals"):
        lab.decline_memory_proposal("fact-unknown")


def test_a_rebuild_gives_the_same_proposals_and_decisions(lab: Lab) -> None:
    lab.append_messages("c", [say(TEXT)])
    first, _ = lab.list_memory_proposals().proposals
    lab.decline_memory_proposal(first.proposal_id)
    catch_up(lab)
    before = dump_stores(lab)

    rebuild(lab, "conversations")

    assert before == dump_stores(lab)


def test_proposals_come_page_by_page(lab: Lab) -> None:
    lab.append_messages("c", [say(f"I live in house {n}.") for n in range(5)])

    first = lab.list_memory_proposals(limit=3)
    second = lab.list_memory_proposals(limit=3, cursor=first.next_cursor)

    contents = [one.content for page in (first, second) for one in page.proposals]
    assert ({f"I live in house {n}" for n in range(5)}, None) == (set(contents), second.next_cursor)

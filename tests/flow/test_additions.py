"""What the lab knows, added to prompts: visible, within the room, and never in the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.debate.blocks import read_blocks
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import ProviderSettings, Settings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.labs import PATIENCE_S, catch_up, say

BOTH = ["knowledge", "memories"]
QUESTION = "Shall the billing service move to Kubernetes?"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, fake: FakeLLM) -> Iterator[Lab]:
    """A lab that knows something of Kubernetes, and of the user u."""
    sage = ProviderSettings("sage", fake.base_url, "sage", context_window_tokens=4_000)
    bard = ProviderSettings("bard", fake.base_url, "bard", context_window_tokens=4_000)
    folder = tmp_path_factory.mktemp("known")
    with open_lab(settings=Settings(folder, "node", port=0, providers=(sage, bard))) as lab:
        lab.start_conversation(conversation_id="past", user_id="v")
        lab.append_messages("past", [say("Kubernetes runs on Linux. Kubernetes uses Docker.")])
        lab.create_memory("The billing service must stay in Zurich", user_id="u", memory_id="m1")
        lab.create_memory("The billing service is Ada's", user_id="w", memory_id="m2")
        catch_up(lab)
        yield lab


def begin(lab: Lab, conversation_id: str, user_id: str | None = "u") -> str:
    lab.start_conversation(conversation_id=conversation_id, user_id=user_id)
    catch_up(lab)
    return conversation_id


def sent(fake: FakeLLM) -> list[tuple[str, str]]:
    return [(m["role"], m["content"]) for m in fake.requests[-1].body["messages"]]


def test_a_chat_is_given_what_is_known_and_tells_from_where(lab: Lab, fake: FakeLLM) -> None:
    reply = lab.chat(begin(lab, "c1"), QUESTION, message_id="c1-q", add=BOTH)

    kubernetes = lab.get_entity("Kubernetes").entity_id
    lines = reply.prompt.additions
    assert {"memories", "knowledge"} == {line.kind for line in lines}
    assert [{"memory_id": "m1"}] == [line.source for line in lines if line.kind == "memories"]
    edges = [line.source for line in lines if line.kind == "knowledge"]
    assert all(kubernetes == edge["entity_id"] for edge in edges)
    assert [] == reply.prompt.addition_notes
    known, question = read_blocks(sent(fake)[-1][1])
    assert [f"- {line.text}" for line in lines] == known.text.splitlines()
    assert QUESTION == question.text


def test_the_prompt_can_be_read_afterwards_whatever_the_lab_knows_by_then(
    lab: Lab, fake: FakeLLM
) -> None:
    lab.create_memory("The billing service is old", user_id="z")
    reply = lab.chat(begin(lab, "c2", "z"), QUESTION, message_id="c2-q", add=BOTH)
    as_sent = sent(fake)
    lab.create_memory("The billing service has 12 users", user_id="z")
    catch_up(lab)

    shown = lab.get_prompt("c2", "c2-q")

    assert (True, as_sent) == (shown.is_as_sent, [(m.role, m.content) for m in shown.messages])
    assert reply.prompt.additions == shown.prompt.additions


def test_nothing_is_added_unless_it_is_asked_for(lab: Lab, fake: FakeLLM) -> None:
    reply = lab.chat(begin(lab, "c3"), QUESTION)

    assert [] == reply.prompt.additions
    assert ("user", QUESTION) == sent(fake)[-1]


def test_memories_of_others_are_never_added(lab: Lab) -> None:
    nobodys = lab.chat(begin(lab, "c4", None), QUESTION, add=["memories"])
    strangers = lab.chat(begin(lab, "c5", "x"), QUESTION, add=["memories"])

    assert ([], []) == (nobodys.prompt.additions, strangers.prompt.additions)


def test_additions_keep_to_their_room(lab: Lab) -> None:
    all_of_it = lab.chat(begin(lab, "c6"), QUESTION, add=BOTH)
    one = lab.chat("c6", QUESTION, add=BOTH, add_max_tokens=30)
    none = lab.chat("c6", QUESTION, add=BOTH, add_max_tokens=0)

    counts = [len(reply.prompt.additions) for reply in (all_of_it, one, none)]
    assert counts[0] > counts[1] > counts[2] == 0


def test_a_prompt_that_is_full_of_the_question_has_no_additions(lab: Lab) -> None:
    question = f"{QUESTION} {'Why or why not? ' * 190}"

    reply = lab.chat(begin(lab, "c7"), question, add=BOTH, max_output_tokens=2_850)

    assert [] == reply.prompt.additions


def test_a_graph_that_is_down_is_told_and_does_not_stop_the_chat(tmp_path: Path) -> None:
    with open_lab(tmp_path) as lab:
        begin(lab, "c")
        lab.create_memory("The billing service must stay in Zurich", user_id="u")
        lab.services.graph.close()

        reply = lab.chat("c", QUESTION, add=BOTH)

        (note,) = reply.prompt.addition_notes
        assert note.startswith("knowledge: left out, ")
        assert ["memories"] == [line.kind for line in reply.prompt.additions]


def test_every_seat_of_a_debate_is_given_the_same_and_the_debate_shows_it(
    lab: Lab, fake: FakeLLM
) -> None:
    before = len(fake.requests)

    started = lab.start_debate(QUESTION, user_id="u", add=BOTH, wait_s=PATIENCE_S)

    debate = lab.get_debate(started.debate_id)
    assert "succeeded" == debate.status
    texts = [f"- {line.text}" for line in debate.additions]
    assert {"knowledge", "memories"} == {line.kind for line in debate.additions}
    asked = [json.dumps(request.body) for request in fake.requests[before:]]
    assert asked
    for body in asked:
        assert all(json.dumps(text)[1:-1] in body for text in texts)


def test_a_lab_can_be_set_to_add(tmp_path: Path) -> None:
    policy = ContextPolicy(additions=("memories",))
    with open_lab(settings=Settings(tmp_path, "node", port=0, context=policy)) as lab:
        lab.create_memory("The billing service must stay in Zurich", user_id="u")
        begin(lab, "c")

        by_setting = lab.chat("c", QUESTION)
        by_request = lab.chat("c", QUESTION, add=[])

        assert (1, 0) == (len(by_setting.prompt.additions), len(by_request.prompt.additions))


def test_an_unknown_kind_is_refused(lab: Lab) -> None:
    with pytest.raises(InvalidRequest, match="knowledge"):
        lab.chat("past", QUESTION, add=["rumours"])

"""Answers without a model."""

from __future__ import annotations

import pytest

from helix_lab.adapters.chat_offline import NOTHING_FOUND, OfflineProvider
from helix_lab.domain.debate import (
    PROTOCOLS,
    DebatePlan,
    NextTurns,
    Turn,
    Verdict,
    default_seats,
    next_step,
    read_turn,
)
from helix_lab.domain.debate.blocks import OFFLINE_NOTICE, Block, write_block
from helix_lab.ports.chat import ChatMessage
from helix_lab.testing.chat import to_chat_request
from tests.chat.requests import ask

MARK = "0123456789ab"
HISTORY = [
    ("user", "We moved the shop to Kubernetes in March. The migration took six weeks."),
    ("assistant", "Kubernetes made deployments faster. However, debugging has a cost and risks."),
    ("user", "Lunch was great."),
]


def answer_to(question: str, history: list[tuple[str, str]] = HISTORY) -> str:
    messages = [ChatMessage(role, text) for role, text in history]  # type: ignore[arg-type]
    request = ask(messages=[*messages, ChatMessage("user", question)])
    return OfflineProvider().complete(request).text


def choose(task: str, options: list[str], *answers: str) -> str:
    labels = [option for option in options if len(option) == 1]
    blocks = [Block("answer", x, text) for x, text in zip(labels, answers, strict=False)]
    blocks.append(Block("question", "", "Is green tea healthy?"))
    content = "\n\n".join(write_block(block, MARK) for block in blocks)
    reply = OfflineProvider().complete(ask(content, task=task, options=options))
    return reply.text.splitlines()[1]


def play(protocol: str, topic: str, history: list[tuple[str, str]], seed: int) -> Verdict:
    seats, judge = default_seats([("offline", "extractive")], protocol)
    plan = DebatePlan("d1", "c1", topic, protocol, 2, seed, seats, judge)
    provider, turns = OfflineProvider(), list[Turn]()
    while isinstance(step := next_step(plan, turns, history), NextTurns):
        for request in step.requests:
            turns.append(read_turn(request, provider.complete(to_chat_request(request)).text))
    return step


def test_an_answer_is_made_of_sentences_of_the_conversation() -> None:
    lines = answer_to("How long did the migration take?").splitlines()

    assert lines == [OFFLINE_NOTICE, "The migration took six weeks."]


def test_every_text_is_labelled() -> None:
    for question in ("How long did the migration take?", "Who won the cup?"):
        assert answer_to(question).startswith(f"{OFFLINE_NOTICE}\n")


@pytest.mark.parametrize("question", ["Who won the cup?", "", "what is it?", "🙂"])
def test_where_nothing_matches_it_says_so(question: str) -> None:
    assert answer_to(question) == f"{OFFLINE_NOTICE}\n{NOTHING_FOUND}"


def test_without_a_conversation_there_is_nothing_to_say() -> None:
    assert NOTHING_FOUND in answer_to("How long did the migration take?", [])


def test_an_earlier_offline_answer_is_not_quoted_with_its_notice() -> None:
    history = [("assistant", f"{OFFLINE_NOTICE}\nThe migration took six weeks.")]

    assert answer_to("How long did the migration take?", history).count(OFFLINE_NOTICE) == 1


def test_the_same_question_has_the_same_answer() -> None:
    question = "What did Kubernetes cost, and was the migration of the shop a risk?"

    assert len({answer_to(question) for _ in range(5)}) == 1


def test_it_has_no_confidence_no_tokens_and_costs_nothing() -> None:
    reply = OfflineProvider().complete(ask())

    assert (None, None, 0.0) == (reply.input_tokens, reply.output_tokens, reply.cost_usd)
    assert "CONFIDENCE" not in reply.text


def test_a_vote_is_for_the_answer_with_the_most_words_of_the_question() -> None:
    answers = ("Water is wet.", "Green tea is healthy.", "Tea is hot.")

    assert choose("vote", ["A", "B", "C"], *answers) == "VOTE: B"


def test_equal_answers_are_told_apart_by_what_they_share_with_the_others() -> None:
    answers = ("Tea calms.", "Tea has caffeine.", "Caffeine wakes.")

    assert choose("vote", ["A", "B", "C"], *answers) == "VOTE: B"


def test_a_voter_that_sees_no_difference_takes_the_first_answer() -> None:
    assert choose("vote", ["A", "B"], "Tea.", "Tea.") == "VOTE: A"


@pytest.mark.parametrize("last", ["CONTINUE", "TIE"])
def test_a_moderator_that_sees_no_difference_takes_no_side(last: str) -> None:
    assert choose("judge", ["A", "B", last], "Tea.", "Tea.") == f"VOTE: {last}"


def test_options_without_answers_get_a_valid_choice() -> None:
    assert choose("vote", ["X", "Y"]) == "VOTE: Y"


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("history", [HISTORY, []])
@pytest.mark.parametrize("seed", range(5))
def test_an_offline_debate_ends_decided_or_tied(
    protocol: str, history: list[tuple[str, str]], seed: int
) -> None:
    verdict = play(protocol, "Was Kubernetes worth its cost and risks?", history, seed)

    assert verdict.outcome in {"decided", "tie"}
    assert verdict.confidence is None


def test_seats_answer_differently_where_the_material_lets_them() -> None:
    history = [
        ("user", "Kubernetes facts: the source is the report of March."),
        ("assistant", "Kubernetes has risks and limits. Kubernetes has gaps and errors."),
        ("assistant", "Kubernetes can be weighed for balance. Kubernetes joined us for balance."),
    ]

    verdict = play("majority", "Kubernetes?", history, 1)

    assert verdict.outcome == "decided"
    assert verdict.winner is not None
    assert sum(verdict.votes.values()) == 3

"""What a recalled context holds of the evidence of a question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bench.evaluations import baselines, words
from helix_lab.domain.context.compression import Analysis
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.recalled import Recalled

WHOLE = 0.8
"""Share of the strong words of a message from which on it counts as held."""


def texts_of(recalled: Recalled) -> dict[str, str]:
    """What an answer says of each message."""
    texts = {message.message_id: message.text for message in recalled.messages}
    for line in recalled.lines:
        for message_id in line.message_ids:
            texts[message_id] = f"{texts.get(message_id, '')} {line.text}"
    return texts


def evidence_recall(
    evidence: Sequence[str], said: Mapping[str, str], held: Mapping[str, str]
) -> float:
    """Share of the evidence of which four fifths of the strong words are held."""
    found = [
        words.share(words.strong(said[one]), words.stems(held.get(one, ""))) >= WHOLE
        for one in evidence
    ]
    return sum(found) / len(found)


def current_first(recalled: Recalled, current: Sequence[str], stale: Sequence[str]) -> bool:
    """Whether a current message is given, and none of the stale ones before it."""
    order = [message.message_id for message in recalled.messages]
    order += [message_id for line in recalled.lines for message_id in line.message_ids]
    places = {message_id: place for place, message_id in enumerate(dict.fromkeys(order))}
    first = min((places[one] for one in current if one in places), default=None)
    return first is not None and all(places.get(one, first + 1) > first for one in stale)


def is_marked(recalled: Recalled, current: Sequence[str], stale: Sequence[str]) -> bool:
    """Whether one of these messages is in a pair that the answer marks, with both dates."""
    wanted = {*current, *stale}
    return any({pair.current_id, pair.stale_id} & wanted for pair in recalled.superseded)


def bm25_recall(
    analysis: Analysis,
    messages: Sequence[Message],
    question: str,
    evidence: Sequence[str],
    budget_tokens: int,
) -> float:
    """Share of the evidence in the messages that BM25 puts first, as many as fit."""
    order = baselines.bm25(messages, question)
    held = baselines.texts(analysis, baselines.take(analysis, order, budget_tokens))
    said = {message.message_id: message.content for message in messages}
    return evidence_recall(evidence, said, held)

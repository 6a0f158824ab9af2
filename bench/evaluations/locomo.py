"""LoCoMo: long talks of two people, with questions whose evidence is known (CC BY-NC 4.0)."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean
from typing import Any

from bench.evaluations import words
from helix_lab.domain.context.compression import Compressed
from helix_lab.domain.context.history import Message

_ADVERSARIAL = 5
_TEMPORAL = 2
_EVIDENCE_ID = re.compile(r"D\d+:\d+")


@dataclass(frozen=True, slots=True)
class Question:
    """A question with the words that an answer needs, each from one of its evidence messages."""

    text: str
    category: int
    evidence: tuple[str, ...]
    answer_words: frozenset[str]


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation and what is asked of it."""

    name: str
    messages: tuple[Message, ...]
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a context keeps of a talk, 0 to 1 each."""

    answers: float
    all_words: float
    negations: float
    decisions: float
    words: float


def read_talks(folder: Path) -> list[Talk]:
    """The talks of a folder with LoCoMo's JSON files."""
    paths = sorted(path for path in folder.glob("*.json") if "error" not in path.name)
    return [_talk(sample) for path in paths for sample in json.loads(path.read_text("utf-8"))]


def _talk(sample: Mapping[str, Any]) -> Talk:
    messages = tuple(_messages(sample["conversation"]))
    texts = {message.message_id: message.content for message in messages}
    questions = [_question(asked, texts) for asked in sample["qa"]]
    return Talk(sample["sample_id"], messages, tuple(filter(None, questions)))


def _messages(conversation: Mapping[str, Any]) -> list[Message]:
    made = []
    number = 1
    while f"session_{number}_date_time" in conversation:
        stated = conversation[f"session_{number}_date_time"]
        time = datetime.strptime(stated, "%I:%M %p on %d %B, %Y").replace(tzinfo=UTC)
        for turn in conversation.get(f"session_{number}", []):
            caption = turn.get("blip_caption")
            content = turn["text"] + (f"\n[image: {caption}]" if caption else "")
            role = "user" if turn["speaker"] == conversation["speaker_a"] else "assistant"
            data = {"role": role, "name": turn["speaker"], "content": content}
            made.append(Message(turn["dia_id"], time, data))
        number += 1
    return made


def _question(asked: Mapping[str, Any], texts: Mapping[str, str]) -> Question | None:
    found = [match for item in asked["evidence"] for match in _EVIDENCE_ID.findall(item)]
    evidence = tuple(dict.fromkeys(mid for mid in found if mid in texts))
    if not evidence:
        return None
    said = " ".join(texts[mid] for mid in evidence)
    needed = set(words.strong(str(asked.get("answer", "")))) & set(words.stems(said))
    if asked["category"] == _TEMPORAL:
        needed |= words.time_words(said)
    if asked["category"] == _ADVERSARIAL:
        needed = set()
    return Question(asked["question"], asked["category"], evidence, frozenset(needed))


def texts_by_message(compressed: Compressed) -> dict[str, str]:
    """What a context says of each message, by the ids that it cites."""
    parts: dict[str, list[str]] = {}
    for line in compressed.summary:
        for message_id in line.message_ids:
            parts.setdefault(message_id, []).append(line.text)
    for recent in compressed.recent_messages:
        parts.setdefault(recent.message_id, []).append(recent.text)
    return {message_id: "\n".join(texts) for message_id, texts in parts.items()}


def judge(talk: Talk, kept: Mapping[str, str]) -> Kept:
    """What texts, by message, keep of a talk."""
    held = {message_id: words.stems(text) for message_id, text in kept.items()}
    answers = [
        words.share(q.answer_words, set().union(*(held.get(mid, ()) for mid in q.evidence)))
        for q in talk.questions
        if q.answer_words
    ]
    negations = [Counter[str](), Counter[str]()]
    decided: list[bool] = []
    strong: list[float] = []
    for message in talk.messages:
        text = kept.get(message.message_id, "")
        mine = held.get(message.message_id, Counter())
        wanted = words.negations(message.content)
        negations[0] += wanted
        negations[1] += wanted & words.negations(text)
        decided += [words.share(d, mine) >= 0.8 for d in words.decisions(message.content)]
        strong.append(words.share(words.strong(message.content), mine))
    return Kept(
        answers=mean(answers),
        all_words=mean(value == 1 for value in answers),
        negations=negations[1].total() / max(1, negations[0].total()),
        decisions=mean(decided),
        words=mean(strong),
    )


def average(results: Sequence[Kept]) -> Kept:
    """The mean of several talks, each counted once."""
    return Kept(
        *(
            mean(getattr(result, field) for result in results)
            for field in ("answers", "all_words", "negations", "decisions", "words")
        )
    )

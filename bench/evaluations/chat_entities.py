"""Everyday chat: messages of LoCoMo and BEAM, labelled for this measure.

The rules of labelling are in docs/entities.md. The labels lie in `chat_entities.json`: ids of
messages with places and types, none of their text.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABELS = Path(__file__).parent / "chat_entities.json"
LOCOMO_MESSAGES, BEAM_MESSAGES = 200, 100
LOCOMO_SEEN = 2
"""Conversations of the file from which rules were written; the messages come from the others."""
BEAM_SEEN = frozenset({"1", "3"})
LONGEST = 600
"""Characters outside code blocks; longer messages are not drawn."""
SEED = 20261123

Span = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Chat:
    """A message, who talks, and what is labelled in it."""

    message_id: str
    text: str
    speakers: tuple[str, ...]
    labels: frozenset[Span]


def read_labelled(folder: Path) -> list[Chat]:
    """The labelled messages; the text comes from the sets in a folder."""
    labels = json.loads(LABELS.read_text(encoding="utf-8"))["messages"]
    return [
        Chat(
            chat.message_id,
            chat.text,
            chat.speakers,
            frozenset(map(_span, labels[chat.message_id])),
        )
        for chat in [*_locomo(folder), *_beam(folder)]
        if chat.message_id in labels
    ]


def _span(values: list[Any]) -> Span:
    start, end, kind = values
    return start, end, kind


def draw(folder: Path) -> list[Chat]:
    """The messages that are to be labelled, without labels: the same each time."""
    rng = random.Random(SEED)
    locomo = [chat for chat in _locomo(folder) if int(chat.message_id.split("/")[1]) >= LOCOMO_SEEN]
    beam = [chat for chat in _beam(folder) if chat.message_id.split("/")[1] not in BEAM_SEEN]
    return [*rng.sample(locomo, LOCOMO_MESSAGES), *rng.sample(beam, BEAM_MESSAGES)]


def _locomo(folder: Path) -> Iterator[Chat]:
    path = folder / "locomo" / "conversations-dev.json"
    for number, sample in enumerate(json.loads(path.read_text(encoding="utf-8"))):
        talk = sample["conversation"]
        speakers = (talk["speaker_a"], talk["speaker_b"])
        for session in (turns for turns in talk.values() if isinstance(turns, list)):
            for turn in session:
                message_id = f"locomo/{number}/{turn['dia_id']}"
                yield Chat(message_id, turn["text"], speakers, frozenset())


def _beam(folder: Path) -> Iterator[Chat]:
    for path in sorted(
        (folder / "beam-100k").glob("*/chat.json"), key=lambda p: int(p.parent.name)
    ):
        for batch in json.loads(path.read_text(encoding="utf-8")):
            for turn in (turn for turns in batch["turns"] for turn in turns):
                plain = re.sub(r"```.*?(?:```|$)", "", turn["content"], flags=re.DOTALL)
                if turn["role"] == "user" and len(plain) <= LONGEST:
                    message_id = f"beam/{path.parent.name}/{turn['id']}"
                    yield Chat(message_id, turn["content"], (), frozenset())

"""Additions: what a prompt is given beside the conversation, line by line, each with its source.

Every addition goes through here, whatever it comes from: it is ranked with the others, counted
into one budget, written into one block, and recorded with the prompt.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, Literal

from helix_lab.domain.context.index import stems_of
from helix_lab.domain.context.tokens import count_tokens

AdditionKind = Literal["knowledge", "memories", "style"]
"""Where additions come from: the knowledge graph, the memories and the style of the user."""

KINDS: tuple[AdditionKind, ...] = ("knowledge", "memories", "style")

LABEL = "what else is known"
"""Of the block in a prompt."""

ALWAYS_RECALLED = 0.9
"""Importance from which on a memory is given whatever is asked."""

LONGEST_TOKENS = 120
"""A longer line leaves no room for others, and is not given."""


@dataclass(frozen=True, slots=True)
class Addition:
    """One line of what else is known.

    Attributes:
        source: ids of what it comes from: `memory_id`; `pattern_id` of a learned preference; or
            `entity_id`, `other_id` and `relation` of an edge, the entity that the question
            names first.
    """

    kind: AdditionKind
    text: str
    source: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Additions:
    """What a prompt is given, and what could not be had.

    Attributes:
        notes: why something that was asked for is missing, or may be.
    """

    lines: tuple[Addition, ...] = ()
    notes: tuple[str, ...] = ()

    def render(self) -> str:
        """The lines as they stand in the prompt; empty where there is none."""
        return "\n".join(f"- {line.text}" for line in self.lines)


NONE_ADDED = Additions()


def read_additions(described: Mapping[str, Any]) -> Additions:
    """The additions out of what was recorded of a prompt or a debate."""
    lines = tuple(Addition(**line) for line in described.get("additions", ()))
    return Additions(lines, tuple(described.get("addition_notes", ())))


def fit(sources: Iterable[Sequence[Addition]], budget_tokens: int) -> tuple[Addition, ...]:
    """The best lines of all sources, in turn, that fit; each source has its best line first."""
    kept: list[Addition] = []
    said: set[str] = set()
    for line in chain.from_iterable(zip_longest(*sources)):
        if line is None or line.text in said:
            continue
        tokens = count_tokens(f"- {line.text}\n")
        if tokens <= min(budget_tokens, LONGEST_TOKENS):
            budget_tokens -= tokens
            kept.append(line)
            said.add(line.text)
    return tuple(kept)


def describe_relation(row: Mapping[str, Any], entity: Mapping[str, Any]) -> Addition:
    """An edge of an entity as a line: who does what to whom, how surely, and who says so."""
    ends = (_name(entity), _name(row))
    first, second = ends if row["is_source"] else ends[::-1]
    verb = row["relation"].lower().replace("_", " ")
    verb = "is related to" if verb == "related to" else verb
    times = f"{row['support']} message{'s' if row['support'] != 1 else ''}"
    text = f"{first} {verb} {second} (strength {row['strength']:.2f}, {times})"
    source = {"entity_id": entity["id"], "other_id": row["id"], "relation": row["relation"]}
    return Addition("knowledge", text, source)


def _name(row: Mapping[str, Any]) -> str:
    return f"{_flat(row['name'])} [{row['type']}]"


def describe_memory(row: Mapping[str, Any]) -> Addition:
    """A memory as a line, with its day: a fact of long ago may have passed."""
    text = f"{_flat(row['content'])} (remembered {row['updated_at']:%Y-%m-%d})"
    return Addition("memories", text, {"memory_id": row["memory_id"]})


def choose_style(
    preferences: Iterable[Mapping[str, Any]], min_confidence: float
) -> list[Mapping[str, Any]]:
    """Of each kind of preference the surest value, where it is sure enough; the surest first."""

    def sureness(row: Mapping[str, Any]) -> float:
        return float(
            (row["support"] + row["prior_support"]) / (row["trials"] + row["prior_trials"])
        )

    ranked = sorted(preferences, key=lambda row: (-sureness(row), row["pattern_id"]))
    best: dict[str, Mapping[str, Any]] = {}
    for row in ranked:
        best.setdefault(row["subject"], row)
    return [row for row in best.values() if sureness(row) >= min_confidence]


def describe_style(row: Mapping[str, Any]) -> Addition:
    """A learned preference as a line, with what it was counted from."""
    what, value = _flat(row["subject"]).replace("_", " "), _flat(row["object"])
    text = f"the user's {what}: {value} (in {row['support']} of {row['trials']} conversations)"
    return Addition("style", text, {"pattern_id": row["pattern_id"]})


def _flat(text: str) -> str:
    """A text in one line: a line of the block is one fact."""
    return " ".join(text.split())


def rank_memories(question: str, memories: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The memories that share words with a question, or matter always, the best first.

    A word counts the more, the fewer of the memories have it; importance weighs up to twice.
    """
    rows = list({row["memory_id"]: row for row in memories}.values())
    stems = {row["memory_id"]: set(stems_of(row["content"])) for row in rows}
    asked = set(stems_of(question))
    held = {stem: sum(stem in found for found in stems.values()) for stem in asked}

    def weigh(row: Mapping[str, Any]) -> float:
        importance = row["importance"] or 0.0
        shared = sum(1 / held[stem] for stem in asked & stems[row["memory_id"]])
        always = 0.01 if importance >= ALWAYS_RECALLED else 0.0
        return (shared + always) * (0.5 + importance)

    scores = {row["memory_id"]: weigh(row) for row in rows}
    found = [row for row in rows if scores[row["memory_id"]] > 0]
    return sorted(found, key=lambda row: (-scores[row["memory_id"]], row["memory_id"]))

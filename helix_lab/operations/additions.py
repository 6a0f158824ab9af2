"""Additions to prompts: the one place where what the lab knows is gathered for a question.

A chat and a debate ask here. A new kind of addition is a value in `KINDS` and a function in
`_SOURCES`. Nothing here fails a prompt: what cannot be read is left out, and said so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import Field

from helix_lab.domain.context.additions import (
    ALWAYS_RECALLED,
    Addition,
    AdditionKind,
    Additions,
    choose_style,
    describe_memory,
    describe_relation,
    describe_style,
    fit,
    rank_memories,
)
from helix_lab.domain.context.index import stems_of
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.knowledge.mention import GRAPH_TYPES
from helix_lab.domain.model.errors import HelixError
from helix_lab.domain.model.event import DEBATE_STARTED, DEBATES
from helix_lab.jobs.debate_request import OWN_SOURCE
from helix_lab.operations.operation import Response
from helix_lab.operations.services import Services
from helix_lab.queries import conversations, knowledge, learning
from helix_lab.queries.memories import MemoryFilter, list_memories

MAX_TOKENS = 20_000
DEFAULT_TOKENS = 400

Add = Annotated[
    list[AdditionKind] | None,
    Field(
        description="what else is known that the prompt is given: relations of the things that "
        "are named, memories of the user, and the style that the user likes; absent: "
        "CONTEXT_ADDITIONS of the lab"
    ),
]
AddTokens = Annotated[
    int, Field(ge=0, le=MAX_TOKENS, description="of the prompt, for all that is added, at most")
]

_MOST_ENTITIES = 6
_MOST_RELATIONS = 6
_LEAST_STRENGTH = 0.4
_MOST_WORDS = 12
_MOST_MEMORIES = 50


class AddedLine(Response):
    """A line that a prompt was given beside the conversation, and where it comes from."""

    kind: str = Field(description="knowledge, memories or style")
    text: str
    source: dict[str, str] = Field(
        description="memory_id; pattern_id; or entity_id, other_id and relation of an edge"
    )


def gather(
    services: Services,
    question: str,
    *,
    add: Sequence[AdditionKind] | None,
    max_tokens: int,
    user_id: str | None = None,
    conversation_id: str | None = None,
) -> Additions:
    """What is known on a question, within a budget.

    Args:
        services: of the lab.
        question: what is asked.
        add: kinds of additions; None: what the lab is set to.
        max_tokens: of all lines together.
        user_id: whose memories; None: the user's of the conversation.
        conversation_id: where it is asked.
    """
    kinds = services.contexts.policy.additions if add is None else tuple(dict.fromkeys(add))
    notes: list[str] = []
    if not kinds or max_tokens <= 0:
        return Additions()

    def read(kind: AdditionKind) -> list[Addition]:
        store, source = _SOURCES[kind]
        try:
            with services.projections.reading(store) as is_level:
                found = source(services, question, user_id or _find_user(services, conversation_id))
        except HelixError as error:
            notes.append(f"{kind}: left out, {error.message}")
            return []
        if not is_level:
            notes.append(f"{kind}: the newest may be missing, {store!r} is behind the log")
        return found

    lines = fit([read(kind) for kind in kinds], max_tokens)
    return Additions(lines, tuple(notes))


def show_additions(additions: Additions) -> list[AddedLine]:
    """The lines, for an answer."""
    return [
        AddedLine(kind=line.kind, text=line.text, source=dict(line.source))
        for line in additions.lines
    ]


def read_debate_metadata(services: Services, debate: Mapping[str, Any]) -> Mapping[str, Any]:
    """What is recorded with the start of a debate: its additions, and why its seats."""
    entries = services.log.read_key(DEBATES, debate["conversation_id"])
    for event in (entry.event for entry in entries if debate["source"] == OWN_SOURCE):
        if event.type == DEBATE_STARTED.name and event.subject == debate["debate_id"]:
            return event.data.get("metadata") or {}
    return {}


def _find_user(services: Services, conversation_id: str | None) -> str | None:
    if conversation_id is None:
        return None
    row = conversations.find_conversation(services.records, conversation_id)
    return None if row is None else row["user_id"]


def _read_relations(services: Services, question: str, _user_id: str | None) -> list[Addition]:
    """The strongest relations of the things that a question names, thing by thing."""
    mentions = open_extractor().extract(question)
    names = {mention.name: mention.type for mention in mentions if mention.type in GRAPH_TYPES}
    rows: list[tuple[float, Addition]] = []
    seen: set[frozenset[str]] = set()
    for name in list(names)[:_MOST_ENTITIES]:
        entity = knowledge.find_entity(services.graph, name)
        if entity is None:
            continue
        for row in knowledge.list_related(
            services.graph,
            entity["id"],
            min_strength=_LEAST_STRENGTH,
            as_of=knowledge.ALWAYS,
            limit=_MOST_RELATIONS,
        ):
            edge = frozenset({entity["id"], row["id"]})
            if edge not in seen:
                seen.add(edge)
                rows.append((row["strength"], describe_relation(row, entity)))
    rows.sort(key=lambda row: -row[0])
    return [line for _, line in rows]


def _read_memories(services: Services, question: str, user_id: str | None) -> list[Addition]:
    """The memories of a user that fit a question; none where nobody knows who asks."""
    if user_id is None:
        return []
    words = [f"{stem}*" for stem in dict.fromkeys(stems_of(question))][:_MOST_WORDS]
    now = datetime.now(UTC)

    def search(query: str | None, limit: int) -> list[dict[str, object]]:
        wanted = MemoryFilter(query, user_id)
        rows = list_memories(services.records, wanted, now=now, limit=limit, after=None)
        return [dict(row) for row in rows]

    found = [row for word in words for row in search(word, _MOST_MEMORIES)]
    found += [
        row
        for row in search(None, 4 * _MOST_MEMORIES)
        if float(str(row["importance"] or 0)) >= ALWAYS_RECALLED
    ]
    return [describe_memory(row) for row in rank_memories(question, found)]


def _read_style(services: Services, _question: str, user_id: str | None) -> list[Addition]:
    """How a user likes to be answered: of each kind the value that most conversations show."""
    if user_id is None:
        return []
    limits = services.learner.thresholds
    rows = learning.list_patterns(
        services.records,
        user_id=user_id,
        pattern_type="user_preference",
        min_frequency=limits.min_frequency,
        limit=_MOST_MEMORIES,
    )
    return [describe_style(row) for row in choose_style(rows, limits.min_confidence)]


_Source = Callable[[Services, str, str | None], list[Addition]]
_SOURCES: dict[AdditionKind, tuple[str, _Source]] = {
    "knowledge": ("graph", _read_relations),
    "memories": ("memory", _read_memories),
    "style": ("learning", _read_style),
}

"""Writing the graph: what messages say is added; what a merge or split touches is made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any

import msgspec

from helix_lab.domain.knowledge.edges import (
    EXCLUSIVE,
    Claim,
    EdgePart,
    EntityPart,
    Pair,
    Parts,
    sum_up,
    to_intervals,
    to_strength,
)
from helix_lab.domain.knowledge.evidence import Evidence, Named, Statement
from helix_lab.domain.knowledge.merges import Merge, changed_by, list_active, resolve
from helix_lab.ports.graph import GraphTransaction, Row


class _Facts(msgspec.Struct, array_like=True):
    """What a message says, as it is kept beside it."""

    named: tuple[Named, ...]
    statements: tuple[Statement, ...]


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Facts)


def add_evidence(
    transaction: GraphTransaction, evidence: Sequence[Evidence]
) -> tuple[Parts, list[str]]:
    """Add messages that are not in the graph yet; what they add, and the ids of new entities."""
    by_id = {message.message_id: message for message in evidence}
    for row in transaction.run("known_messages", ids=list(by_id)):
        del by_id[row["id"]]
    new = list(by_id.values())
    if not new:
        return Parts(), []
    transaction.run("add_messages", rows=[_show_message(message) for message in new])
    ids = {thing.entity_id for message in new for thing in message.named}
    merged = transaction.run("merged_entities", ids=sorted(ids))
    shown = {row["id"]: row["entity_id"] for row in merged}
    parts = sum_up(new, lambda entity_id: shown.get(entity_id, entity_id))
    return parts, _add(transaction, parts)


def apply_merges(
    transaction: GraphTransaction, merges: Iterable[Merge], undone: Iterable[str]
) -> None:
    """Keep merges and splits, and make anew what is shown otherwise by them."""
    before = resolve(list_active(transaction.run("all_merges")))
    rows = [msgspec.structs.asdict(merge) for merge in merges]
    for row in rows:
        row["id"] = row.pop("merge_id")
    _run(transaction, "add_merges", rows)
    _run(transaction, "undo_merges", [{"id": merge_id} for merge_id in undone])
    after = resolve(list_active(transaction.run("all_merges")))
    changed = changed_by(before, after)
    if changed:
        _make_anew(transaction, changed, before, after)


def describe_conversations(
    transaction: GraphTransaction, told: Mapping[str, Mapping[str, str]]
) -> None:
    """Set what is told of conversations: any of `title`, `started_at` and `user_id`, by id."""
    if not told:
        return
    _run(transaction, "add_conversations", [{"id": conversation_id} for conversation_id in told])
    rows = []
    for row in transaction.run("find_conversations", ids=list(told)):
        news = told[row["id"]]
        rows.append({name: news.get(name) or row[name] or "" for name in ("title", "started_at")})
        rows[-1]["id"] = row["id"]
    _run(transaction, "describe_conversations", rows)
    starts = [
        {"user_id": news["user_id"], "conversation_id": conversation_id}
        for conversation_id, news in told.items()
        if news.get("user_id")
    ]
    _run(transaction, "add_users", [{"id": id} for id in {row["user_id"] for row in starts}])
    _run(transaction, "add_starts", starts)


def _make_anew(
    transaction: GraphTransaction,
    changed: Set[str],
    before: Mapping[str, str],
    after: Mapping[str, str],
) -> None:
    """Remove the entities that changed ones showed as, and add them as they show now."""
    old = {before.get(entity_id, entity_id) for entity_id in changed}
    members = changed | {id for id, shown in before.items() if shown in old} | old
    new = {after.get(entity_id, entity_id) for entity_id in members}
    touched = old | new
    evidence = _read_evidence(transaction.run("evidence_of", ids=sorted(touched)))
    transaction.run("drop_entities", ids=sorted(touched))
    transaction.run("drop_merged", ids=sorted(members))
    shown = {id: after[id] for id in members if after.get(id, id) != id}
    _run(transaction, "add_merged", [{"id": i, "entity_id": shown[i]} for i in sorted(shown)])
    _add(transaction, sum_up(evidence, _resolver(transaction, evidence), only=touched))


def _resolver(transaction: GraphTransaction, evidence: Iterable[Evidence]) -> Callable[[str], str]:
    ids = {thing.entity_id for message in evidence for thing in message.named}
    rows = transaction.run("merged_entities", ids=sorted(ids))
    shown = {row["id"]: row["entity_id"] for row in rows}
    return lambda entity_id: shown.get(entity_id, entity_id)


def _add(transaction: GraphTransaction, parts: Parts) -> list[str]:
    created = _add_entities(transaction, parts.entities)
    conversations = {conversation_id for _, conversation_id in parts.mentioned}
    _run(transaction, "add_conversations", [{"id": id} for id in sorted(conversations)])
    mentions = [
        {"message_id": message_id, "entity_id": entity_id, "count": count}
        for (message_id, entity_id), count in parts.named.items()
    ]
    _run(transaction, "add_mentions", mentions)
    mentioned = [
        {"entity_id": first, "conversation_id": second, "count": edge.count, **_times(edge)}
        for (first, second), edge in parts.mentioned.items()
    ]
    _run(transaction, "add_mentioned_in", mentioned)
    together = [
        {"source": first, "target": second, "frequency": edge.count, **_times(edge)}
        for (first, second), edge in parts.together.items()
    ]
    _run(transaction, "add_co_occurrences", together)
    related = [
        {"source": source, "target": target, "type": kind, **_support(edge)}
        for (source, target, kind), edge in parts.related.items()
    ]
    _run(transaction, "add_relations", related)
    if parts.claims:
        _replace_claims(transaction, parts.claims)
    return created


def _add_entities(transaction: GraphTransaction, parts: Mapping[str, EntityPart]) -> list[str]:
    known = {row["id"]: row for row in transaction.run("find_entities", ids=list(parts))}
    new, counted, renamed = [], [], []
    for entity_id, part in parts.items():
        row = known.get(entity_id)
        if row is None:
            new.append(_name(entity_id, part) | _count(entity_id, part))
            continue
        aliases = part.aliases | set(row["aliases"])
        part.confidence = max(part.confidence, row["confidence"])
        part.first_at = min(part.first_at, row["created_at"])
        part.last_at = max(part.last_at, row["updated_at"])
        counted.append(_count(entity_id, part))
        if part.named_at < row["named_at"] or len(aliases) > len(row["aliases"]):
            if part.named_at > row["named_at"]:
                part.name, part.type = row["name"], row["type"]
                part.named_at = row["named_at"]
            part.aliases = aliases
            renamed.append(_name(entity_id, part))
    _run(transaction, "add_entities", new)
    _run(transaction, "count_mentions", counted)
    _run(transaction, "rename_entities", renamed)
    return [row["id"] for row in new]


def _name(entity_id: str, part: EntityPart) -> Row:
    aliases = sorted(part.aliases)
    return {
        "id": entity_id,
        "name": part.name,
        "key": part.name.casefold(),
        "type": part.type,
        "named_at": part.named_at,
        "aliases": aliases,
        "keys": sorted({alias.casefold() for alias in aliases}),
    }


def _count(entity_id: str, part: EntityPart) -> Row:
    return {
        "id": entity_id,
        "mention_count": part.mentions,
        "message_count": part.messages,
        "confidence": float(part.confidence),
        "created_at": part.first_at,
        "updated_at": part.last_at,
    }


def _replace_claims(transaction: GraphTransaction, claims: Mapping[Pair, list[Claim]]) -> None:
    """Make the exclusive relations of some entities anew, from all that was ever said of them."""
    sources = sorted({source for source, _ in claims})
    evidence = _read_evidence(transaction.run("claims_of", ids=sources))
    found = sum_up(evidence, _resolver(transaction, evidence), only=set(sources)).claims
    rows = [{"source": source, "type": kind} for source, kind in claims]
    _run(transaction, "drop_claims", rows)
    edges = [
        {
            "source": source,
            "target": interval.target,
            "type": kind,
            "valid_to": interval.until_at,
            **_support(interval.edge),
        }
        for source, kind in claims
        for interval in to_intervals(found[source, kind])
    ]
    for is_open in (True, False):
        _run(transaction, "add_claims", [e for e in edges if (e["valid_to"] is None) is is_open])


def _times(edge: EdgePart) -> Row:
    return {"first_at": edge.first_at, "last_at": edge.last_at}


def _support(edge: EdgePart) -> Row:
    strength = to_strength(edge.bits)
    return {"support": edge.count, "weight": edge.bits, "strength": strength, **_times(edge)}


def _show_message(message: Evidence) -> Row:
    facts = _ENCODER.encode(_Facts(message.named, message.statements)).decode()
    return {
        "id": message.message_id,
        "conversation_id": message.conversation_id,
        "time": message.time,
        "facts": facts,
        "has_claims": any(said.type in EXCLUSIVE for said in message.statements),
    }


def _read_evidence(rows: Iterable[Row]) -> list[Evidence]:
    found = []
    for row in rows:
        facts = _DECODER.decode(row["facts"])
        known = (row["id"], row["conversation_id"], row["time"])
        found.append(Evidence(*known, facts.named, facts.statements))
    return found


def _run(transaction: GraphTransaction, statement: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        transaction.run(statement, rows=rows)

"""Merges lie over the ids: what is undone leaves no trace, in whatever order it came."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable

from helix_lab.domain.knowledge.edges import Parts, sum_up
from helix_lab.domain.knowledge.evidence import Evidence, Named, Statement
from helix_lab.domain.knowledge.merges import (
    Merge,
    changed_by,
    find_latest,
    group_of,
    resolve,
)

IDS = [f"ent-{letter}" for letter in "abcdef"]


def test_nothing_merged_shows_as_itself() -> None:
    assert {} == resolve([])
    assert {"ent-a"} == group_of("ent-a", [])


def test_a_chain_shows_as_the_target_of_the_latest_merge() -> None:
    merges = [Merge(1, "x", "ent-a", "ent-b"), Merge(2, "y", "ent-b", "ent-c")]

    assert dict.fromkeys(["ent-a", "ent-b", "ent-c"], "ent-c") == resolve(merges)


def test_merges_that_contradict_are_one_group_and_the_later_target_shows() -> None:
    there, back = Merge(1, "x", "ent-a", "ent-b"), Merge(2, "y", "ent-b", "ent-a")

    assert {"ent-a": "ent-a", "ent-b": "ent-a"} == resolve([there, back]) == resolve([back, there])
    assert back == find_latest("ent-b", [there, back])


def test_only_what_shows_otherwise_is_changed() -> None:
    before = resolve([Merge(1, "x", "ent-a", "ent-b")])
    after = resolve([Merge(1, "x", "ent-a", "ent-b"), Merge(2, "y", "ent-c", "ent-b")])

    assert {"ent-c"} == changed_by(before, after)
    assert {"ent-a"} == changed_by(before, {})


def test_ten_thousand_sequences_of_merges_and_splits_restore_the_exact_graph() -> None:
    draw = random.Random(7)
    evidence = [draw_message(draw, number) for number in range(6)]
    untouched = hash_of(sum_up(evidence, lambda entity_id: entity_id))
    hashes: dict[frozenset[Merge], str] = {}

    for _ in range(10_000):
        active: set[Merge] = set()
        steps = [Merge(n, f"x{n}", *draw.sample(IDS, 2)) for n in range(draw.randrange(1, 6))]
        for merge in steps:
            active.add(merge)
            if draw.random() < 0.3:
                active.remove(draw.choice(sorted(active, key=lambda m: m.clock)))
        kept = frozenset(active)
        shown = resolve(draw.sample(sorted(active, key=lambda m: m.clock), len(active)))
        found = hash_of(sum_up(draw.sample(evidence, 6), lambda i, s=shown: s.get(i, i)))  # type: ignore[misc]
        assert hashes.setdefault(kept, found) == found
        assert kept or found == untouched

    assert len(set(hashes.values())) > 100
    assert untouched == hash_of(sum_up(evidence, lambda entity_id: entity_id))


def draw_message(draw: random.Random, number: int) -> Evidence:
    ids = draw.sample(IDS, 4)
    named = tuple(
        Named(i, i.upper(), "concept", (i, i.title()), draw.randrange(1, 4), 0.7, (place % 2,))
        for place, i in enumerate(ids)
    )
    statements = (
        Statement(ids[0], ids[1], "uses", 0.8),
        Statement(ids[2], ids[3], "works_at", 0.9),
    )
    return Evidence(f"m{number}", f"c{number % 2}", f"2026-01-0{number + 1}", named, statements)


def hash_of(parts: Parts) -> str:
    lines: list[str] = []
    for kind in ("named", "mentioned", "together", "related"):
        lines += [f"{kind} {key} {value}" for key, value in getattr(parts, kind).items()]
    lines += [f"{key} {sorted(map(str, claims))}" for key, claims in parts.claims.items()]
    lines += list(_show_entities(parts))
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def _show_entities(parts: Parts) -> Iterable[str]:
    for entity_id, part in parts.entities.items():
        yield f"{entity_id} {part.named_at} {part.name} {sorted(part.aliases)} {part.mentions}"

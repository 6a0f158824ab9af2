"""Messages are read once for all projections that want to know what they say."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.projections.evidence_reader import EvidenceReader
from helix_lab.projections.graph_process import EvidenceProcess, Saying


@dataclass
class CountingExtractor:
    """The extractor, and how often it was asked."""

    inner: Any = field(default_factory=open_extractor)
    asked: int = 0

    def extract(self, *arguments: Any, **named: Any) -> Any:
        self.asked += 1
        return self.inner.extract(*arguments, **named)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


def make_saying(number: int, text: str = "Docker runs on Kubernetes") -> Saying:
    return Saying(text, f"m{number}", "c", "2026-01-01T00:00:00.000000Z")


def test_a_message_that_two_ask_for_is_read_once() -> None:
    extractor = CountingExtractor()
    reader = EvidenceReader(extractor)

    first = reader.read(make_saying(1))
    asked = extractor.asked

    assert reader.read(make_saying(1)) is first
    assert asked == extractor.asked > 0
    assert first.named


def test_what_the_process_read_is_what_is_read_here() -> None:
    apart, here = EvidenceReader(open_extractor()), EvidenceReader(open_extractor())
    sayings = [make_saying(number, f"Redis and service{number}.py") for number in range(5)]

    apart.prepare("graph", sayings)

    assert [here.read(one) for one in sayings] == [apart.read(one) for one in sayings]
    apart.rest("graph")


def test_the_process_stays_until_nobody_reads_in_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(EvidenceProcess, "read", lambda _, sayings: [])
    monkeypatch.setattr(EvidenceProcess, "close", lambda _: closed.append("closed"))
    reader = EvidenceReader(open_extractor())
    for name in ("graph", "learning"):
        reader.prepare(name, [make_saying(1)])

    reader.rest("graph")
    assert [] == closed
    reader.rest("learning")
    assert ["closed"] == closed

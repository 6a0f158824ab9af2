"""Long batches are read by a process beside the lab: the answer is the same, also without it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.lab import Lab
from helix_lab.projections.graph import GraphProjection
from helix_lab.projections.graph_process import EvidenceProcess, Saying, read_saying
from helix_lab.record import drafts
from tests.flow.labs import catch_up, open_at, rebuild, wait_until

TIME = "2026-11-23T12:00:00.000000Z"
SAYINGS = [
    Saying(text, f"m{place}", "c", TIME, ("Ada",))
    for place, text in enumerate(
        ["Ada runs Kafka on Kubernetes.", "", "Docker uses `containerd` in Berlin. 🐳", "ok"]
    )
]


@pytest.fixture
def process() -> Iterator[EvidenceProcess]:
    reading = EvidenceProcess()
    yield reading
    reading.close()


def list_children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if any("graph_process" in word for word in child.cmdline())
    ]


def test_the_process_reads_what_this_one_would(process: EvidenceProcess) -> None:
    extractor = open_extractor()

    assert [read_saying(saying, extractor) for saying in SAYINGS] == process.read(SAYINGS)
    assert [] == process.read([])


def test_a_process_that_died_is_told_and_started_again(process: EvidenceProcess) -> None:
    process.read(SAYINGS)
    (child,) = list_children()
    child.kill()
    child.wait()

    with pytest.raises((OSError, EOFError)):
        process.read(SAYINGS)
    process.close()

    assert len(SAYINGS) == len(process.read(SAYINGS))


def test_closing_ends_the_process(process: EvidenceProcess) -> None:
    process.read(SAYINGS)
    (child,) = list_children()

    process.close()
    process.close()

    assert not child.is_running()


def list_edges(lab: Lab) -> list[object]:
    catch_up(lab)
    return list(lab.export_graph(format="json").edges)


def test_a_graph_of_long_batches_is_that_of_short_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = [
        drafts.add_message(
            f"c{number % 3}", f"m{number}", role="user", content=f"Kafka {number % 5} runs on Redis"
        )
        for number in range(60)
    ]
    with open_at(tmp_path) as lab:
        lab.services.writer.record(said)
        short = list_edges(lab)
        monkeypatch.setattr(GraphProjection, "batch_size", 20)
        rebuild(lab, "graph")
        long = list_edges(lab)

    wait_until(lambda: not list_children())
    assert short == long
    assert short

"""The embedded graph of a million edges against networkx, and how soon a message is in it."""

from __future__ import annotations

import importlib
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING, Any

from bench.harness import CannotRunError
from helix_lab import Lab, open_lab
from helix_lab.adapters.graph_ladybug import LadybugGraph
from helix_lab.domain.knowledge.evidence import Evidence, Named
from helix_lab.projections.graph import MOST_HELD
from helix_lab.projections.graph_writing import add_evidence
from helix_lab.queries import knowledge, paths
from helix_lab.queries.statements import load_graph_schema, load_graph_statements

if TYPE_CHECKING:
    from bench.harness import Options, Report

ENTITIES = 100_000
EDGES = 1_000_000
QUESTIONS = 1000
PATHS = 200
MESSAGES_PER_SECOND = 200
TOOLS = ("Docker", "Redis", "Kafka", "Python", "Rust", "GraphQL", "JWT", "Postgres", "Neo4j")


def run(report: Report, options: Options) -> None:
    """Filling, neighbours, paths, and the time from a message to its edge."""
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        store = open_store(Path(name))
        try:
            evidence = list(draw_evidence(options))
            baseline = import_networkx().Graph()
            fill(report, store, evidence, baseline)
            ask_neighbours(report, options, store, baseline)
            ask_paths(report, options, store, baseline)
        finally:
            store.close()
        measure_visible(report, options, Path(name) / "lab")


def open_store(folder: Path) -> LadybugGraph:
    """An empty graph."""
    return LadybugGraph(
        folder / "graph.lbug",
        schema=load_graph_schema("ladybug"),
        statements=load_graph_statements("ladybug"),
    )


def import_networkx() -> Any:
    """The baseline, where it is installed."""
    try:
        return importlib.import_module("networkx")
    except ImportError:
        message = "it needs networkx: pip install 'helix-lab[bench]'"
        raise CannotRunError(message) from None


def draw_evidence(options: Options) -> Iterator[Evidence]:
    """Messages that name three things in one sentence, some things far more often than others.

    Each gives three relations, three co-occurrences and three mentions: with the edges that meet
    again about a million edges in all.
    """
    draw = random.Random(options.seed)
    entities, messages = options.size(ENTITIES), options.size(EDGES) // 9
    for number in range(messages):
        ids = {int(entities * draw.random() ** 2) for _ in range(3)}
        named = tuple(
            Named(f"ent-{i:016x}", f"Thing {i}", "technology", (f"Thing {i}",), 1, 0.9, (0,))
            for i in sorted(ids)
        )
        yield Evidence(f"m{number}", f"c{number // 50}", "2026-01-01T00:00:00.000000Z", named)


def fill(report: Report, store: LadybugGraph, evidence: Sequence[Evidence], baseline: Any) -> None:
    """All messages, extracted before, held back and written as by a rebuild."""
    started = time.perf_counter()
    for begin in range(0, len(evidence), MOST_HELD):
        with store.transaction() as transaction:
            add_evidence(transaction, evidence[begin : begin + MOST_HELD])
    took_s = time.perf_counter() - started
    started = time.perf_counter()
    for message in evidence:
        ids = [thing.entity_id for thing in message.named]
        for place, first in enumerate(ids):
            for second in ids[place + 1 :]:
                weight = baseline.get_edge_data(first, second, {"strength": 0})["strength"]
                baseline.add_edge(first, second, strength=weight + 1)
    baseline_s = time.perf_counter() - started
    counts = knowledge.count_graph(store)
    edges = sum(counts[name] for name in ("related_to", "co_occurs_with", "mentioned_in"))
    report.add(
        f"fill: {edges:,} edges of {counts['entities']:,} entities, {len(evidence):,} messages",
        "time",
        took_s,
        "s",
        baseline="networkx, relations alone, in memory",
        baseline_value=baseline_s,
        runs=1,
        targets=(20, 5),
    )


def ask_neighbours(report: Report, options: Options, store: LadybugGraph, baseline: Any) -> None:
    """The ten strongest neighbours of random things."""
    draw = random.Random(options.seed)
    asked = draw.choices(sorted(baseline.nodes), k=options.size(QUESTIONS))

    def ask(entity_id: str) -> None:
        limits = {"min_strength": 0.5, "as_of": knowledge.ALWAYS, "limit": 10}
        knowledge.list_related(store, entity_id, **limits)  # type: ignore[arg-type]

    def ask_baseline(entity_id: str) -> None:
        neighbours = baseline[entity_id].items()
        sorted(neighbours, key=lambda item: -item[1]["strength"])[:10]

    note(report, "related, 10 strongest", asked, ask, ask_baseline, must={"p50": 1, "p99": 10})


def ask_paths(report: Report, options: Options, store: LadybugGraph, baseline: Any) -> None:
    """Shortest paths of four steps at most between random things."""
    networkx = import_networkx()
    draw = random.Random(options.seed)
    nodes = sorted(baseline.nodes)
    asked = [tuple(draw.sample(nodes, 2)) for _ in range(options.size(PATHS))]

    def ask(pair: tuple[str, str]) -> None:
        paths.find_path(store, *pair, max_depth=4)

    def ask_baseline(pair: tuple[str, str]) -> None:
        if networkx.has_path(baseline, *pair):
            networkx.shortest_path(baseline, *pair)

    note(report, "path of 4 steps at most", asked, ask, ask_baseline, must={"p99": 50})


def note(
    report: Report,
    case: str,
    asked: Sequence[Any],
    ask: Callable[[Any], None],
    ask_baseline: Callable[[Any], None],
    *,
    must: dict[str, float],
) -> None:
    """The times of all questions beside those of networkx."""
    ours, theirs = (time_all(call, asked) for call in (ask, ask_baseline))
    for name in ("p50", "p99"):
        targets = (must[name], None) if name in must else None
        report.add(
            f"{case}, {len(asked)} questions",
            name,
            ours[name],
            "ms",
            baseline="networkx in memory",
            baseline_value=theirs[name],
            runs=1,
            targets=targets,
        )


def time_all(call: Callable[[Any], None], asked: Sequence[Any]) -> dict[str, float]:
    """Percentiles of the milliseconds of each call."""
    times = []
    for question in asked:
        started = time.perf_counter()
        call(question)
        times.append(1000 * (time.perf_counter() - started))
    cuts = quantiles(times, n=100)
    return {"p50": cuts[49], "p99": cuts[98]}


def measure_visible(report: Report, options: Options, folder: Path) -> None:
    """Messages at 200 a second; some of them are waited for in the graph."""
    draw = random.Random(options.seed)
    times: list[float] = []
    with open_lab(folder) as lab:
        first_ms = _time_first(lab)
        began = time.perf_counter()
        for number in range(options.size(2000)):
            pause_s = began + number / MESSAGES_PER_SECOND - time.perf_counter()
            if pause_s > 0:
                time.sleep(pause_s)
            first, second = draw.sample(TOOLS, 2)
            said = {"role": "user", "content": f"{first} uses {second}, in case {number}."}
            lab.append_messages("c", [said])
            if number % 20 == 0:
                started = time.perf_counter()
                lab.services.projections.catch_up("graph", timeout_s=20)
                times.append(1000 * (time.perf_counter() - started))
    report.add("first message of a lab → visible edge", "time", first_ms, "ms", runs=1)
    cuts = quantiles(times, n=100)
    case = f"message → visible edge at {MESSAGES_PER_SECOND} messages/s"
    report.add(case, "p50", cuts[49], "ms", runs=1)
    report.add(case, "p99", cuts[98], "ms", runs=1, targets=(50, 20))


def _time_first(lab: Lab) -> float:
    """How long the first edge takes, for which this process loads what writes edges."""
    lab.start_conversation(conversation_id="c")
    started = time.perf_counter()
    lab.append_messages("c", [{"role": "user", "content": f"{TOOLS[0]} uses {TOOLS[1]}."}])
    lab.services.projections.catch_up("graph", timeout_s=20)
    return 1000 * (time.perf_counter() - started)

"""Memories: the rules, a store of many, search, and nodes that exchange them through one file."""

from __future__ import annotations

import json
import random
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import memory_baselines
from bench.memory_lag import make_drafts, measure_lags
from helix_lab import open_lab
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.memory.replica import Commit, Replica
from helix_lab.domain.memory.strategies import merge_all, show
from helix_lab.domain.model.clock import make_hybrid_time
from helix_lab.record.memories import update_memory
from helix_lab.records.memory_states import dump_record
from helix_lab.settings import Settings

if TYPE_CHECKING:
    from bench.harness import Options, Report
    from helix_lab.lab import Lab

NODES = ("east", "west", "north")
COMMIT = 100
KEYS = 1000
WORDS = 20_000
RATES = {1000: 10, 5000: 50}
"""Updates a second, and how many are written together."""
CATCH_UP_S = 600.0


def run(report: Report, options: Options) -> None:
    """Merging, beside others, overwriting, many writers, writing, search, opening, lag."""
    rng = random.Random(options.seed)
    measure_merging(report, options)
    memory_baselines.measure(report, options)
    measure_overwriting(report, options)
    measure_many_writers(report)
    with tempfile.TemporaryDirectory(prefix="helix-bench-") as name:
        measure_writing(report, options, Path(name), rng)
        measure_store(report, options, Path(name), rng)
        measure_lag(report, options, Path(name))


def measure_merging(report: Report, options: Options) -> None:
    """Commits of three nodes, each seeing what came before the commit of the round."""
    commits = make_commits(options.size(300))
    rates = []
    for _ in range(options.runs):
        replica = make_replica("reader")
        began = time.perf_counter()
        for commit in commits:
            replica.take(commit)
        rates.append(len(commits) * COMMIT / (time.perf_counter() - began))
    rate = median(rates)
    report.add(f"merge, {KEYS} keys, commits of {COMMIT}, 3 nodes", "throughput", rate, "updates/s")


def make_commits(rounds: int) -> list[Commit]:
    """Every node commits in each round, and sees the others' of the round before."""
    commits, numbers = [], count()
    seen: dict[str, int] = {}
    for _ in range(rounds):
        for node in NODES:
            updates = [make_update(next(numbers)) for _ in range(COMMIT)]
            commits.append(Commit(node, seen.get(node, 0) + 1, dict(seen), updates))
        seen = {node: seen.get(node, 0) + COMMIT for node in NODES}
    return commits


def make_update(number: int) -> Update:
    """An edit of one of the keys."""
    changes = {"content": f"fact number {number}"}
    return Update(f"m{number % KEYS}", Kind.EDIT, 1, make_hybrid_time(number), changes)


def make_replica(node: str) -> Replica:
    """A replica that knows the nodes."""
    replica = Replica(node)
    for name in (node, *NODES):
        replica.add_member(name)
    return replica


def measure_overwriting(report: Report, options: Options) -> None:
    """Bytes of the state as JSON against those of the values alone, once all have acknowledged."""
    replica = make_replica("east")
    for number in range(options.size(200_000)):
        replica.write([make_update(number)], clock=make_hybrid_time(number))
    for node in list(replica.acknowledged):
        replica.take_acknowledgement(node, dict(replica.vector))
    live = {k: {n: e[-1].value for n, e in r.entries.items()} for k, r in replica.records.items()}
    before = len(json.dumps({k: dump_record(r) for k, r in replica.records.items()}))
    replica.compact()
    after = len(json.dumps({k: dump_record(r) for k, r in replica.records.items()}))
    size = len(json.dumps(live))
    case = f"{options.size(200_000)} overwrites of {KEYS} keys"
    report.add(case, "state over live bytes, with dots", before / size, "×", runs=1)
    report.add(
        case, "state over live bytes, settled", after / size, "×", runs=1, targets=(2.0, 1.5)
    )


def measure_many_writers(report: Report) -> None:
    """One memory, a hundred nodes that each changed it unseen by the others."""
    replica = Replica("reader")
    for number in range(100):
        replica.add_member(f"node-{number}")
    began = time.perf_counter()
    for number in range(100):
        update = Update("m", Kind.CREATE, 1, number, {"content": f"Prefer way {number}"})
        replica.take(Commit(f"node-{number}", 1, {}, [update]))
    show("m", replica.records["m"], merge_all)
    took = (time.perf_counter() - began) * 1000
    report.add(
        "100 concurrent updates of one memory, merged", "time", took, "ms", runs=1,
        targets=(100, 10),
    )  # fmt: skip


def measure_store(report: Report, options: Options, folder: Path, rng: random.Random) -> None:
    """A lab of many memories: filling, searching, opening."""
    number = options.size(100_000)
    with open_node(folder, "east", shared=None) as lab:
        began = time.perf_counter()
        for first in range(0, number, 1000):
            write(lab, range(first + 1, min(first + 1000, number) + 1), rng)
        assert lab.services.projections.catch_up("memory", timeout_s=CATCH_UP_S)
        shown = number / (time.perf_counter() - began)
        report.add("own updates, groups of 1,000", "durable and shown", shown, "updates/s", runs=1)
        times = [search(lab, rng) for _ in range(options.size(500))]
    case = f"search of 1 to 3 words, {number} memories"
    report.add(case, "p50", find_share(times, 0.5), "ms", runs=len(times))
    report.add(case, "p99", find_share(times, 0.99), "ms", runs=len(times), targets=(30, 10))
    began = time.perf_counter()
    with open_node(folder, "east", shared=None) as lab:
        lab.get_memory("m1")
        took = time.perf_counter() - began
    case = f"opening a lab of {number} memories, first one read"
    report.add(case, "time", took, "s", runs=1, targets=(0.2, 0.05))


def measure_writing(report: Report, options: Options, folder: Path, rng: random.Random) -> None:
    """What one node makes durable, while its store follows in the same process."""
    texts = [talk(rng) for _ in range(1000)]
    for group, targets in ((1000, (60_000, 100_000)), (100, (20_000, 40_000))):
        number = options.size(20_000)
        with open_node(folder, f"writer-{group}", shared=None) as lab:
            began, thread = time.perf_counter(), time.thread_time()
            for first in range(0, number, group):
                numbers = range(first + 1, first + group + 1)
                lab.services.writer.record(make_drafts(lab, numbers, texts))
            took, thread = time.perf_counter() - began, time.thread_time() - thread
        case = f"own updates, groups of {group:,}"
        report.add(case, "durable", number / took, "updates/s", runs=1, targets=targets)
        report.add(case, "per second of processor time", number / thread, "updates/s", runs=1)


def open_node(folder: Path, name: str, *, shared: Path | None) -> Lab:
    """The lab of a node."""
    log = None if shared is None else str(shared)
    return open_lab(settings=Settings(folder / name, name, port=0, memory_log=log))


def write(lab: Lab, numbers: range, rng: random.Random) -> None:
    """Record updates of a node at once, as its editor would one by one."""
    node_id = lab.services.node_id
    drafts = [
        update_memory(
            Update(f"m{n}", Kind.CREATE, 1, lab.services.writer.tick(), {"content": talk(rng)}),
            node_id=node_id,
            seq=n,
            seen={node_id: numbers.start - 1},
        )
        for n in numbers
    ]
    lab.services.writer.record(drafts)


def talk(rng: random.Random) -> str:
    """Twelve words, few of them common."""
    return " ".join(pick(rng) for _ in range(12))


def pick(rng: random.Random) -> str:
    """A word as often as words are: the first ones most."""
    return f"word{int(WORDS ** rng.random())}"


def search(lab: Lab, rng: random.Random) -> float:
    """Milliseconds of one search."""
    query = " ".join(pick(rng) for _ in range(rng.randint(1, 3)))
    began = time.perf_counter()
    lab.list_memories(q=query)
    return (time.perf_counter() - began) * 1000


def find_share(times: list[float], share: float) -> float:
    """The time that this share of all does not exceed."""
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def measure_lag(report: Report, options: Options, folder: Path) -> None:
    """One node writes at a rate; how long until two others, in processes of their own, show it."""
    for rate, group in RATES.items():
        place = folder / f"lag-{rate}"
        log = str(place / "shared.sqlite")
        lags = measure_lags(place, log, rate=rate, updates=rate * options.size(4), group=group)
        case = f"{rate:,} updates/s on one of 3 nodes, groups of {group}"
        report.add(case, "lag p50", find_share(lags, 0.5), "ms", runs=len(lags))
        report.add(case, "lag p99", find_share(lags, 0.99), "ms", runs=len(lags), targets=(50, 25))

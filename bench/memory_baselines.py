"""The same commits, decoded from bytes and merged: by Helix Lab, Loro and pycrdt.

A commit is 100 overwrites in a map of 1,000 keys; three nodes commit in turn, and each sees the
commits of the round before. Time is that of the processor, so other programs count little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import TYPE_CHECKING, Any

import msgspec

from helix_lab.domain.collecting import collecting_seldom
from helix_lab.domain.memory.record import Kind, Update
from helix_lab.domain.memory.replica import Commit, Replica

if TYPE_CHECKING:
    from bench.harness import Options, Report

COMMIT = 100
KEYS = 1000
NODES = ("east", "west", "north")


class Written(msgspec.Struct):
    """The data of an update's event, as the log keeps it."""

    memory_id: str
    seq: int
    depth: int
    clock: str
    seen: dict[str, int]
    changes: dict[str, Any]


def measure(report: Report, options: Options) -> None:
    """Updates per second of processor time, each library in turn in every run."""
    rounds = options.size(100)
    merges: dict[str, Callable[[], None]] = {
        "helix lab": _prepare_own(rounds),
        "loro, per commit": _prepare_loro(rounds, is_batch=False),
        "loro, import_batch": _prepare_loro(rounds, is_batch=True),
        "pycrdt, per commit": _prepare_pycrdt(rounds),
    }
    rates: dict[str, list[float]] = {name: [] for name in merges}
    for _ in range(options.runs):
        for name, merge in merges.items():
            began = time.process_time()
            merge()
            rates[name].append(rounds * len(NODES) * COMMIT / (time.process_time() - began))
    case = f"decode and merge, {KEYS} keys, commits of {COMMIT}, 3 nodes (processor time)"
    for name, found in rates.items():
        report.add(case, name, median(found), "updates/s", runs=options.runs)
    own = median(rates.pop("helix lab"))
    for name, found in rates.items():
        least = 1.5 if name == "loro, per commit" else 1.0
        report.add(
            case, f"over {name}", own / median(found), "×", runs=options.runs, targets=(least, 1.0)
        )


def _list_writes(rounds: int) -> Iterator[tuple[str, list[int]]]:
    number = 0
    for _ in range(rounds):
        for node in NODES:
            yield node, list(range(number, number + COMMIT))
            number += COMMIT


def _prepare_own(rounds: int) -> Callable[[], None]:
    seqs = dict.fromkeys(NODES, 0)
    blobs = []
    seen: dict[str, int] = {}
    for at, (node, numbers) in enumerate(_list_writes(rounds)):
        if at % len(NODES) == 0:
            seen = dict(seqs)
        updates = [
            Written(
                f"m{number % KEYS}",
                seqs[node] + offset + 1,
                1,
                str(number + 1),
                {**seen, node: seqs[node] + offset},
                {"content": f"fact number {number}"},
            )
            for offset, number in enumerate(numbers)
        ]
        seqs[node] += COMMIT
        blobs.append((node, [msgspec.json.encode(update) for update in updates]))
    decode = msgspec.json.Decoder(Written).decode

    def merge() -> None:
        replica = Replica("reader")
        for name in ("reader", *NODES):
            replica.add_member(name)
        with collecting_seldom():
            for node, rows in blobs:
                for row in map(decode, rows):
                    update = Update(
                        row.memory_id, Kind.EDIT, row.depth, int(row.clock), row.changes
                    )
                    replica.take(Commit(node, row.seq, row.seen, [update]))
        assert len(replica.records) == KEYS

    return merge


def _prepare_loro(rounds: int, *, is_batch: bool) -> Callable[[], None]:
    from loro import ExportMode, LoroDoc

    make: Callable[[], Any] = LoroDoc

    def commit(doc: Any, numbers: list[int]) -> bytes:
        before = doc.oplog_vv
        content = doc.get_map("m")
        for number in numbers:
            content.insert(f"m{number % KEYS}", f"fact number {number}")
        doc.commit()
        return bytes(doc.export(ExportMode.Updates(before)))

    blobs = _make_blobs(rounds, make, commit, lambda doc, blob: doc.import_(blob))

    def merge() -> None:
        reader = make()
        if is_batch:
            reader.import_batch(blobs)
        else:
            for blob in blobs:
                reader.import_(blob)
        assert len(reader.get_map("m")) == KEYS

    return merge


def _prepare_pycrdt(rounds: int) -> Callable[[], None]:
    from pycrdt import Doc, Map

    def make() -> Any:
        doc: Any = Doc()
        doc["m"] = Map()
        return doc

    def commit(doc: Any, numbers: list[int]) -> bytes:
        before = doc.get_state()
        with doc.transaction():
            for number in numbers:
                doc["m"][f"m{number % KEYS}"] = f"fact number {number}"
        return bytes(doc.get_update(before))

    blobs = _make_blobs(rounds, make, commit, lambda doc, blob: doc.apply_update(blob))

    def merge() -> None:
        reader = make()
        for blob in blobs:
            reader.apply_update(blob)
        assert len(reader["m"]) == KEYS

    return merge


def _make_blobs(
    rounds: int,
    make: Callable[[], Any],
    commit: Callable[[Any, list[int]], bytes],
    take: Callable[[Any, bytes], object],
) -> list[bytes]:
    """Every node commits in each round, and takes those of the round before."""
    docs = {node: make() for node in NODES}
    blobs: list[bytes] = []
    pending: list[bytes] = []
    for at, (node, numbers) in enumerate(_list_writes(rounds)):
        if at % len(NODES) == 0:
            for doc in docs.values():
                for blob in pending:
                    take(doc, blob)
            pending = []
        pending.append(commit(docs[node], numbers))
        blobs.append(pending[-1])
    return blobs

"""The wiring of workers: which stores they can fill, and with what."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.lab.backends import open_shared_records
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.projections.worker import Take, Worker
from helix_lab.records.claims import Claims
from helix_lab.settings import Settings

_NEEDS = "HELIX_LOG_URL of a Kafka cluster, and HELIX_RECORDS_URL of a PostgreSQL"
SHARED = ("conversations",)
_KEPT = {
    "analytics": "DuckDB lets one process write, so the server fills it",
    "memory": "memories are the replica of one node, so its server fills them",
    "learning": "a pattern is counted over all partitions, so the server counts it",
    "graph": "a message changes things that others of all partitions name, too, so the server "
    "fills it, on Ladybug as on Neo4j",
    "traces": "a trace is one short row, so the server fills them",
}


def check_workers(settings: Settings) -> None:
    """Refuse stores that workers cannot fill.

    Raises:
        InvalidRequest: one of them, and why.
    """
    for name in settings.workers:
        check_store(name)
    if settings.workers:
        check_servers(settings)


def check_store(name: str) -> None:
    """Refuse a store that workers cannot fill.

    Raises:
        InvalidRequest: with the reason.
    """
    if name not in SHARED:
        reason = _KEPT.get(name, "there is no such store")
        message = f"workers cannot fill {name!r}: {reason}; they can: {', '.join(SHARED)}"
        raise InvalidRequest(message, field="HELIX_WORKERS")


def check_servers(settings: Settings) -> None:
    """Refuse workers where the log or the records are in a folder.

    Raises:
        InvalidRequest: which variable is missing.
    """
    missing = [
        name
        for name, url in (
            ("HELIX_LOG_URL", settings.log_url),
            ("HELIX_RECORDS_URL", settings.records_url),
        )
        if url is None
    ]
    if missing:
        message = f"workers need {_NEEDS}; not set: {', '.join(missing)}"
        raise InvalidRequest(message, field=missing[0])


def open_workers(
    settings: Settings,
    stores: Sequence[str],
    stack: ExitStack,
    *,
    on_change: Callable[[str, int], None] = lambda _store, _partitions: None,
) -> list[Worker]:
    """A worker for each store; what must be closed at their end is on the stack.

    Args:
        settings: where the log and the stores are. No data folder is opened.
        stores: those to fill; none means all that workers can.
        stack: closed by the caller, after the workers have ended.
        on_change: told of a store, and of how many partitions its worker has now.

    Raises:
        InvalidRequest: a store cannot be filled by workers, or a server is not set.
        Unavailable: PostgreSQL cannot be used.
    """
    for name in stores:
        check_store(name)
    check_servers(settings)
    return [_open(settings, stack, name, on_change) for name in stores or SHARED]


def name_group(name: str, url: str, *, store: str) -> str:
    """The group of those that fill a store, however each of them writes the address of the log.

    Two labs on one cluster that keep records of their own are two groups.

    Args:
        name: of the store.
        url: of the log; only its prefix counts, so no password does.
        store: what tells the records from others.
    """
    from helix_lab.adapters.log_kafka.address import read_address

    mark = hashlib.sha256(f"{store} {read_address(url).prefix}".encode()).hexdigest()
    return f"helix-lab.{name}.{mark[:16]}"


def _open(
    settings: Settings, stack: ExitStack, name: str, on_change: Callable[[str, int], None]
) -> Worker:
    from helix_lab.adapters.log_kafka import KafkaGroupMember

    records = open_shared_records(settings)
    stack.callback(records.close)
    claims = Claims(records, name)
    projection = ConversationsProjection(records, claims)
    url = settings.log_url or ""
    group = name_group(name, url, store=records.identify())

    def join(take: Take) -> KafkaGroupMember:
        return KafkaGroupMember(
            url,
            group=group,
            topics=projection.topics,
            take=take,
            on_change=partial(on_change, name),
        )

    return Worker(projection, claims=claims, join=join, dead_letters=records)

"""Identity: what tells this data folder from others, and under which names it wrote before."""

from __future__ import annotations

import hashlib
import uuid

from helix_lab.domain.model.event import MEMORY_EVENTS, NODE_JOINED, Entry
from helix_lab.ports.event_log import EventLog
from helix_lab.queries.memories import read_nodes
from helix_lab.record.nodes import join
from helix_lab.record.writer import Writer
from helix_lab.records.database import Records


def find_instance(local: EventLog, writer: Writer, records: Records, node_id: str) -> str:
    """The id of this folder under this name: made once, kept in the log.

    It is in the log of this node before it is told to anyone. Under a later name it is made of
    the one before, so the folder knows its own names again.
    """
    known = _find_join(local, node_id)
    if known is not None:
        return str(known.event.data["instance"])
    former = list_former_names(local, records, node_id)
    instance = uuid.uuid4().hex
    if former and (last := _find_join(local, former[-1])) is not None:
        instance = _derive(str(last.event.data["instance"]), node_id)
    writer.record([join(node_id, instance=instance)])
    return instance


def list_former_names(local: EventLog, records: Records, node_id: str) -> list[str]:
    """The names under which this folder joined before, the first one first."""
    names = [str(row["node_id"]) for row in read_nodes(records) if row["instance"]]
    joins = [entry for name in names if (entry := _find_join(local, name)) is not None]
    if not joins:
        return []
    # A folder says its own name before it hears of any other.
    current = min(joins, key=lambda entry: entry.offset)
    found = []
    while current.event.node_id != node_id:
        found.append(current.event.node_id)
        instance = str(current.event.data["instance"])
        later = [e for e in joins if e.event.data["instance"] == _derive(instance, e.event.node_id)]
        if not later:
            break
        current = later[0]
    return found


def _find_join(local: EventLog, node_id: str) -> Entry | None:
    for entry in local.read_key(MEMORY_EVENTS, node_id):
        if entry.event.type == NODE_JOINED.name and entry.event.node_id == node_id:
            return entry
    return None


def _derive(instance: str, node_id: str) -> str:
    return hashlib.blake2b(f"{instance}/{node_id}".encode(), digest_size=16).hexdigest()

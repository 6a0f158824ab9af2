"""The AsyncAPI 3.1 description of the topics, made from the register of event types.

`python -m helix_lab.record.asyncapi > docs/asyncapi.yaml` writes it for people.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from helix_lab.domain.model.event import EVENT_TYPES, TOPICS, Entry, EventType, to_micros
from helix_lab.record.schemas import load_schema

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_HEADERS: dict[str, Any] = {
    "ce_specversion": {"const": "1.0"},
    "ce_id": {**_TEXT, "description": "unique and stable: the same fact has the same id"},
    "ce_type": _TEXT,
    "ce_source": {"type": "string", "pattern": "^/helix/.+$"},
    "ce_subject": {**_TEXT, "description": "id of the message, debate or conversation"},
    "ce_time": {"type": "string", "description": "when it happened, RFC 3339, UTC"},
    "ce_dataschema": _TEXT,
    "ce_partitionkey": {**_TEXT, "description": "conversation id; also the key of the record"},
    "ce_helixclock": {
        "type": "string",
        "pattern": "^[0-9]+$",
        "description": "hybrid time; the order within a conversation is (clock, id)",
    },
    "content-type": {"const": "application/json"},
}


def make_asyncapi() -> dict[str, Any]:
    """The document; payload schemas are inside it, so it stands alone."""
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Helix Lab events",
            "version": "1.0.0",
            "description": "Every fact that Helix Lab records: CloudEvents 1.0, binary mode.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_short(topic): _channel(topic) for topic in TOPICS},
        "operations": {
            f"publish-{_short(topic)}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{_short(topic)}"},
                "summary": f"Helix Lab records to {topic}",
            }
            for topic in TOPICS
        },
        "components": {
            "messages": {name: _message(event_type) for name, event_type in EVENT_TYPES.items()}
        },
    }


def to_cloud_event(entry: Entry) -> tuple[dict[str, str], dict[str, Any]]:
    """Headers and payload of a recorded event in CloudEvents binary mode."""
    event = entry.event
    micros = to_micros(event.time)
    headers = {
        "ce_specversion": "1.0",
        "ce_id": event.event_id,
        "ce_type": event.type,
        "ce_source": f"/helix/{event.node_id}",
        "ce_subject": event.subject,
        "ce_time": event.time.isoformat(timespec="microseconds" if micros % 10**6 else "seconds"),
        "ce_dataschema": dataschema_of(event.type, event.version),
        "ce_partitionkey": event.key,
        "ce_helixclock": str(event.clock),
        "content-type": "application/json",
    }
    return headers, dict(event.data)


def dataschema_of(event_type: str, version: int) -> str:
    """The id of the schema that the data of an event fits."""
    return f"helix:schemas/{event_type}/v{version}"


def _short(topic: str) -> str:
    return topic.removeprefix("helixagent.")


def _channel(topic: str) -> dict[str, Any]:
    return {
        "address": topic,
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"}
            for name, event_type in EVENT_TYPES.items()
            if event_type.topic == topic
        },
    }


def _message(event_type: EventType) -> dict[str, Any]:
    schema = dict(load_schema(event_type.name, event_type.version))
    schema.pop("$schema")
    own = {
        "ce_type": {"const": event_type.name},
        "ce_dataschema": {"const": dataschema_of(event_type.name, event_type.version)},
    }
    return {
        "name": event_type.name,
        "title": schema["title"],
        "contentType": "application/json",
        "headers": {
            "type": "object",
            "required": list(_HEADERS),
            "properties": {**_HEADERS, **own},
        },
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-07",
            "schema": schema,
        },
    }


def dump_asyncapi() -> str:
    """The document as YAML."""
    import yaml

    text: str = yaml.safe_dump(
        json.loads(json.dumps(make_asyncapi())), sort_keys=False, allow_unicode=True, width=100
    )
    return text


if __name__ == "__main__":
    sys.stdout.write(dump_asyncapi())

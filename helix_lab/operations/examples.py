"""Requests as people send them, for the documentation; a test checks that each is accepted."""

from __future__ import annotations

from typing import Any

EXAMPLES: dict[str, dict[str, Any]] = {
    "start_conversation": {
        "named": {"conversation_id": "conv-123", "user_id": "user-456", "title": "Sign-in"},
        "anonymous": {},
    },
    "append_messages": {
        "one": {"role": "user", "content": "How should I sign users in?"},
        "several": [
            {"role": "user", "content": "And on mobile?", "message_id": "msg-7"},
            {
                "role": "assistant",
                "content": "Use OAuth2 with PKCE.",
                "parent_id": "msg-7",
                "provider": "deepseek",
                "model": "deepseek-chat",
                "created_at": "2026-01-30T10:00:00Z",
            },
        ],
    },
    "archive_conversations": {
        "one": {"conversation_id": "conv-123"},
        "a day": {"date": "2026-01-29"},
        "all": {"all": True, "entities": True},
    },
    "query_lake": {
        "messages of a day": {
            "query": "SELECT count(*) AS messages FROM conversations "
            "WHERE year = 2026 AND month = 1 AND day = 30"
        }
    },
    "check_lake": {"quick": {}, "every byte": {"thorough": True}},
    "complete_conversation": {"done": {"outcome": "successful"}},
    "replay": {
        "whole": {"conversation_id": "conv-123"},
        "hybrid": {"conversation_id": "conv-123", "compression_strategy": "hybrid"},
        "compressed": {"conversation_id": "conv-123", "max_tokens": 4000, "as_of": 120},
        "by ratio": {
            "conversation_id": "conv-123",
            "compression_ratio": 0.3,
            "as_of": "2026-01-30T10:00:00Z",
        },
    },
    "recall": {
        "one conversation": {"conversation_id": "conv-123", "query": "Which database?"},
        "all of a user": {"user_id": "user-456", "query": "sign-in", "max_tokens": 4000},
    },
    "chat": {
        "short": {"content": "What did we decide?"},
        "told": {
            "content": "What did we decide?",
            "message_id": "msg-8",
            "provider": "offline",
            "system": "Answer in one sentence.",
            "include_prompt": True,
        },
    },
    "start_debate": {
        "topic": {
            "topic": "Should we use microservices or a monolith?",
            "conversation_id": "conv-123",
        },
        "moderated": {
            "topic": "Tabs or spaces?",
            "protocol": "moderated",
            "rounds": 2,
            "wait_s": 30,
        },
    },
    "run_report": {
        "week": {"parameters": {"window": "7d"}, "timeout_s": 120},
        "defaults": {},
    },
    "schedule_report": {
        "mondays": {
            "cron": "0 7 * * 1",
            "timezone": "Europe/Berlin",
            "parameters": {"window": "7d"},
        },
    },
    "merge_entities": {"same": {"source": "Redis", "target": "Kafka"}},
    "split_entities": {"latest": {"entity_id": "Kafka"}},
    "query_graph": {
        "related": {
            "cypher": "MATCH (a:Entity {name: $name})-[r:RELATED_TO]-(b:Entity) "
            "RETURN b.name, r.strength ORDER BY r.strength DESC LIMIT 10",
            "parameters": {"name": "Docker"},
        }
    },
    "run_query": {
        "bound": {
            "query": "SELECT role, count(*) AS messages FROM message_metrics "
            "WHERE conversation_id = $id GROUP BY role ORDER BY role",
            "parameters": {"id": "conv-123"},
        }
    },
}

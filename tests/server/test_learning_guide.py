"""The guide's section "Cross-Session Learning": its two questions over HTTP, as written."""

from __future__ import annotations

from typing import Any

import pytest

from tests.server.live import LiveServer, wait_for

PATH = "v1/learning/patterns/top?limit=10"
TURNS = [
    ("user", "How do I run Docker on Kubernetes? Please be concise.", "2026-01-01T10:00:00Z"),
    ("assistant", "Use **kubectl**:\n- apply the manifest", "2026-01-01T10:00:03Z"),
    ("user", "And how can I scale Docker?", "2026-01-01T10:00:09Z"),
]


@pytest.fixture(scope="module")
def taught(server: LiveServer) -> LiveServer:
    """A server that saw three conversations of one user."""
    messages = [
        {"role": role, "content": content, "created_at": time} for role, content, time in TURNS
    ]
    with server.client() as client:
        for number in range(3):
            path = f"v1/conversations/learned-{number}"
            body = {"conversation_id": f"learned-{number}", "user_id": "user-123"}
            assert client.post("v1/conversations", json=body).is_success
            assert client.post(f"{path}/messages", json=messages).is_success
            done = client.post(f"{path}/complete", json={"outcome": "successful"})
            assert done.is_success, done.text
        wait_for(lambda: client.get(PATH).json()["patterns"], "the patterns")
    return server


def get(server: LiveServer, path: str) -> Any:
    with server.client() as client:
        answer = client.get(path)
    assert answer.is_success, answer.text
    return answer.json()


def test_the_preferences_of_a_user_are_those_of_the_guide(taught: LiveServer) -> None:
    found = get(taught, "v1/learning/preferences?user_id=user-123")

    assert "user-123" == found["user_id"]
    values = {one["type"]: one["value"] for one in found["preferences"]}
    assert ("concise", "markdown") == (values["communication_style"], values["response_format"])
    assert all(0 < one["confidence"] < 1 and 3 == one["frequency"] for one in found["preferences"])
    assert {"first_observed", "last_observed"} <= set(found["preferences"][0])


def test_the_top_patterns_have_the_fields_of_the_guide(taught: LiveServer) -> None:
    patterns = get(taught, PATH)["patterns"]

    assert 0 < len(patterns) <= 10
    pairs = get(taught, f"{PATH}&pattern_type=entity_cooccurrence")["patterns"]
    texts = [one["description"] for one in pairs]
    assert "Docker and Kubernetes often discussed together" in texts
    names = {"pattern_id", "pattern_type", "frequency", "confidence", "examples", "last_seen"}
    assert names <= set(patterns[0])


def test_an_empty_user_is_refused_and_an_unknown_one_has_nothing(taught: LiveServer) -> None:
    with taught.client() as client:
        refused = client.get("v1/learning/preferences?user_id=")
        unknown = client.get("v1/learning/preferences?user_id=nobody-knows")

    assert (400, "INVALID_REQUEST") == (refused.status_code, refused.json()["error"]["code"])
    assert (200, []) == (unknown.status_code, unknown.json()["preferences"])

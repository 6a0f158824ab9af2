from __future__ import annotations

import uuid
from typing import Any

import httpx
import pytest

NO_SUCH_THING = "nothing-has-this-id"


@pytest.fixture
def conversation_id(client: httpx.Client) -> str:
    answer = client.post("v1/conversations", json={"title": "A test"})
    started: str = answer.raise_for_status().json()["conversation_id"]
    return started


def read_problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    body = answer.json()
    assert ["error"] == list(body)
    problem: dict[str, Any] = body["error"]
    assert ["code", "details", "message", "timestamp"] == sorted(problem)
    return problem


def test_a_conversation_that_is_started_is_found_where_the_answer_says(
    client: httpx.Client,
) -> None:
    started = client.post("v1/conversations", json={"user_id": "user-456"})

    found = client.get(started.headers["Location"])

    assert 201 == started.status_code
    assert started.json() == found.json()


def test_the_location_of_an_id_with_a_slash_leads_to_it(client: httpx.Client) -> None:
    conversation_id = f"a/b c?{uuid.uuid4().hex}%"
    started = client.post("v1/conversations", json={"conversation_id": conversation_id})

    found = client.get(started.headers["Location"])

    assert conversation_id == found.json()["conversation_id"]


@pytest.mark.parametrize(
    "body",
    [
        {"role": "user", "content": "one"},
        [{"role": "user", "content": "one"}],
        {"messages": [{"role": "user", "content": "one"}]},
    ],
    ids=["one", "list", "wrapped"],
)
def test_messages_are_taken_as_one_or_a_list_or_an_object_with_a_list(
    client: httpx.Client, conversation_id: str, body: Any
) -> None:
    answer = client.post(f"v1/conversations/{conversation_id}/messages", json=body)

    assert 201 == answer.status_code
    assert 1 == len(answer.json()["messages"])


def test_what_was_said_is_replayed(client: httpx.Client, conversation_id: str) -> None:
    said = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello 👋"}]
    client.post(f"v1/conversations/{conversation_id}/messages", json=said).raise_for_status()

    replayed = client.post("v1/context/replay", json={"conversation_id": conversation_id}).json()

    assert said == [{name: m[name] for name in ("role", "content")} for m in replayed["messages"]]


def test_json_is_read_although_curl_calls_it_a_form(client: httpx.Client) -> None:
    conversation_id = f"conv-{uuid.uuid4().hex}"

    answer = client.post(
        "v1/conversations",
        content=f'{{"conversation_id": "{conversation_id}", "title": "50% & token=abc"}}',
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )

    assert 201 == answer.status_code
    assert "50% & token=abc" == answer.json()["title"]


def test_an_id_that_was_recorded_with_other_content_is_a_conflict(
    client: httpx.Client, conversation_id: str
) -> None:
    url = f"v1/conversations/{conversation_id}/messages"
    message = {"role": "user", "content": "first", "message_id": "msg-1"}
    client.post(url, json=message).raise_for_status()

    again = client.post(url, json=message)
    other = client.post(url, json=message | {"content": "second"})

    assert 201 == again.status_code
    assert (409, "DUPLICATE_ID") == (other.status_code, read_problem(other)["code"])


def test_an_unknown_field_is_named(client: httpx.Client) -> None:
    answer = client.post("v1/conversations", json={"titel": "A typo"})

    problem = read_problem(answer)
    assert (400, "INVALID_REQUEST") == (answer.status_code, problem["code"])
    assert "titel" == problem["details"]["field"]
    assert "title" in problem["message"]


def test_an_unknown_query_parameter_is_named(client: httpx.Client) -> None:
    answer = client.get("v1/conversations", params={"page": "2"})

    assert 400 == answer.status_code
    assert "page" == read_problem(answer)["details"]["field"]


def test_a_query_parameter_given_twice_is_refused(client: httpx.Client) -> None:
    answer = client.get("v1/conversations?limit=1&limit=2")

    assert (400, "limit") == (answer.status_code, read_problem(answer)["details"]["field"])


def test_query_parameters_of_a_route_with_a_body_are_refused(client: httpx.Client) -> None:
    answer = client.post("v1/conversations?title=x", json={})

    assert 400 == answer.status_code
    assert "JSON body" in read_problem(answer)["message"]


def test_the_time_that_jupyterlab_appends_against_caches_is_ignored(client: httpx.Client) -> None:
    answer = client.get("v1/conversations?limit=1&1764000000000")

    assert 200 == answer.status_code


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("v1/conversations/{}", "CONVERSATION_NOT_FOUND"),
        ("v1/debates/{}", "DEBATE_NOT_FOUND"),
        ("v1/runs/{}", "RUN_NOT_FOUND"),
        ("v1/{}", "NOT_FOUND"),
        ("v1/conversations/{}/nothing/here/", "NOT_FOUND"),
    ],
)
def test_what_is_unknown_is_not_found(client: httpx.Client, path: str, code: str) -> None:
    answer = client.get(path.format(NO_SUCH_THING))

    assert (404, code) == (answer.status_code, read_problem(answer)["code"])


def test_another_method_is_refused_with_those_that_are_allowed(client: httpx.Client) -> None:
    answer = client.put("v1/conversations", json={})

    assert (405, "METHOD_NOT_ALLOWED") == (answer.status_code, read_problem(answer)["code"])
    assert {"GET", "HEAD", "OPTIONS", "POST"} == set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize("path", ["health", "v1/info", "v1/conversations", "v1/openapi.json"])
def test_head_answers_like_get_but_without_a_body(client: httpx.Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)

    assert (200, b"") == (head.status_code, head.content)
    assert whole.headers["Content-Type"] == head.headers["Content-Type"]


def test_pages_follow_each_other_without_a_gap(client: httpx.Client) -> None:
    user = f"user-{uuid.uuid4().hex}"
    ids = {
        client.post("v1/conversations", json={"user_id": user}).json()["conversation_id"]
        for _ in range(5)
    }

    seen: list[str] = []
    cursor: str | None = None
    while cursor or not seen:
        page = client.get(
            "v1/conversations",
            params={"user_id": user, "limit": "2"} | ({"cursor": cursor} if cursor else {}),
        ).json()
        seen += [row["conversation_id"] for row in page["conversations"]]
        cursor = page["next_cursor"]

    assert 5 == len(seen)
    assert ids == set(seen)


def test_a_debate_is_accepted_and_found_where_the_answer_says(client: httpx.Client) -> None:
    started = client.post("v1/debates", json={"topic": "Tabs or spaces?"})

    found = client.get(started.headers["Location"])

    assert 202 == started.status_code
    assert started.json()["debate_id"] == found.json()["debate_id"]


def test_a_debate_that_ends_within_the_wait_is_answered_whole(client: httpx.Client) -> None:
    answer = client.post(
        "v1/debates", json={"topic": "Tabs?"}, headers={"Prefer": "respond-async, wait=60"}
    )

    assert (200, "wait=60") == (answer.status_code, answer.headers["Preference-Applied"])
    assert "succeeded" == answer.json()["status"]


def test_a_wait_that_cannot_be_read_is_ignored(client: httpx.Client) -> None:
    answer = client.post("v1/debates", json={"topic": "Tabs?"}, headers={"Prefer": "wait=soon"})

    assert 202 == answer.status_code


def test_sql_is_answered_and_its_fault_is_the_askers(client: httpx.Client) -> None:
    good = client.post("v1/analytics/query", json={"query": "SELECT 40 + 2 AS answer"})
    bad = client.post("v1/analytics/query", json={"query": "SELECT nothing FROM nowhere"})

    assert [[42]] == good.json()["rows"]
    assert (400, "ANALYTICS_QUERY_ERROR") == (bad.status_code, read_problem(bad)["code"])


def test_answers_are_json_that_nobody_keeps_or_guesses_at(client: httpx.Client) -> None:
    headers = client.get("v1/info").headers

    assert "application/json" == headers["Content-Type"]
    assert "nosniff" == headers["X-Content-Type-Options"]
    assert "no-store" == headers["Cache-Control"]

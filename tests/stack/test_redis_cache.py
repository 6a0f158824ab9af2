"""Contexts in Redis: shared by labs, gone with the server, and nothing fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings, read_settings
from helix_lab.stack.ports import find_free_port
from helix_lab.stack.stack import Stack
from tests.flow.talks import talk
from tests.tiers import Running

redis = pytest.mark.services("redis")
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def url(running_services: Running) -> str:
    found = read_settings(environment=running_services("redis")).cache_url
    assert found is not None
    return found


def open_with(folder: Path, url: str) -> Lab:
    return open_lab(settings=Settings(folder, "test-node", port=0, cache_url=url))


def tell(lab: Lab, conversation_id: str = "trip") -> None:
    lab.start_conversation(conversation_id=conversation_id)
    lab.append_messages(conversation_id, talk(60))


@redis
def test_a_lab_that_was_just_opened_finds_what_another_one_made(tmp_path: Path, url: str) -> None:
    with open_with(tmp_path / "lab", url) as lab:
        tell(lab, conversation_id := f"trip-{tmp_path.name}")
        made = lab.replay(conversation_id, max_tokens=400)
        assert "connected" == lab.get_health().services["redis"]

    with open_with(tmp_path / "lab", url) as lab:
        again = lab.replay(conversation_id, max_tokens=400)
        lab.append_messages(conversation_id, [{"role": "user", "content": "One more."}])
        later = lab.replay(conversation_id, max_tokens=400)

    assert (False, True, False) == tuple(
        one.compression_stats.is_cached for one in (made, again, later)
    )
    assert made.context == again.context
    assert made.summary_lines == again.summary_lines
    assert made.compression_stats.compression_id == again.compression_stats.compression_id


@redis
def test_another_conversation_of_the_same_name_is_not_taken_for_it(
    tmp_path: Path, url: str
) -> None:
    name = f"same-{tmp_path.name}"
    contexts = []
    for folder, place in (("a", "Zanzibar"), ("b", "Xanadu")):
        with open_with(tmp_path / folder, url) as lab:
            said = [{**one, "message_id": f"m{n}"} for n, one in enumerate(talk(60))]
            said[0]["content"] = f"I moved to {place} for good."
            lab.start_conversation(conversation_id=name)
            lab.append_messages(name, said)
            contexts.append(lab.replay(name, max_tokens=600).context)

    assert [True, False] == ["Zanzibar" in one for one in contexts]
    assert [False, True] == ["Xanadu" in one for one in contexts]


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("redis")
    stack = Stack(folder, find_cache())
    yield stack
    stack.down()


@redis
def test_a_redis_that_goes_is_told_by_health_and_fails_nothing(
    tmp_path: Path, own_redis: Stack
) -> None:
    own_redis.up({"redis": 1})
    url = read_settings(environment=own_redis.read_variables()).cache_url
    with open_with(tmp_path / "lab", str(url)) as lab:
        tell(lab)
        lab.replay("trip", max_tokens=400)

        own_redis.down()
        health = lab.get_health()
        made = lab.replay("trip", max_tokens=350)
        again = lab.replay("trip", max_tokens=350)

    assert ("degraded", "unreachable") == (health.status, health.services["redis"])
    assert (False, True) == tuple(one.compression_stats.is_cached for one in (made, again))


def test_a_lab_opens_where_no_redis_answers(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_with(tmp_path / "lab", f"redis://:s3cret@127.0.0.1:{find_free_port(set())}/0") as lab:
        tell(lab)
        made = lab.replay("trip", max_tokens=400)

        assert not made.compression_stats.is_cached
        assert "unreachable" == lab.get_health().services["redis"]
        assert "s3cret" not in f"{lab!r} {lab.settings!r} {lab.get_info()!r} {caplog.text}"
        assert "kept in this process alone" in caplog.text


def test_the_address_is_read_whole_or_in_parts() -> None:
    parts = {"REDIS_HOST": "cache", "REDIS_PORT": "6380", "REDIS_PASSWORD": "a/b@c"}

    assert "redis://:a%2Fb%40c@cache:6380/0" == read_settings(environment=parts).cache_url
    whole = {**parts, "HELIX_CACHE_URL": "rediss://cache/2"}
    assert "rediss://cache/2" == read_settings(environment=whole).cache_url
    assert "redis://cache:6379/0" == read_settings(environment={"REDIS_HOST": "cache"}).cache_url
    assert read_settings(environment={}).cache_url is None


@pytest.mark.parametrize(
    ("environment", "field"),
    [
        ({"HELIX_CACHE_URL": "http://:s3cret@cache"}, "HELIX_CACHE_URL"),
        ({"HELIX_CACHE_URL": "cache:6379"}, "HELIX_CACHE_URL"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "s3cret"}, "REDIS_PORT"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "70000"}, "REDIS_PORT"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(environment: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_settings(environment=environment)

    assert field == refused.value.details["field"]
    assert field == "REDIS_PORT" or "s3cret" not in refused.value.message

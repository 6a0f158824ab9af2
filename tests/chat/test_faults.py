"""Every fault of a server, over real sockets."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from helix_lab.domain.model.errors import (
    ProviderError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
    RunCancelled,
)
from helix_lab.testing.fake_llm import KINDS, FakeLLM, Fault
from tests.chat.conftest import MakeProvider
from tests.chat.requests import ask

EXPECTED: dict[str, type[ProviderError]] = {
    "status": ProviderUnreachable,
    "rate_limit": ProviderRateLimited,
    "slow_drip": ProviderTimedOut,
    "hang": ProviderTimedOut,
    "disconnect": ProviderUnreachable,
    "half_closed": ProviderUnreachable,
    "truncated": ProviderUnreachable,
    "malformed_sse": ProviderUnreachable,
    "error_in_stream": ProviderUnreachable,
    "content_filter": ProviderRefused,
    "empty_choices": ProviderRefused,
    "nonsense_json": ProviderRefused,
    "wrong_content_type": ProviderRefused,
    "huge": ProviderRefused,
}


def test_every_fault_of_the_fake_server_is_tested() -> None:
    assert set(EXPECTED) == set(KINDS) - {"none", "no_stream"}


@pytest.mark.parametrize(("kind", "error"), EXPECTED.items())
def test_a_fault_is_an_error_of_its_kind(
    fake: FakeLLM, make_provider: MakeProvider, kind: str, error: type[ProviderError]
) -> None:
    fake.fail(Fault(kind))
    timeout_s = 0.3 if error is ProviderTimedOut else 20.0

    with pytest.raises(ProviderError) as caught:
        make_provider(max_retries=0).complete(ask(timeout_s=timeout_s))

    assert error is type(caught.value)
    assert caught.value.details["service"] == "fake"
    assert "'fake'" in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (301, ProviderRefused, "redirect"),
        (400, ProviderRefused, "check the model"),
        (401, ProviderRefused, "check the key"),
        (402, ProviderRefused, "billing"),
        (403, ProviderRefused, "check the key"),
        (404, ProviderRefused, "check the model's name and the base URL"),
        (408, ProviderUnreachable, "408"),
        (422, ProviderRefused, "parameters"),
        (429, ProviderRateLimited, "slow down"),
        (500, ProviderUnreachable, "500"),
        (503, ProviderUnreachable, "503"),
    ],
)
def test_a_status_says_what_to_do(
    fake: FakeLLM,
    make_provider: MakeProvider,
    status: int,
    error: type[ProviderError],
    words: str,
) -> None:
    fake.fail(Fault("status", status=status))

    with pytest.raises(error, match=words) as caught:
        make_provider(max_retries=0).complete(ask())

    assert status == caught.value.details["status"]


def test_a_server_that_is_not_there_is_unreachable(make_provider: MakeProvider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(ProviderUnreachable, match=f"127.0.0.1:{port}"):
        make_provider(base_url=f"http://127.0.0.1:{port}/v1").complete(ask())


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
def test_the_time_limit_is_for_the_whole_answer(
    fake: FakeLLM, make_provider: MakeProvider, kind: str
) -> None:
    fake.fail(Fault(kind))
    started_s = time.monotonic()

    with pytest.raises(ProviderTimedOut):
        make_provider().complete(ask(timeout_s=0.3))

    assert 0.3 <= time.monotonic() - started_s < 30
    fake.wait_until_idle()


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
def test_stopping_ends_a_call_and_its_connection_at_any_point(
    fake: FakeLLM, make_provider: MakeProvider, kind: str
) -> None:
    fake.fail(Fault(kind))
    is_stopped = threading.Event()
    started_s = time.monotonic()

    def stop() -> bool:
        if fake.requests:
            is_stopped.set()
        return is_stopped.is_set()

    with pytest.raises(RunCancelled):
        make_provider().complete(ask(timeout_s=60), should_stop=stop)

    assert time.monotonic() - started_s < 30
    fake.wait_until_idle()


def test_stopping_between_pieces_ends_the_stream(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    fake.fail(Fault("slow_drip"))
    pieces: list[str] = []

    with pytest.raises(RunCancelled):
        make_provider().complete(
            ask(timeout_s=60), on_text=pieces.append, should_stop=lambda: len(pieces) >= 3
        )

    assert len(pieces) == 3
    fake.wait_until_idle()


def test_closing_ends_a_running_call(fake: FakeLLM, make_provider: MakeProvider) -> None:
    fake.fail(Fault("hang"))
    provider = make_provider()
    caught: list[BaseException] = []

    def call() -> None:
        try:
            provider.complete(ask(timeout_s=60))
        except RunCancelled as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    fake.wait_for_calls(1)
    provider.close()
    thread.join(10)

    assert len(caught) == 1
    fake.wait_until_idle()


def test_a_closed_provider_asks_nobody(fake: FakeLLM, make_provider: MakeProvider) -> None:
    provider = make_provider()
    provider.close()

    with pytest.raises(RunCancelled, match="closed"):
        provider.complete(ask())

    assert [] == fake.requests


def test_an_unusable_proxy_setting_is_said_without_its_password(
    make_provider: MakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://me:pass-word@proxy:1")

    with pytest.raises(ProviderRefused, match="ALL_PROXY") as caught:
        make_provider().complete(ask())

    assert "pass-word" not in str(caught.value)

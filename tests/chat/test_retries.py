"""Asking again: when, how often, after which wait."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from helix_lab.adapters.chat_openai_compatible.refusals import parse_retry_after
from helix_lab.domain.model.errors import (
    ProviderRateLimited,
    ProviderRefused,
    ProviderUnreachable,
    RunCancelled,
)
from helix_lab.testing.fake_llm import FakeLLM, Fault
from tests.chat.conftest import MakeProvider
from tests.chat.requests import ask
from tests.chat.servers import http, serve

PASSING = ["status", "rate_limit", "disconnect", "half_closed", "truncated", "malformed_sse"]


@pytest.mark.parametrize("kind", PASSING)
def test_an_error_that_may_pass_is_asked_again(
    fake: FakeLLM, make_provider: MakeProvider, kind: str
) -> None:
    fake.fail(Fault(kind), Fault(kind))

    reply = make_provider(max_retries=2).complete(ask())

    assert reply.text
    assert len(fake.requests) == 3
    assert fake.stats()["repeated_calls"] == 0


@pytest.mark.parametrize("kind", ["content_filter", "empty_choices", "nonsense_json", "huge"])
def test_an_answer_that_would_come_again_is_not_asked_again(
    fake: FakeLLM, make_provider: MakeProvider, kind: str
) -> None:
    fake.fail(Fault(kind))

    with pytest.raises(ProviderRefused):
        make_provider().complete(ask())

    assert len(fake.requests) == 1


def test_the_last_error_is_raised_when_the_retries_are_used_up(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    fake.fail(Fault("disconnect"), Fault("status", status=502), Fault("status", status=503))

    with pytest.raises(ProviderUnreachable, match="503"):
        make_provider(max_retries=2).complete(ask())

    assert len(fake.requests) == 3


def test_text_that_was_handed_out_is_not_asked_for_again(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    fake.fail(Fault("half_closed"))
    pieces: list[str] = []

    with pytest.raises(ProviderUnreachable):
        make_provider().complete(ask(), on_text=pieces.append)

    assert len(pieces) == 1
    assert len(fake.requests) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_waited_for(fake: FakeLLM, make_provider: MakeProvider, status: int) -> None:
    fake.fail(Fault("status", status=status, retry_after="0.4"))
    started_s = time.monotonic()

    reply = make_provider().complete(ask())

    assert 0.4 <= time.monotonic() - started_s < 30
    assert reply.response_time_ms < (time.monotonic() - started_s) * 1000 - 400


def test_a_wait_beyond_the_time_limit_is_not_begun(
    fake: FakeLLM, make_provider: MakeProvider
) -> None:
    fake.fail(Fault("rate_limit", retry_after="3600"))
    started_s = time.monotonic()

    with pytest.raises(ProviderRateLimited) as caught:
        make_provider().complete(ask(timeout_s=30))

    assert caught.value.details["retry_after_s"] == 3600
    assert time.monotonic() - started_s < 30
    assert len(fake.requests) == 1


def test_stopping_ends_the_wait_before_a_retry(fake: FakeLLM, make_provider: MakeProvider) -> None:
    fake.fail(Fault("rate_limit", retry_after="50"))
    started_s = time.monotonic()

    with pytest.raises(RunCancelled):
        make_provider().complete(
            ask(timeout_s=60), should_stop=lambda: time.monotonic() - started_s > 0.3
        )

    assert time.monotonic() - started_s < 30
    assert len(fake.requests) == 1


@pytest.mark.parametrize("code", ["insufficient_quota", "billing_hard_limit_reached"])
def test_a_used_up_account_is_refused_and_not_asked_again(
    make_provider: MakeProvider, code: str
) -> None:
    body = b'{"error": {"message": "You exceeded your quota", "code": "%s"}}' % code.encode()

    answer = http(body, status=429)
    with serve(answer) as (url, received), pytest.raises(ProviderRefused, match="billing"):
        make_provider(base_url=url).complete(ask())

    assert len(received) == 1


def test_retry_after_is_read_as_seconds_or_as_a_date() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)

    assert parse_retry_after("7") == 7
    assert parse_retry_after(in_a_minute) == pytest.approx(60, abs=2)
    assert parse_retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0


@pytest.mark.parametrize("value", [None, "", "soon", "-5", "nan", "inf", "1e9", "7 s", "٧"])
def test_a_senseless_retry_after_is_ignored(value: str | None) -> None:
    assert parse_retry_after(value) is None

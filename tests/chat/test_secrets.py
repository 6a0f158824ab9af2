"""The key of a provider is sent to the provider, and is nowhere else."""

from __future__ import annotations

import json
import logging
import traceback

import pytest

from helix_lab.domain.model.errors import InvalidRequest, ProviderError
from helix_lab.testing.fake_llm import KINDS, FakeLLM, Fault
from tests.chat.conftest import KEY, MakeProvider
from tests.chat.requests import ask
from tests.chat.servers import http, serve


def traces(error: BaseException) -> str:
    """All that a log or a door could show of an error."""
    shown = "".join(traceback.format_exception(error))
    details = json.dumps(getattr(error, "details", {}), default=repr)
    return f"{shown}{error!r}{error}{details}"


def test_the_key_is_sent_as_a_bearer_token(fake: FakeLLM, make_provider: MakeProvider) -> None:
    fake.fail(Fault("status", status=400))

    with pytest.raises(ProviderError, match="Bearer") as caught:
        make_provider().complete(ask())

    assert "for Bearer ***" in str(caught.value)


def test_without_a_key_none_is_sent(fake: FakeLLM, make_provider: MakeProvider) -> None:
    fake.fail(Fault("status", status=400))

    with pytest.raises(ProviderError, match="for no key"):
        make_provider(api_key=None).complete(ask())


@pytest.mark.parametrize("fault", [*(set(KINDS) - {"none", "no_stream"}), 401, 403, 404, 429])
def test_no_error_and_no_log_record_holds_the_key(
    fake: FakeLLM, make_provider: MakeProvider, caplog: pytest.LogCaptureFixture, fault: str | int
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.fail(Fault("status", status=fault) if isinstance(fault, int) else Fault(fault))

    with pytest.raises(ProviderError) as caught:
        make_provider(max_retries=0).complete(ask(timeout_s=0.5))

    assert KEY not in traces(caught.value)
    assert KEY not in caplog.text
    assert all(KEY not in repr(record.__dict__) for record in caplog.records)


def test_half_of_the_key_is_a_secret_too(make_provider: MakeProvider) -> None:
    said = "x" * 280 + f"Bearer {KEY}"

    answer = http(json.dumps({"error": said}).encode(), status=400)
    with serve(answer) as (url, _), pytest.raises(ProviderError) as caught:
        make_provider(base_url=url).complete(ask())

    assert KEY[:6] not in traces(caught.value)


def test_no_repr_holds_the_key(make_provider: MakeProvider) -> None:
    provider = make_provider()
    provider.complete(ask())

    shown = repr(provider) + "".join(repr(value) for value in vars(provider).values())
    assert KEY not in shown


@pytest.mark.parametrize("key", ["sk-line\nbreak", "sk-ünïcode", "sk-with space", "sk-\x00"])
def test_a_key_that_no_header_can_carry_is_refused_without_being_shown(
    make_provider: MakeProvider, key: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_provider(api_key=key)

    assert "sk-" not in traces(caught.value).split("InvalidRequest", 1)[1]


def test_a_line_break_after_the_key_is_harmless(fake: FakeLLM, make_provider: MakeProvider) -> None:
    assert make_provider(api_key=f"{KEY}\n").complete(ask()).text


def test_a_dummy_key_does_not_blank_the_message(fake: FakeLLM, make_provider: MakeProvider) -> None:
    fake.fail(Fault("status", status=404))

    with pytest.raises(ProviderError, match="the provider 'ollama' at"):
        make_provider("ollama", api_key="ollama").complete(ask())

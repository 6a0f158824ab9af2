"""Chat: failures are recorded and can be tried again, and a stream can be left."""

from __future__ import annotations

from typing import Any

import pytest

from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    HelixError,
    InvalidRequest,
    ProviderError,
    ProviderRefused,
    ProviderTimedOut,
    UnknownConversation,
    UnknownProvider,
)
from helix_lab.lab import Lab
from helix_lab.testing.fake_llm import FakeLLM, Fault
from tests.flow.chatting import WINDOW, failures, sent
from tests.flow.labs import contents, dump_stores, read_dead_letters, wait_until
from tests.flow.odd_providers import Odd, add

# Failures -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "error", "timeout_s"),
    [
        (Fault("status", status=400), ProviderRefused, 20.0),
        (Fault("content_filter"), ProviderRefused, 20.0),
        (Fault("hang"), ProviderTimedOut, 3.0),
    ],
)
def test_a_failure_is_recorded_and_the_message_can_be_sent_again(
    chatty: Lab, fake: FakeLLM, fault: Fault, error: type[HelixError], timeout_s: float
) -> None:
    fake.fail(fault)

    with pytest.raises(error) as caught:
        chatty.chat("c", "Hello", message_id="q", timeout_s=timeout_s)

    (failed,) = failures(chatty)
    assert (caught.value.code, "q", "sage") == (
        failed["error_code"],
        failed["message_id"],
        failed["provider"],
    )
    assert "q" == caught.value.details["message_id"]
    assert ["Hello"] == contents(chatty, "c")
    shown = chatty.get_prompt("c", "q")
    assert (caught.value.code, True) == (shown.error_code, shown.is_as_sent)

    reply = chatty.chat("c", "Hello", message_id="q")

    assert (False, 2) == (reply.is_repeated, len(contents(chatty, "c")))
    assert [("user", "Hello")] == sent(fake)
    dump_stores(chatty)
    assert [] == read_dead_letters(chatty)


def test_a_provider_whose_program_breaks_is_told_as_a_failure(chatty: Lab) -> None:
    def break_down(_: Any) -> str:
        message = "boom"
        raise RuntimeError(message)

    add(chatty, Odd("odd", break_down))

    with pytest.raises(ProviderError, match="odd failed: RuntimeError: boom"):
        chatty.chat("c", "Hello", provider="odd")

    assert ["PROVIDER_ERROR"] == [failed["error_code"] for failed in failures(chatty)]


def test_what_cannot_be_asked_is_refused_before_anything_is_recorded(chatty: Lab) -> None:
    refused: list[tuple[type[HelixError], dict[str, Any]]] = [
        (UnknownProvider, {"provider": "nobody"}),
        (InvalidRequest, {"content": ""}),
        (InvalidRequest, {"timeout_s": 0}),
        (InvalidRequest, {"temperature": 3.0}),
        (InvalidRequest, {"max_output_tokens": 0}),
        (InvalidRequest, {"compression_strategy": "zip"}),
        (BudgetTooSmall, {"max_output_tokens": WINDOW}),
    ]
    for error, arguments in refused:
        with pytest.raises(error):
            chatty.chat("c", **{"content": "Hello", **arguments})

    with pytest.raises(UnknownConversation):
        chatty.chat("ghost", "Hello")
    assert [] == contents(chatty, "c")


# Streams ------------------------------------------------------------------------------------


def test_a_stream_gives_the_text_as_it_comes_and_then_the_reply(chatty: Lab) -> None:
    *pieces, last = chatty.stream_chat("c", "Tell me a story", message_id="q")

    assert len(pieces) > 1
    assert "".join(piece["text"] for piece in pieces) == last["reply"]["content"]
    assert last["reply"]["content"] == contents(chatty, "c")[1]


def test_leaving_a_stream_stops_the_provider(chatty: Lab, fake: FakeLLM) -> None:
    fake.fail(Fault("slow_drip"))
    stream = chatty.stream_chat("c", "Tell me a story")
    next(stream)

    stream.close()

    fake.wait_until_idle(timeout_s=20)
    wait_until(lambda: failures(chatty))
    assert ["RUN_CANCELLED"] == [failed["error_code"] for failed in failures(chatty)]
    assert ["Tell me a story"] == contents(chatty, "c")


def test_a_stream_fails_before_its_first_piece_where_it_can(chatty: Lab, fake: FakeLLM) -> None:
    fake.fail(Fault("status", status=400))

    with pytest.raises(ProviderRefused):
        next(chatty.stream_chat("c", "Hello"))
    with pytest.raises(UnknownConversation):
        next(chatty.stream_chat("ghost", "Hello"))

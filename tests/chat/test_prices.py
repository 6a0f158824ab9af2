"""What an answer cost."""

from __future__ import annotations

import pytest

from helix_lab.adapters.chat_openai_compatible.prices import cost_usd
from helix_lab.adapters.chat_openai_compatible.wire import Usage
from helix_lab.testing.fake_llm import FakeLLM
from tests.chat.conftest import MakeProvider
from tests.chat.requests import ask

COUNTED = Usage(1_000_000, 1_000_000)
LOCAL = "http://127.0.0.1:11434/v1"


def price(
    usage: Usage = COUNTED,
    *,
    provider: str = "mine",
    model: str = "gpt-4o",
    base_url: str = LOCAL,
    stated: dict[str, tuple[float, float]] | None = None,
) -> float | None:
    return cost_usd(usage, provider=provider, model=model, base_url=base_url, stated=stated or {})


def test_a_model_is_priced_by_the_address_of_its_provider() -> None:
    cost = price(model="deepseek-chat", base_url="https://api.deepseek.com/v1")

    assert cost is not None
    assert cost > 0


@pytest.mark.parametrize(
    ("provider", "model"),
    [("openai", "gpt-4o"), ("claude", "claude-sonnet-4-5"), ("gemini", "gemini-2.5-pro")],
)
def test_a_model_is_priced_by_the_name_of_its_provider(provider: str, model: str) -> None:
    cost = price(provider=provider, model=model)

    assert cost is not None
    assert cost > 0


def test_cached_tokens_cost_less() -> None:
    cached = price(Usage(1_000_000, 0, 900_000), provider="openai")
    fresh = price(Usage(1_000_000, 0), provider="openai")

    assert cached is not None
    assert fresh is not None
    assert cached < fresh


def test_a_model_on_an_own_machine_has_no_known_price() -> None:
    assert price() is None


def test_an_unknown_model_has_no_known_price() -> None:
    assert price(provider="openai", model="never-heard-of") is None


@pytest.mark.parametrize("usage", [Usage(), Usage(5, None), Usage(None, 5)])
def test_uncounted_tokens_have_no_known_price(usage: Usage) -> None:
    assert price(usage, provider="openai") is None


def test_a_stated_price_goes_first() -> None:
    assert price(provider="openai", stated={"gpt-4o": (2.0, 8.0)}) == 10.0
    assert price(stated={"gpt-4o": (0.0, 0.0)}) == 0.0


def test_a_reply_says_what_it_cost(fake: FakeLLM, make_provider: MakeProvider) -> None:
    reply = make_provider(prices={"sage": (1.0, 0.0)}).complete(ask())

    assert reply.input_tokens is not None
    assert reply.cost_usd == pytest.approx(reply.input_tokens / 1_000_000)

"""A fake LLM server, and providers that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from helix_lab.adapters.chat_openai_compatible import OpenAICompatibleProvider

if TYPE_CHECKING:
    from helix_lab.testing.fake_llm import FakeLLM

KEY = "sk-very-secret-0123456789"

MakeProvider = Callable[..., OpenAICompatibleProvider]


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    from helix_lab.testing.fake_llm import FakeLLM

    with FakeLLM() as server:
        yield server


@pytest.fixture
def make_provider(fake: FakeLLM) -> Iterator[MakeProvider]:
    """Providers that ask the fake, wait little between retries, and are closed at the end."""
    made: list[OpenAICompatibleProvider] = []

    def make(name: str = "fake", base_url: str | None = None, **options: Any) -> Any:
        url = fake.base_url if base_url is None else base_url
        settings = {"api_key": KEY, "default_model": "sage", "backoff_s": 0.001, **options}
        made.append(OpenAICompatibleProvider(name, url, **settings))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


@pytest.fixture
def provider(make_provider: MakeProvider) -> OpenAICompatibleProvider:
    return make_provider()

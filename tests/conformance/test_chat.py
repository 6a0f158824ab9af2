"""Every provider keeps the contract of the chat port."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from helix_lab.adapters.chat_offline import OfflineProvider
from helix_lab.adapters.chat_openai_compatible import OpenAICompatibleProvider
from helix_lab.adapters.chat_replay import ReplayProvider
from helix_lab.ports.chat import ChatProvider
from helix_lab.testing.chat import ChatProviderTests, make_requests
from helix_lab.testing.fake_llm import FakeLLM


class TestOfflineProvider(ChatProviderTests):
    @pytest.fixture
    def provider(self) -> ChatProvider:
        return OfflineProvider()


class TestReplayProvider(ChatProviderTests):
    @pytest.fixture
    def provider(self) -> ChatProvider:
        said = {"answer": "Cache what is read often.", "vote": "VOTE: B", "judge": "VOTE: TIE"}
        return ReplayProvider({request.key: said[t] for t, request in make_requests().items()})


class TestOpenAICompatibleProvider(ChatProviderTests):
    @pytest.fixture
    def provider(self) -> Iterator[ChatProvider]:
        with FakeLLM() as fake:
            provider = OpenAICompatibleProvider("fake", fake.base_url, "key-of-a-test", "sage")
            yield provider
            provider.close()

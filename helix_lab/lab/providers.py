"""The LLM providers of a lab, by its settings."""

from __future__ import annotations

import os
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from helix_lab.adapters.chat_offline import OfflineProvider
from helix_lab.ports.chat import ChatProvider
from helix_lab.settings import ProviderSettings, Settings


def make_providers(settings: Settings, stack: ExitStack) -> dict[str, ChatProvider]:
    """The providers by name, the built-in one first; the stack closes them."""
    providers: dict[str, ChatProvider] = {"offline": OfflineProvider()}
    for configured in settings.providers:
        provider = _make_provider(configured)
        provider.context_window_tokens = configured.context_window_tokens
        provider.problem = _find_problem(configured)
        providers[configured.name] = provider
    for made in providers.values():
        stack.callback(made.close)
    return providers


def _find_problem(settings: ProviderSettings) -> str | None:
    key = settings.api_key_env
    return f"the environment variable {key} is not set" if key and not os.environ.get(key) else None


def _make_provider(settings: ProviderSettings) -> ChatProvider:
    if settings.base_url.startswith("file:"):
        from helix_lab.adapters.chat_replay import ReplayProvider

        return ReplayProvider(
            Path(url2pathname(urlsplit(settings.base_url).path)),
            name=settings.name,
            default_model=settings.model,
        )
    from helix_lab.adapters.chat_openai_compatible import OpenAICompatibleProvider

    return OpenAICompatibleProvider(
        settings.name,
        base_url=settings.base_url,
        api_key=os.environ.get(settings.api_key_env) if settings.api_key_env else None,
        default_model=settings.model,
    )

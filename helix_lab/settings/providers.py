"""The LLM providers, by a JSON list of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.ports.chat import MAX_WINDOW_TOKENS, MIN_WINDOW_TOKENS
from helix_lab.settings.form import ProviderSettings

OFFLINE = "offline"
"""The built-in provider; no configured one may take its name."""


def read_providers(text: str | None) -> tuple[ProviderSettings, ...]:
    """The providers of a list, or of the file that holds one."""
    if not text:
        return ()
    import msgspec

    raw = text if text.lstrip().startswith("[") else _read_file(text)
    try:
        found: list[dict[str, Any]] = msgspec.json.decode(raw, type=list[dict[str, Any]])
        providers = tuple(ProviderSettings(**item) for item in found)
        _check_providers(providers)
    except (msgspec.DecodeError, TypeError, ValueError) as error:
        message = (
            "HELIX_PROVIDERS must be a JSON list of objects with name, base_url, model and "
            f"optionally api_key_env, or the path of a file with one: {error}"
        )
        raise InvalidRequest(message, field="HELIX_PROVIDERS") from None
    return providers


def _check_providers(providers: Sequence[ProviderSettings]) -> None:
    names = [OFFLINE]
    for provider in providers:
        _check_window(provider)
        for name, value in asdict(provider).items():
            if name == "context_window_tokens":
                continue
            is_absent = value is None and name == "api_key_env"
            if not is_absent and not (isinstance(value, str) and value.strip()):
                message = f"{name} of provider {provider.name!r} must be a text"
                raise ValueError(message)
        if provider.name in names:
            message = f"the name {provider.name!r} is taken; each provider needs its own"
            raise ValueError(message)
        names.append(provider.name)


def _check_window(provider: ProviderSettings) -> None:
    window: object = provider.context_window_tokens
    is_whole = isinstance(window, int) and not isinstance(window, bool)
    if not is_whole or not MIN_WINDOW_TOKENS <= provider.context_window_tokens <= MAX_WINDOW_TOKENS:
        message = (
            f"context_window_tokens of provider {provider.name!r} must be a whole number from "
            f"{MIN_WINDOW_TOKENS} to {MAX_WINDOW_TOKENS}"
        )
        raise ValueError(message)


def _read_file(path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8")
    except (OSError, ValueError, RuntimeError) as error:
        message = f"HELIX_PROVIDERS names a file that cannot be read: {error}"
        raise InvalidRequest(message, field="HELIX_PROVIDERS") from None

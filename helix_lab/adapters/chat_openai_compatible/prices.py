"""What an answer cost: from prices that the user stated, else from genai-prices' offline list."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from helix_lab.adapters.chat_openai_compatible.wire import Usage


_ALIASES = {"claude": "anthropic", "gemini": "google", "gpt": "openai", "grok": "x-ai"}
_MILLION = 1_000_000


def cost_usd(
    usage: Usage,
    *,
    provider: str,
    model: str,
    base_url: str,
    stated: Mapping[str, tuple[float, float]],
) -> float | None:
    """Dollars for one answer; None where the tokens or the price are not known.

    The list is asked by the server's address, then by the provider's name. The model's name
    alone would not do: a model of the same name on the user's own machine costs nothing known.
    """
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    if model in stated:
        input_price, output_price = stated[model]
        spent = usage.input_tokens * input_price + usage.output_tokens * output_price
        return spent / _MILLION
    return _look_up(usage, provider=provider, model=model, base_url=base_url)


def _look_up(usage: Usage, *, provider: str, model: str, base_url: str) -> float | None:
    import genai_prices

    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_tokens,
    )
    provider_id = _ALIASES.get(provider, provider)
    with suppress(LookupError):
        price = genai_prices.calc_price(counted, model, provider_api_url=base_url)
        return float(price.total_price)
    with suppress(LookupError):
        return float(genai_prices.calc_price(counted, model, provider_id=provider_id).total_price)
    return None

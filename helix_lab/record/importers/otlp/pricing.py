"""What a call cost, where its span does not say: from the offline list of genai-prices."""

from __future__ import annotations

from contextlib import suppress

_LISTED_AS = {
    "aws.bedrock": "aws",
    "azure.ai.inference": "azure",
    "azure.ai.openai": "azure",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gemini": "google",
    "mistral_ai": "mistral",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""Name of a provider in the conventions → in the list, where they differ."""


def find_cost_usd(
    provider: str | None,
    model: str | None,
    input_tokens: int | None,
    output_tokens: int | None,
    *,
    cached_tokens: int | None = None,
) -> float | None:
    """Dollars for one call; None where the tokens or the price are not known.

    A model is priced as that of its provider alone: one of the same name on somebody's own
    machine has no known price.
    """
    if provider is None or model is None or input_tokens is None:
        return None
    import genai_prices

    usage = genai_prices.Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens or 0,
        cache_read_tokens=cached_tokens,
    )
    # A model that is not listed is a LookupError, counts that cannot be are a ValueError.
    with suppress(LookupError, ValueError):
        listed = _LISTED_AS.get(provider, provider)
        return float(genai_prices.calc_price(usage, model, provider_id=listed).total_price)
    return None

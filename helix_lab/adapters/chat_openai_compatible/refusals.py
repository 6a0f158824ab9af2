"""What went wrong with a provider, as errors that say what to check and never hold the key."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import (
    ProviderError,
    ProviderRateLimited,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUnreachable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOWN_CHARS = 300
_SHORTEST_SECRET = 8
_SECONDS = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*")
_MAY_PASS = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY}
_NO_CREDIT = ("insufficient_quota", "insufficient balance", "billing_hard_limit")


@dataclass(frozen=True, slots=True)
class Refusals:
    """Makes the errors of one provider; the key is cut out of whatever a server said."""

    name: str
    url: str
    api_key: str | None = field(repr=False)

    def refused(self, what: str, **details: Any) -> ProviderRefused:
        """Asking again would not help."""
        return ProviderRefused(self._say(what), service=self.name, **details)

    def unreachable(self, what: str, **details: Any) -> ProviderUnreachable:
        """No connection, or an answer that broke off."""
        return ProviderUnreachable(self._say(what), service=self.name, **details)

    def timed_out(self, timeout_s: float) -> ProviderTimedOut:
        """No complete answer within the limit."""
        what = f"gave no complete answer within {timeout_s:g} s; ask for less or allow more time"
        return ProviderTimedOut(self._say(what), service=self.name, timeout_s=timeout_s)

    def of_status(
        self, status: int, headers: Mapping[str, str], said: str, model: str
    ) -> ProviderError:
        """The error of an HTTP answer that is not a success."""
        retry_after_s = parse_retry_after(headers.get("retry-after"))
        is_without_credit = any(mark in said.casefold() for mark in _NO_CREDIT)
        if status == HTTPStatus.TOO_MANY_REQUESTS and not is_without_credit:
            details: dict[str, Any] = {"status": status, "retry_after_s": retry_after_s}
            what = self._say(f"asks to slow down (429){self.quote(said)}")
            return ProviderRateLimited(what, service=self.name, **details)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
            what = f"failed with status {status}{self.quote(said)}"
            return self.unreachable(what, status=status, retry_after_s=retry_after_s)
        return self.refused(f"{self._advise(status, model)}{self.quote(said)}", status=status)

    def _advise(self, status: int, model: str) -> str:
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return f"refused the API key ({status}); check the key configured for {self.name!r}"
        if status == HTTPStatus.NOT_FOUND:
            return (
                f"knows no model {model!r} or has no such path (404); check the model's name "
                "and the base URL"
            )
        if status in {HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.TOO_MANY_REQUESTS}:
            return f"has no credit left for this key ({status}); check the account's billing"
        if status < HTTPStatus.BAD_REQUEST:
            return f"answered with a redirect ({status}); check the base URL"
        return f"refused the request ({status}); check the model {model!r} and the parameters"

    def quote(self, said: str) -> str:
        """A server's words for a message: `: words`, short, or nothing where it said nothing.

        The key goes before the words are cut: half of a key is still a secret.
        """
        words = " ".join(self._without_key(said).split())
        if not words:
            return ""
        return f": {words[:_SHOWN_CHARS]}" + ("…" if len(words) > _SHOWN_CHARS else "")

    def _say(self, what: str) -> str:
        message = f"the provider {self.name!r} at {self.url} {what}"
        # A dummy key ("ollama") is no secret, and may be part of the name.
        is_secret = self.api_key is not None and len(self.api_key) >= _SHORTEST_SECRET
        return self._without_key(message) if is_secret else message

    def _without_key(self, text: str) -> str:
        return text.replace(self.api_key, "***") if self.api_key else text


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait, 0 or more, by a Retry-After header (RFC 9110 §10.2.3); None if senseless."""
    if value is None:
        return None
    if seconds := _SECONDS.fullmatch(value):
        return float(seconds[1])
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None

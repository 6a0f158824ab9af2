"""Tokens in addresses do not reach the log, also where an error is logged with its request."""

from __future__ import annotations

import logging
import re
from typing import Final

_TOKEN: Final = re.compile(r"(\btoken=)[^&\s'\"]+")


class TokenMask(logging.Filter):
    """Masks what follows `token=`, as Jupyter's own log of requests does."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let each record pass, masked."""
        text = record.getMessage()
        masked = _TOKEN.sub(r"\1[secret]", text)
        if masked != text:
            record.msg, record.args = masked, ()
        return True


def mask_tokens(log: logging.Logger) -> None:
    """Mask them in all that this log writes, also for loggers below it."""
    for handler in log.handlers:
        handler.addFilter(TokenMask())

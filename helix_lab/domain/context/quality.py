"""Quality: how much of what matters a compressed context still says."""

from __future__ import annotations

import re

from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.digest import Compressed, Quality

_WORD = re.compile(r"\w+")


def score(analysis: Analysis, compressed: Compressed) -> Quality:
    """The quality of a compressed context of the analysed conversation, by its text alone."""
    kept = sum(len(_WORD.findall(line.text)) for line in compressed.summary)
    kept += sum(len(_WORD.findall(recent.text)) for recent in compressed.recent_messages)
    total = sum(len(_WORD.findall(message.content)) for message in analysis.messages)
    share = min(1.0, kept / total) if total else 1.0
    return Quality(share, share, share, share, share, share)

"""Names: the entities that a digest mentions, and the headings that it can be grouped by."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from helix_lab.domain.context import vocabulary as v
from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.digest import Line

_MOST = 20
_TOKENS_PER_HEADING = 400
_LONGEST = 60
_PLAIN = bytes(n if chr(n).isalnum() and chr(n).isascii() else 32 for n in range(256))


def top(analysis: Analysis) -> list[str]:
    """The names of a conversation, most mentioned first; equally often, in order of mention."""
    features = analysis.features
    places = np.flatnonzero(
        features.is_entity & features.has(v.CAPITAL | v.IDENTIFIER) & ~features.has(v.BLOCK)
    )
    if not len(places):
        return []
    joins = np.zeros(len(places), dtype=bool)
    joins[1:] = (np.diff(places) == 1) & ~features.is_first[places[1:]]
    texts = list(map(analysis.vocabulary.texts.__getitem__, analysis.types[places].tolist()))
    counts: Counter[str] = Counter()
    name = ""
    for text, is_joined in zip(texts, joins.tolist(), strict=True):
        if is_joined:
            name += " " + text
            continue
        counts[name] += 1
        name = text
    counts[name] += 1
    del counts[""]
    return [name for name, _ in counts.most_common(5 * _MOST) if len(name) <= _LONGEST]


def kept(analysis: Analysis, text: str) -> tuple[str, ...]:
    """The most mentioned names that a text holds."""
    words = set(_read_words(text))
    found: list[str] = []
    for name in analysis.names:
        if len(found) == _MOST:
            break
        # Words are looked up: to look for each name in a long text takes longer than to make it.
        if words.issuperset(_read_words(name)[:1]) and name in text:
            found.append(name)
    return tuple(found)


def _read_words(text: str) -> list[bytes]:
    """The runs of plain letters and digits."""
    return text.encode("ascii", "replace").translate(_PLAIN).split()


def group(analysis: Analysis, lines: list[Line], budget_tokens: int) -> list[Line]:
    """The lines under the names that they mention; the rest first, without a heading."""
    headings = [name for name in analysis.names if name][
        : max(1, budget_tokens // _TOKENS_PER_HEADING)
    ][:12]
    grouped: dict[str, list[Line]] = {name: [] for name in ["", *headings]}
    for line in lines:
        words = f" {line.text} "
        name = next((heading for heading in headings if f" {heading} " in words), "")
        grouped[name].append(replace(line, heading=name))
    return [line for members in grouped.values() for line in members]

"""What Helix Lab is measured against: the tail, extractive summarisers, BM25, and an attack."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from bench.evaluations import words
from bench.harness import CannotRunError
from helix_lab.domain.context.compression import Analysis, Compressed, compress
from helix_lab.domain.context.digest import RecentMessage, speaker_of
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.quality import score
from helix_lab.domain.context.rendering import render
from helix_lab.domain.context.selection import write_chunks
from helix_lab.domain.context.yardstick import NAMES, NEGATES, NUMBERS, STATES

_WORD = re.compile(r"[^\W_]+")


def take(analysis: Analysis, order: Sequence[int], budget_tokens: int) -> set[int]:
    """Messages in an order of preference, as many as fit word for word."""
    room = 100 * budget_tokens
    taken = set()
    for place in order:
        if analysis.sizes[place] <= room:
            room -= int(analysis.sizes[place])
            taken.add(place)
    return taken


def tail(analysis: Analysis, budget_tokens: int) -> set[int]:
    """The newest messages that fit: what most libraries do."""
    sizes = np.cumsum(analysis.sizes[::-1])
    count = int(np.searchsorted(sizes, 100 * budget_tokens, side="right"))
    return set(range(len(sizes) - count, len(sizes)))


def texts(analysis: Analysis, taken: set[int]) -> dict[str, str]:
    """What whole messages say, by id."""
    return {
        message.message_id: message.content
        for place, message in enumerate(analysis.messages)
        if place in taken
    }


def as_digest(analysis: Analysis, taken: set[int]) -> Compressed:
    """Whole messages as a digest, to be scored like one."""
    whole = compress(analysis, budget_tokens=analysis.original_tokens + 1000)
    messages = [analysis.messages[place] for place in sorted(taken)]
    kept = tuple(map(_recent, messages))
    made = replace(whole, summary=(), recent_messages=kept)
    return replace(made, stats=replace(made.stats, quality=score(analysis, made)))


def _recent(message: Message) -> RecentMessage:
    return RecentMessage(
        message.message_id, message.role, speaker_of(message), message.content, message.time
    )


class _Tokenizer:
    """Words and sentences for sumy without a download."""

    def to_sentences(self, text: str) -> tuple[str, ...]:
        return (text,)

    def to_words(self, text: str) -> tuple[str, ...]:
        return tuple(_WORD.findall(text))


def summarisers() -> dict[str, Callable[[Analysis], list[int]]]:
    """Sumy's two summarisers that keep most answers: name → order of preference.

    Its graph methods (TextRank, LexRank) keep fewer, and take minutes a talk.
    """
    try:
        from sumy.summarizers.luhn import LuhnSummarizer
        from sumy.summarizers.sum_basic import SumBasicSummarizer
    except ImportError as error:
        msg = "the baseline needs sumy: pip install 'helix-lab[bench]'"
        raise CannotRunError(msg) from error
    found = {"Luhn": LuhnSummarizer, "SumBasic": SumBasicSummarizer}
    return {name: _rank_by(maker) for name, maker in found.items()}


def _rank_by(maker: Any) -> Callable[[Analysis], list[int]]:
    def rank(analysis: Analysis) -> list[int]:
        from sumy.models.dom import ObjectDocumentModel, Paragraph, Sentence

        tokenizer = _Tokenizer()
        sentences = [Sentence(m.content, tokenizer) for m in analysis.messages]
        places: dict[str, list[int]] = {}
        for place, sentence in enumerate(sentences):
            places.setdefault(str(sentence), []).append(place)
        summarizer = maker()
        summarizer.stop_words = words.STOP
        document = ObjectDocumentModel([Paragraph(sentences)])
        order: list[int] = []
        for share in (0.25, 0.5):
            count = max(1, int(share * len(sentences)))
            for chosen in summarizer(document, count):
                order += [place for place in places[str(chosen)] if place not in order]
        return order

    return rank


def bm25(messages: Sequence[Message], query: str) -> list[int]:
    """Messages by Okapi BM25 (k1 1.2, b .75), best first; of equal ones the older."""
    documents = [Counter(words.strong(message.content)) for message in messages]
    lengths = [document.total() for document in documents]
    average = sum(lengths) / max(1, len(lengths)) or 1
    wanted = set(words.strong(query))
    held = {term: sum(term in document for document in documents) for term in wanted}
    scores = [
        sum(
            math.log1p((len(documents) - held[term] + 0.5) / (held[term] + 0.5))
            * document[term]
            * 2.2
            / (document[term] + 1.2 * (0.25 + 0.75 * length / average))
            for term in wanted
        )
        for document, length in zip(documents, lengths, strict=True)
    ]
    return sorted(range(len(messages)), key=lambda place: (-scores[place], place))


def attack(analysis: Analysis, budget_tokens: int) -> Compressed:
    """A compressor that maximises the score itself: what the score adds per cost, greedily."""
    yardstick = analysis.outline.yardstick
    gain = 0.55 * yardstick.weigh(STATES, analysis.outline.sentence) / (yardstick.totals[0] or 1)
    for weight, kind in ((0.20, NAMES), (0.20, NUMBERS), (0.05, NEGATES)):
        wanted = (yardstick.kinds & kind) != 0
        gain[wanted] += weight / max(1, int(np.count_nonzero(wanted)))
    order = np.argsort(-gain / np.maximum(analysis.features.cost, 1), kind="stable")
    order = order[gain[order] > 0]
    low, high, best = 0, len(order), compress(analysis, budget_tokens=budget_tokens)
    while low < high:
        middle = (low + high + 1) // 2
        lines = write_chunks(analysis, np.sort(order[:middle]), order[:0])
        text = render(analysis, lines, [])
        if analysis.count_tokens(text) <= budget_tokens:
            low = middle
            best = replace(
                best, summary=tuple(lines), recent_messages=(), key_decisions=(), text=text
            )
        else:
            high = middle - 1
    return replace(best, stats=replace(best.stats, quality=score(analysis, best)))

"""The offline provider: answers with sentences that the prompt already holds. No model is called.

Deterministic and extractive. It lets every feature that needs a provider work without a key,
and labels each text so that nobody takes it for a model's.

The rules, all lexical (words compared without case, function words left out):

- An answer is the `MAX_SENTENCES` sentences of the material that share the most words with
  the question, rare words counting more. Words of the seat's own instruction ("look for
  errors, gaps, …") count too, so that seats differ where the material lets them.
- A vote or a decision is for the answer with the most words of the question; then for the
  one that shares the most words with the other answers. Where that is equal, a moderator
  takes the option that is no side (TIE, CONTINUE), and a voter the first answer shown.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter
from typing import TYPE_CHECKING

from helix_lab.domain.debate.blocks import OFFLINE_NOTICE, Block, read_blocks
from helix_lab.domain.model.errors import RunCancelled
from helix_lab.ports.chat import ChatProvider, ChatRequest, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MAX_SENTENCES = 2

NOTHING_FOUND = "Nothing in the material of this lab matches the question."

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")
_WORD = re.compile(r"\w+")
_FUNCTION_WORDS = frozenset(
    _WORD.findall(
        "a about all an and any are as at be been but by can could did do does for from had "
        "has have how i if in into is it its me more my no not of on one or our should so "
        "some than that the their them then there these they this those to was we were what "
        "when where which who why will with would you your"
    )
)


class OfflineProvider(ChatProvider):
    """Extractive answers and lexical votes, without a model, a network or a confidence."""

    name = "offline"
    default_model = "extractive"
    context_window_tokens = 200_000

    def complete(
        self,
        request: ChatRequest,
        *,
        on_text: Callable[[str], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
    ) -> Reply:
        """Answer from the prompt; see the module for the rules.

        Raises:
            RunCancelled: `should_stop` answered True before the answer was made.
        """
        started_s = time.perf_counter()
        if should_stop is not None and should_stop():
            message = "the request to the offline provider was cancelled"
            raise RunCancelled(message)
        is_choice = request.task in {"vote", "judge"} and bool(request.options)
        words = _choose(request) if is_choice else _extract(request)
        text = f"{OFFLINE_NOTICE}\n{words}"
        if on_text is not None:
            on_text(text)
        return Reply(
            text=text,
            provider=self.name,
            model=request.model or self.default_model,
            response_time_ms=(time.perf_counter() - started_s) * 1000,
            finish_reason="stop",
            cost_usd=0.0,
        )

    def close(self) -> None:
        """Nothing to release."""


def _extract(request: ChatRequest) -> str:
    question, material = _split(request)
    sentences = list(dict.fromkeys(s for text in material for s in _sentences(text)))
    asked = _words(question)
    instruction = _words(_instruction(request)) - asked
    bags = [_words(sentence) for sentence in sentences]
    spread = Counter(word for bag in bags for word in bag)
    scores = [
        _weigh(bag & (asked | instruction), spread, len(bags)) if bag & asked else 0.0
        for bag in bags
    ]
    # Of equal sentences the later one is newer; the answer keeps the order of the material.
    ranked = sorted(range(len(bags)), key=lambda i: (-scores[i], -i))
    best = sorted(i for i in ranked[:MAX_SENTENCES] if scores[i] > 0)
    return "\n".join(sentences[i] for i in best) or NOTHING_FOUND


def _choose(request: ChatRequest) -> str:
    asked = _words(_split(request)[0])
    said: dict[str, set[str]] = {}
    for block in read_blocks(_last_user_text(request)):
        if block.kind == "answer" and block.label in request.options:
            said.setdefault(block.label, set()).update(_words(block.text))
    undecided = [option for option in request.options if option not in said]
    ranks = {label: (len(words & asked), _shared(label, said)) for label, words in said.items()}
    leaders = [label for label, rank in ranks.items() if rank == max(ranks.values())]
    if undecided and len(leaders) != 1:
        return f"VOTE: {undecided[-1]}\nLexical rule: no answer is ahead."
    label = leaders[0]
    return (
        f"VOTE: {label}\nLexical rule: it has {ranks[label][0]} of the "
        f"{len(asked)} words of the question."
    )


def _shared(label: str, said: dict[str, set[str]]) -> int:
    return sum(len(said[label] & words) for other, words in said.items() if other != label)


def _split(request: ChatRequest) -> tuple[str, list[str]]:
    """The question, and the material to answer from, oldest first.

    A prompt with blocks says itself which is which; else the last message of the user is the
    question and what was said before it is the material.
    """
    blocks = read_blocks(_last_user_text(request))
    if any(block.kind == "question" for block in blocks):
        return _texts(blocks, "question"), [b.text for b in blocks if b.kind != "question"]
    talk = [message for message in request.messages if message.role != "system"]
    asked = max((i for i, m in enumerate(talk) if m.role == "user"), default=-1)
    if asked < 0:
        return "", []
    return talk[asked].content, [message.content for message in talk[:asked]]


def _texts(blocks: Sequence[Block], kind: str) -> str:
    return "\n".join(block.text for block in blocks if block.kind == kind)


def _last_user_text(request: ChatRequest) -> str:
    texts = (message.content for message in reversed(request.messages) if message.role == "user")
    return next(texts, "")


def _instruction(request: ChatRequest) -> str:
    """The first sentence of the system message: in a debate it says what the seat looks for."""
    texts = (message.content for message in request.messages if message.role == "system")
    return next(iter(_sentences(next(texts, ""))), "")


def _sentences(text: str) -> list[str]:
    body = text.replace(OFFLINE_NOTICE, "").replace(NOTHING_FOUND, "")
    return [piece.strip() for piece in _SENTENCE_END.split(body) if piece.strip()]


def _words(text: str) -> set[str]:
    """Content words; a plural counts as its singular."""
    found = (word.casefold() for word in _WORD.findall(text))
    return {
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word  # noqa: PLR2004
        for word in found
        if word not in _FUNCTION_WORDS
    }


def _weigh(words: Iterable[str], spread: Counter[str], total: int) -> float:
    """Sum of the words' rarity; sorted, since a sum of floats depends on its order."""
    return math.fsum(math.log(1 + total / spread[word]) for word in sorted(words))

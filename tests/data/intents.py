"""Messages of real data whose intent is labelled by written rules; the texts stay where they are.

The label is what the message as a whole wants, by the first rule that fits:

1. `comparison`: to weigh two or more named things against each other.
2. `debugging`: something does not work as it should, and the cause or a fix is wanted.
3. `decision`: whether to do something, which one to take, whether a choice is good or enough; a
   wish for a product or a book is one.
4. `implementation`: a thing is to be made or improved: code, a plan, a draft, a review of it.
5. `explanation`: to understand how something is or works, or to have a result checked.
6. `help_seeking`: how to go about something in one's own situation; advice, tips, next steps.
7. `out_of_scope`: nothing is asked: thanks, news, agreement, small talk (also questions of friends
   about each other), and standing instructions.

`intents.tsv` has 230 messages of users in BEAM (23 of each chat) and 70 of LoCoMo, drawn at random
and labelled before any rule of ours was run on them. The rules were bettered by what 125 of them
told; the other 175 were labelled afterwards, by somebody who had read the rules and changed none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

LABELS = Path(__file__).with_name("intents.tsv")


def read_labelled(data: Path) -> list[tuple[str, str]]:
    """(text, intent) of each labelled message."""
    labels = dict(line.split("\t") for line in LABELS.read_text(encoding="utf-8").splitlines())
    return [(text, labels[name]) for name, text in _read_texts(data) if name in labels]


def keyword_intent(text: str) -> str:
    """The baseline: the guide's implementation looks for parts of words, in this order."""
    lower = text.lower()
    for intent, words in (
        ("help_seeking", ("help", "how")),
        ("explanation", ("explain", "what is")),
        ("debugging", ("fix", "error")),
        ("implementation", ("create", "build")),
        ("comparison", ("compare", " vs ")),
        ("decision", ("should", "which")),
    ):
        if any(word in lower for word in words):
            return intent
    return "out_of_scope"


def measure_macro_f1(expected: list[str], found: list[str]) -> float:
    """The mean over the intents that are expected of 2 TP / (2 TP + FP + FN)."""
    scores = []
    for intent in sorted(set(expected)):
        pairs = list(zip(expected, found, strict=True))
        both = sum(one == other == intent for one, other in pairs)
        either = sum((one == intent) + (other == intent) for one, other in pairs)
        scores.append(2 * both / either)
    return sum(scores) / len(scores)


def _read_texts(data: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((data / "beam-100k").glob("*/chat.json")):
        for batch in json.loads(path.read_text(encoding="utf-8")):
            for turns in batch["turns"]:
                for message in turns:
                    yield f"beam/{path.parent.name}/{message['id']}", message["content"]
    talks = json.loads((data / "locomo/conversations-dev.json").read_text(encoding="utf-8"))
    for talk in talks:
        for turns in talk["conversation"].values():
            for turn in turns if isinstance(turns, list) else ():
                yield f"locomo/{talk['sample_id']}/{turn['dia_id']}", turn["text"]

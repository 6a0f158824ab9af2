"""StackOverflow NER: posts whose software entities are labelled (MIT), and exact-span scores.

Labels are merged and header lines dropped as the set's own loader does. That loader also turns
some rare labels into O; of these we keep `Value` and `Error_Name`, which makes it harder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

MERGED = {
    "Library_Function": "Function",
    "Function_Name": "Function",
    "Class_Name": "Class",
    "Library_Class": "Class",
    "Library_Variable": "Variable",
    "Variable_Name": "Variable",
    "Organization": "Website",
}
DROPPED = frozenset({"Keyboard_IP", "Licence"})
_HEADERS = ("Question_URL :", "Question_ID :", "Answer_to_Question_ID :")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, its label, and `B` or `I` where it stands in code markup."""

    word: str
    label: str
    markup: str


Sentence = tuple[Token, ...]
Post = list[Sentence]
Span = tuple[int, int, str]


def read_posts(path: Path) -> list[Post]:
    """The questions and answers of a file, each a list of sentences."""
    posts: list[Post] = [[]]
    for block in _blocks(path.read_text(encoding="utf-8").splitlines()):
        sentence = tuple(_token(line) for line in block)
        text = " ".join(token.word for token in sentence)
        if text.startswith(("Question_ID", "Answer_to_Question_ID")):
            posts.append([])
        if not _is_header(text):
            posts[-1].append(sentence)
    return [post for post in posts if post]


def _blocks(lines: Iterable[str]) -> Iterable[list[str]]:
    block: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            yield block
            block = []


def _is_header(text: str) -> bool:
    is_omitted = "omitted for annotation" in text and (
        "CODE_BLOCK :" in text or "OP_BLOCK :" in text
    )
    return is_omitted or any(header in text for header in _HEADERS)


def _token(line: str) -> Token:
    word, label, _, markup = line.split()[:4]
    prefix, _, name = label.partition("-")
    name = MERGED.get(name, name)
    label = "O" if not name or name in DROPPED else f"{prefix}-{name}"
    return Token(word.replace("-----", " "), label, "" if markup == "O" else markup[0])


def spans(labels: Sequence[str]) -> set[Span]:
    """The spans of BIO labels as (first, end, type); an `I` that continues nothing begins one."""
    found: set[Span] = set()
    start, kind = 0, ""
    for place, label in enumerate([*labels, "O"]):
        prefix, _, name = label.partition("-")
        if kind and (prefix != "I" or name != kind):
            found.add((start, place, kind))
            kind = ""
        if name and not kind:
            start, kind = place, name
    return found


@dataclass(slots=True)
class Score:
    """Counts of spans that are right, that were found and that there are."""

    right: int = 0
    found: int = 0
    gold: int = 0

    def add(self, found: set[Span], gold: set[Span]) -> None:
        """Count one sentence."""
        self.right += len(found & gold)
        self.found += len(found)
        self.gold += len(gold)

    @property
    def precision(self) -> float:
        """The share of what was found that is right."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of what there is that was found."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, in percent."""
        total = self.found + self.gold
        return 200 * self.right / total if total else 0.0


def untyped(found: set[Span]) -> set[Span]:
    """The same spans without their types."""
    return {(start, end, "") for start, end, _ in found}

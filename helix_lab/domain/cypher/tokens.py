"""Tokens of a Cypher statement: enough of the language to tell words from what only looks so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from helix_lab.domain.model.errors import GraphQueryFailed

Kind = Literal["word", "quoted", "string", "number", "parameter", "symbol"]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+ | //[^\n\r]* | /\*.*?\*/)
    | (?P<string>'(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*")
    | (?P<quoted>`(?:[^`]|``)+`)
    | (?P<parameter>\$(?:\w+|`(?:[^`]|``)+`))
    | (?P<number>(?:\d+\.(?!\.)\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?|0[xX][0-9a-fA-F]+)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol><=|>=|<>|=~|\.\.|\|\||\+=|->|<-|/(?!\*)|[-+*%^=<>()\[\]{},.:|!&;?])
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a statement that is neither space nor comment."""

    kind: Kind
    text: str
    start: int

    @property
    def upper(self) -> str:
        """As keywords are compared; empty for what can be none."""
        return self.text.upper() if self.kind == "word" else ""


def tokenize(statement: str) -> list[Token]:
    """The tokens in order.

    Raises:
        GraphQueryFailed: a string, name or comment has no end, or a character has no meaning.
    """
    tokens: list[Token] = []
    position = 0
    while position < len(statement):
        found = _TOKEN.match(statement, position)
        if found is None:
            piece = statement[position : position + 20]
            message = (
                f"the statement cannot be read from character {position + 1} on: {piece!r}; "
                "a string, a name in backticks or a comment may have no end"
            )
            raise GraphQueryFailed(message, field="cypher", position=position)
        if found.lastgroup != "space":
            tokens.append(Token(found.lastgroup, found[0], position))  # type: ignore[arg-type]
        position = found.end()
    return tokens

"""Extraction: from a text to the things that it names, by a small model of our own."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import cache
from typing import Final, Protocol

from helix_lab.domain.knowledge.mention import Mention


class Extractor(Protocol):
    """Finds the mentions of a text. It is a pure function of its arguments and its version.

    Attributes:
        version: of its rules and weights; another version may answer otherwise.
    """

    @property
    def version(self) -> str: ...  # noqa: D102

    def extract(self, text: str, *, speakers: Collection[str] = ()) -> list[Mention]:
        """The mentions in order of the text, without overlap. It takes any text.

        Args:
            text: of one message.
            speakers: names of those who talk here; they are not mentions.
        """
        ...


def open_extractor() -> Extractor:
    """The built-in extractor. Its weights are read when it first extracts, once a process."""
    return _built_in()


@cache
def _built_in() -> Extractor:
    return _Rules()


_KNOWN: Final = re.compile(
    r"(?<![\w.-])(Docker|Kubernetes|K8s|PostgreSQL|Postgres|Redis|Kafka|Neo4j|Python|Java|"
    r"JavaScript|TypeScript|GraphQL|OAuth2|JWT|Go|Rust)(?![\w-])"
)


class _Rules:
    """Names of technologies, until the model is here."""

    version = "rules-0"

    def extract(self, text: str, *, speakers: Collection[str] = ()) -> list[Mention]:
        own = {name.casefold() for name in speakers}
        return [
            Mention(found[0], "technology", found.start(), found.end(), 0.9)
            for found in _KNOWN.finditer(text)
            if found[0].casefold() not in own
        ]

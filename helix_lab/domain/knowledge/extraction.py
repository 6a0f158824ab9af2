"""Extraction: from a text to the things that it names."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Protocol

from helix_lab.domain.knowledge.built_in import BuiltIn
from helix_lab.domain.knowledge.mention import Mention


class Extractor(Protocol):
    """Finds the mentions of a text. It is safe in threads.

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


@cache
def open_extractor() -> Extractor:
    """The built-in extractor: a pure function of the text, the speakers and its version.

    Its lists and weights are read when it first extracts, once a process. Nothing is asked of a
    network, and nothing of a text is kept but the words that were met.
    """
    return BuiltIn()

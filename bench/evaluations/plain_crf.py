"""The baseline of entity extraction: a plain linear CRF, by words, shapes and affixes alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.evaluations import stackoverflow
from bench.harness import CannotRunError
from helix_lab.domain.knowledge.features import shape

ITERATIONS = 60


class PlainCrf:
    """Trained by python-crfsuite on the same posts, and served by it."""

    def __init__(self, posts: Sequence[stackoverflow.Post]) -> None:
        try:
            import pycrfsuite
        except ImportError as error:
            message = "its baseline needs python-crfsuite: pip install 'helix-lab[bench]'"
            raise CannotRunError(message) from error
        trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
        trainer.set_params({"c1": 0.0, "c2": 0.1, "max_iterations": ITERATIONS})
        for post in posts:
            for sentence in post:
                trainer.append(items([t.word for t in sentence]), [t.label for t in sentence])
        self._tagger: Any = pycrfsuite.Tagger()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "plain.crfsuite"
            trainer.train(str(path))
            self._tagger.open_inmemory(path.read_bytes())

    def tag(self, words: Sequence[str]) -> list[str]:
        """The BIO labels of a sentence."""
        labels: list[str] = self._tagger.tag(items(words))
        return labels


def items(words: Sequence[str]) -> list[list[str]]:
    """The features of every word of a sentence."""
    found = []
    for place, word in enumerate(words):
        item = ["bias", "w=" + word, "l=" + word.lower(), "s=" + shape(word)]
        for length in (2, 3):
            item += [f"p{length}={word[:length].lower()}", f"z{length}={word[-length:].lower()}"]
        for offset in (-1, 1):
            at = place + offset
            is_there = 0 <= at < len(words)
            item.append(f"{offset}:l={words[at].lower() if is_there else '<s>'}")
            item.append(f"{offset}:s={shape(words[at]) if is_there else '<s>'}")
        found.append(item)
    return found

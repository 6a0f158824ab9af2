"""Train the weights of the extractor: `python -m bench.evaluations.entity_training --data DIR`.

A linear-chain CRF on the train half of StackOverflow NER, by python-crfsuite (extra `bench`); four
to eight minutes of one core. Sentences of GSM8K, in which nothing is about software, are added
without labels, so that the model sees everyday text as well. The result is pruned, rounded to
eight bits and written into the package.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.evaluations import stackoverflow
from bench.evaluations.entity_lists import everyday_texts
from helix_lab.domain.knowledge import features, gazetteer, weights
from helix_lab.domain.knowledge.tokens import tokenize

EVERYDAY_TOKENS = 40_000
HIDDEN_SHARE = 0.35
"""Of the posts, whose markup the model does not see: many people write code without any."""
PRUNED_BELOW = 0.15
SETTINGS = {"c1": 0.0, "c2": 0.1, "max_iterations": 110, "feature.possible_transitions": True}

Items = list[list[str]]


def main() -> None:
    """Train, export, and write the weights anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--iterations", type=int, default=SETTINGS["max_iterations"])
    parser.add_argument("--into", type=Path, default=Path(weights.__file__).parent / "data")
    parser.add_argument("--model", type=Path, default=Path("entities.crfsuite"))
    given = parser.parse_args()
    started = time.perf_counter()
    train(given.data, given.model, given.iterations)
    model = export(given.model)
    given.model.unlink()
    path = given.into / weights.FILE
    weights.write(model, path)
    print(f"{len(model.features):,} features, {path.stat().st_size:,} bytes")
    print(f"{time.perf_counter() - started:.0f} s")


def train(folder: Path, model: Path, iterations: int) -> None:
    """Fit the CRF and leave it in a file of crfsuite's own."""
    import pycrfsuite

    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params(SETTINGS | {"max_iterations": iterations})
    for items, labels in _sequences(folder):
        trainer.append(items, labels)
    trainer.train(str(model))


def _sequences(folder: Path) -> Iterator[tuple[Items, list[str]]]:
    rng = random.Random(7)
    for post in stackoverflow.read_posts(folder / "stackoverflow-ner" / "train.txt"):
        yield from post_sequences(post, is_hidden=rng.random() < HIDDEN_SHARE)
    yield from _everyday(folder)


def post_sequences(
    post: stackoverflow.Post, *, is_hidden: bool
) -> Iterator[tuple[Items, list[str]]]:
    """The items and labels of the sentences of a post."""
    coded = set() if is_hidden else {features.fold(t.word) for s in post for t in s if t.markup}
    for sentence in post:
        words = [token.word for token in sentence]
        markup = ["" if is_hidden else token.markup for token in sentence]
        yield items_of(words, markup, coded), [token.label for token in sentence]


def _everyday(folder: Path) -> Iterator[tuple[Items, list[str]]]:
    left = EVERYDAY_TOKENS
    for text in everyday_texts(folder):
        tokens = tokenize(text)
        sentence: list[str] = []
        for word, is_first in zip([*tokens.words, ""], [*tokens.is_first, True], strict=True):
            if is_first and sentence:
                yield items_of(sentence, [""] * len(sentence), set()), ["O"] * len(sentence)
                left -= len(sentence)
                sentence = []
            sentence.append(word)
        if left <= 0:
            return


def items_of(words: Sequence[str], markup: Sequence[str], coded: set[str]) -> Items:
    """The features of every word of a sentence, as texts."""
    lists = gazetteer.letters()
    described = [features.describe(word, lists) for word in words]
    outside = features.describe(features.OUTSIDE, lists)
    folded = [features.OUTSIDE, *(features.fold(word) for word in words), features.OUTSIDE]
    items = []
    for place, word in enumerate(words):
        item = []
        for offset in features.OFFSETS:
            at = place + offset
            seen = described[at] if 0 <= at < len(words) else outside
            item += [f"{offset}:{name}" for name in seen if features.is_seen_from(name, offset)]
        item.append("L:" + features.pair(folded[place], folded[place + 1]))
        item.append("R:" + features.pair(folded[place + 1], folded[place + 2]))
        here = markup[place]
        item += features.describe_markup(
            markup[place - 1] if place else "",
            here,
            markup[place + 1] if place + 1 < len(words) else "",
            features.shape(word),
        )
        if not here and folded[place + 1] in coded:
            item.append(features.CODED_ELSEWHERE)
        items.append(item)
    return items


def export(model: Path) -> weights.Model:
    """The weights that matter, of a file of crfsuite's."""
    import pycrfsuite

    tagger = pycrfsuite.Tagger()
    tagger.open(str(model))
    info = tagger.info()
    return weights.pack(
        tuple(sorted(tagger.labels(), key=lambda label: (label != "O", label))),
        {key: value for key, value in info.state_features.items() if abs(value) >= PRUNED_BELOW},
        info.transitions,
    )


if __name__ == "__main__":
    main()

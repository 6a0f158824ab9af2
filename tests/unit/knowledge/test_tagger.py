"""The tagger serves what was trained: the same scores, and the best labels by them."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest

from bench.evaluations.entity_training import items_of
from bench.evaluations.stackoverflow import Score, read_posts, spans
from helix_lab.domain.knowledge import gazetteer, tagger, weights
from helix_lab.domain.knowledge.tagger import Tagger

LABELS = ("O", "B-Tool", "I-Tool")
SENTENCES = [
    (["I", "use", "Visual", "Studio"], ["", "", "", ""]),
    (["Call", "re.sub()", "of", "re"], ["", "B", "", ""]),
    (["Visual"], [""]),
]


@pytest.fixture
def states() -> dict[tuple[str, str], float]:
    """Some weight for every feature of the sentences, big enough to change labels."""
    names = {
        name
        for words, markup in SENTENCES
        for item in items_of(words, markup, {"re"})
        for name in item
    }
    rng = np.random.default_rng(5)
    return {
        (name, label): float(weight)
        for name, label in product(sorted(names), LABELS)
        if abs(weight := rng.normal(scale=0.8)) > 0.3
    }


MOVES = {(a, b): 0.3 * (len(a) - len(b)) for a, b in product(LABELS, LABELS)}


def naive(
    words: list[str], markup: list[str], states: dict[tuple[str, str], float]
) -> tuple[str, ...]:
    """The best labels of a sentence, by trying all."""
    items = items_of(words, markup, {"re"})

    def score(labels: tuple[str, ...]) -> float:
        own = sum(
            states.get((name, label), 0.0)
            for item, label in zip(items, labels, strict=True)
            for name in item
        )
        return own + sum(MOVES[move] for move in pairwise(labels))

    def is_lawful(labels: tuple[str, ...]) -> bool:
        return all(b != "I-Tool" or a != "O" for a, b in pairwise(labels))

    return max(filter(is_lawful, product(LABELS, repeat=len(words))), key=score)


def test_the_best_labels_by_the_trained_weights_are_given(
    states: dict[tuple[str, str], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tagger, "SURE_MARGIN", 1e9)
    served = Tagger(weights.pack(LABELS, states, MOVES), gazetteer.letters())
    words = [word for sentence, _ in SENTENCES for word in sentence]
    is_first = [not place for sentence, _ in SENTENCES for place, _ in enumerate(sentence)]
    markup = [mark for _, marks in SENTENCES for mark in marks]

    numbers, _ = served.tag(words, is_first, markup, coded={"re"})

    expected = [label for words, marks in SENTENCES for label in naive(words, marks, states)]
    assert expected == [LABELS[number] for number in numbers]


def test_a_model_read_from_its_file_is_the_one_written(
    states: dict[tuple[str, str], float], tmp_path: Path
) -> None:
    model = weights.pack(LABELS, states, MOVES)

    weights.write(model, tmp_path / "model.npz")
    again = weights.read(tmp_path / "model.npz")

    assert model.labels == again.labels
    assert dict(model.features) == dict(again.features)
    assert np.array_equal(model.table, again.table)
    assert np.allclose(model.transitions, again.transitions, atol=1e-2)


def test_labels_do_not_depend_on_what_was_tagged_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagger, "KEPT_WORDS", 2_100)
    monkeypatch.setattr(tagger, "LONGEST_RUN", 4)
    text = ["Use", "Flask", "and", "re.sub()", "on", "Windows", "10", "."]
    first, markup = [True] + [False] * 7, [""] * 8
    fresh = Tagger(weights.shipped(), gazetteer.letters())
    used = Tagger(weights.shipped(), gazetteer.letters())
    many = [f"word{number}" for number in range(5_000)]
    used.tag(many, [True] * 5_000, [""] * 5_000)

    assert fresh.tag(text, first, markup) == used.tag(text, first, markup)


def test_spans_are_read_from_labels_as_conll_does() -> None:
    labels = ["B-A", "I-A", "I-B", "O", "I-A", "B-A"]
    score = Score()
    score.add({(0, 1, "A")}, {(0, 1, "A"), (2, 3, "B")})

    assert {(0, 2, "A"), (2, 3, "B"), (4, 5, "A"), (5, 6, "A")} == spans(labels)
    assert (1.0, 0.5) == (score.precision, score.recall)


def test_posts_are_read_as_the_sets_own_loader_does(tmp_path: Path) -> None:
    lines = [
        "Question_ID O Question_ID O\n: O : O\n7 O 7 O\n",
        "Use O Use O\nmap B-Library_Function map B-Code_Block\nCtrl B-Keyboard_IP Ctrl O\n",
        "CODE_BLOCK B-Code_Block x B-Code_Block\n: I-Code_Block : I-Code_Block\n"
        "omitted I-Code_Block o O\nfor O f O\nannotation O a O\n",
    ]
    (tmp_path / "some.txt").write_text("\n".join(lines), encoding="utf-8")

    (post,) = read_posts(tmp_path / "some.txt")

    assert [[("Use", "O", ""), ("map", "B-Function", "B"), ("Ctrl", "O", "")]] == [
        [(t.word, t.label, t.markup) for t in sentence] for sentence in post
    ]

"""Texts of concurrent edits become one text that loses no word that counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.memory.text import MAX_UNITS, merge_texts

SOME = "user prefers tea coffee OAuth2 JWT not the is 30 60 seconds in Rome"
WORDS = st.sampled_from(SOME.split())
SENTENCES = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
TEXTS = st.lists(st.lists(SENTENCES, min_size=1, max_size=4).map(". ".join), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["Prefer OAuth2", "Prefer JWT"], "Prefer OAuth2 and JWT"),
        (["Prefer OAuth2", "prefer oauth2."], "Prefer OAuth2"),
        (["Prefer OAuth2", "Prefer OAuth2 with PKCE"], "Prefer OAuth2 with PKCE"),
        (["30 seconds", "60 seconds"], "30 or 60 seconds"),
        (["The limit is 30 s", "The limit is 60 s", "The limit is 90 s"],
         "The limit is 30, 60 or 90 s"),
        (["The store is Postgres", "The store is MySQL"], "The store is Postgres or MySQL"),
        (["Meeting at 10:00.", "Meeting at 11:30."], "Meeting at 10:00 or 11:30."),
        (["- milk\n- tea", "- tea\n- salt"], "- milk\n- tea\n- salt"),
        (["I like cats. I live in Rome.", "I like dogs. I live in Rome. Bye."],
         "I like cats and dogs. I live in Rome. Bye."),
        (["", "  ", "one"], "one"),
        ([], ""),
    ],
)  # fmt: skip
def test_what_is_shared_is_said_once(texts: list[str], expected: str) -> None:
    assert expected == merge_texts(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["likes tea", "does not like tea"],
        ["Use tabs", "Do not use tabs"],
        ["Alice owns the car", "Bob owns the car"],
        ["The cat sleeps", "The dog barks"],
    ],
)
def test_what_contradicts_or_has_another_subject_stands_side_by_side(texts: list[str]) -> None:
    assert ". ".join(texts) == merge_texts(texts)


@pytest.mark.parametrize("code", ["x = 1;", "```\nls\n```", "def f(x):\n    return x"])
def test_code_is_never_mixed(code: str) -> None:
    assert f"{code}\n---\nPrefer tea" == merge_texts([code, "Prefer tea"])


def test_long_texts_are_kept_whole() -> None:
    texts = ["\n".join(f"{word} {i}" for i in range(MAX_UNITS + 1)) for word in ("a", "b")]

    assert "\n---\n".join(texts) == merge_texts(texts)


@given(TEXTS)
def test_no_word_is_lost(texts: list[str]) -> None:
    merged = set(_words(merge_texts(texts)))

    assert merged >= {word for text in texts for word in _words(text)}


@given(TEXTS, st.data())
def test_a_text_given_twice_changes_nothing(texts: list[str], data: st.DataObject) -> None:
    again = data.draw(st.sampled_from(texts))

    assert merge_texts(texts) == merge_texts([*texts, again])


def _words(text: str) -> list[str]:
    return [word.strip(".,").casefold() for word in text.split()]

"""The token counter: laws that hold for every text, and what some texts cost."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.context.tokens import count_tokens

TEXTS = st.text(max_size=200)


def test_an_empty_text_costs_nothing() -> None:
    assert 0 == count_tokens("")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        (" ", 1),
        ("\0", 1),
        ("a", 1),
        ("hello world", 2),
        ("Hello, world!", 4),
        ("2026", 2),
        ("123456789", 3),
        ("internationalisation", 3),
        ("日本語", 3),
        ("привет", 3),
        ("für", 3),
        ("\n\n\n", 1),
        ("👩", 1),
        ("😀" * 10, 8),
        ("_" * 10, 8),
    ],
)
def test_a_text_costs_about_what_a_model_charges(text: str, tokens: int) -> None:
    assert tokens == count_tokens(text)


def test_characters_that_utf8_cannot_hold_are_counted_without_an_error() -> None:
    assert 1 <= count_tokens("\ud800") <= 3


@given(TEXTS.filter(bool))
def test_any_text_costs_at_least_one_token_and_at_most_two_a_character(text: str) -> None:
    assert 1 <= count_tokens(text) <= 2 * len(text)


@given(TEXTS, TEXTS)
def test_a_longer_text_costs_no_less_but_for_one_token_of_rounding(first: str, second: str) -> None:
    joined = count_tokens(first + second)

    assert joined >= max(count_tokens(first), count_tokens(second)) - 1


@given(TEXTS, TEXTS)
def test_two_texts_joined_cost_the_sum_but_for_the_seam(first: str, second: str) -> None:
    apart = count_tokens(first) + count_tokens(second)

    # Two short words that become a long one may cost up to six letters more.
    assert apart - 3 <= count_tokens(first + second) <= apart + 2


@given(TEXTS)
def test_the_same_text_always_costs_the_same(text: str) -> None:
    assert count_tokens(text) == count_tokens("".join(list(text)))


def test_a_large_text_is_counted_in_linear_time() -> None:
    started = time.monotonic()

    tokens = count_tokens("The quick brown fox, 1234 times.\n" * 100_000)

    assert 1_000_000 == pytest.approx(tokens, rel=0.15)
    assert time.monotonic() - started < 10

"""What votes are measured against: TF-IDF and logistic regression on the words alone."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from bench.evaluations.gsm8k import SOLVERS, Question
from bench.evaluations.judged_debates import JudgedDebate


def predict(train: Sequence[str], outcomes: Sequence[bool], texts: Sequence[str]) -> list[float]:
    """The probability of each text, words and pairs of words as features."""
    model = make_pipeline(
        TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        LogisticRegression(C=1.0, max_iter=500),
    )
    model.fit(train, outcomes)
    return [float(chance) for chance in model.predict_proba(texts)[:, 1]]


def vote(train: Sequence[Question], test: Sequence[Question]) -> list[tuple[bool, float]]:
    """For each question whether the most promising solution is right, and its probability."""
    known = [(text, is_right) for item in train for text, is_right in _describe(item)]
    chances = iter(
        predict(
            [text for text, _ in known],
            [is_right for _, is_right in known],
            [text for item in test for text, _ in _describe(item)],
        )
    )
    picked = []
    for item in test:
        options = [(next(chances), is_right) for _, is_right in _describe(item)]
        chance, is_right = max(options)
        picked.append((is_right, chance))
    return picked


def predict_winners(train: Sequence[JudgedDebate], test: Sequence[JudgedDebate]) -> list[float]:
    """The probability that PRO wins, by the motion's words and who argues which side."""
    return predict(
        [_name(debate) for debate in train],
        [debate.margin > 0 for debate in train],
        [_name(debate) for debate in test],
    )


def _describe(item: Question) -> list[tuple[str, bool]]:
    """Each solution with its solver as a word of its own, and whether it is right."""
    return [
        (f"solver={name} {item.text} {text}", ballot.choice in item.case.right)
        for name, text, ballot in zip(SOLVERS, item.solutions, item.case.ballots, strict=True)
    ]


def _name(debate: JudgedDebate) -> str:
    pro, con = (name.replace(" ", "_") for name in (debate.pro, debate.con))
    return f"PRO={pro} CON={con} {debate.motion}"

"""Topics: groups of terms that stand in the same documents, by NMF or LDA of scikit-learn.

The engine counts the terms; the factors are found in this process, so they are the same whatever
engine counted. Both methods are seeded.

- **NMF** (Lee & Seung 1999) of TF-IDF weights, begun by NNDSVDa.
- **LDA** (Blei et al. 2003) of plain counts, by batch variational Bayes.
- **Coherence** is the mean NPMI of each two of a topic's terms, from -1 to 1, over the documents
  (Bouma 2009).
- A topic is **named** by the three terms of the most relevance with lambda 0.6: those that are
  often in it, and more often than elsewhere (Sievert & Shirley 2014).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from helix_lab.domain.model.errors import MissingDriver
from helix_lab.jobs.batch.catalog import Options

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

_NAMED_BY: Final = 3
_RELEVANCE: Final = 0.6
_JUDGED_TERMS: Final = 10
_MOST_CONVERSATIONS: Final = 10
_ROUNDS: Final = {"nmf": 400, "lda": 30}
_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class _Counts:
    """Documents by terms.

    Attributes:
        matrix: a sparse matrix of counts.
        conversations: of each document.
    """

    matrix: Any
    terms: Sequence[str]
    conversations: Sequence[str]


def check_installed() -> None:
    """Whether topics can be modelled.

    Raises:
        MissingDriver: scikit-learn is not installed.
    """
    from importlib.util import find_spec

    if find_spec("sklearn") is None:
        message = "TopicModeling needs scikit-learn: pip install 'helix-lab[topics]'"
        raise MissingDriver(message, service="scikit-learn")


def find_topics(counted: pa.Table, options: Options) -> list[dict[str, Any]]:
    """The topics, the most widespread first; fewer than asked for where there is less to tell."""
    if not counted.num_rows:
        return []
    counts = _read(counted)
    number = min(options.topics, *counts.matrix.shape)
    shares, weights = _factorise(counts.matrix, number, options)
    found = [
        _describe(counts, shares, weights, place, options.terms) for place in range(len(weights))
    ]
    found.sort(key=lambda topic: (-topic["share"], topic["name"]))
    return [{"topic": place, **topic} for place, topic in enumerate(found, start=1)]


def _read(counted: pa.Table) -> _Counts:
    from scipy.sparse import csr_matrix

    rows = counted.to_pydict()
    keys = list(zip(rows["conversation_id"], rows["document"], strict=True))
    documents = {key: place for place, key in enumerate(dict.fromkeys(keys))}
    terms = sorted(set(rows["term"]))
    places = {term: place for place, term in enumerate(terms)}
    matrix = csr_matrix(
        (
            np.asarray(rows["mentions"], dtype=np.float64),
            ([documents[key] for key in keys], [places[term] for term in rows["term"]]),
        ),
        shape=(len(documents), len(terms)),
    )
    return _Counts(matrix, terms, [conversation_id for conversation_id, _ in documents])


def _factorise(matrix: Any, number: int, options: Options) -> tuple[Matrix, Matrix]:
    """Documents by topics and topics by terms; each row of both sums to 1."""
    from sklearn.decomposition import NMF, LatentDirichletAllocation
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.feature_extraction.text import TfidfTransformer

    if options.method == "lda":
        model = LatentDirichletAllocation(
            number, random_state=options.seed, max_iter=_ROUNDS["lda"], learning_method="batch"
        )
    else:
        matrix = TfidfTransformer(sublinear_tf=True).fit_transform(matrix)
        model = NMF(number, init="nndsvda", random_state=options.seed, max_iter=_ROUNDS["nmf"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the rounds are bounded on purpose
        shares = model.fit_transform(matrix)
    return _to_shares(shares), _to_shares(model.components_)


def _to_shares(values: Matrix) -> Matrix:
    sums = values.sum(axis=1, keepdims=True)
    shares: Matrix = np.divide(values, sums, out=np.zeros_like(values), where=sums > 0)
    return shares


def _describe(
    counts: _Counts, shares: Matrix, weights: Matrix, place: int, terms: int
) -> dict[str, Any]:
    own = weights[place]
    top = _rank(own, terms)
    whole = np.asarray(weights.T @ shares.mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        relevance = _RELEVANCE * np.log(own) + (1 - _RELEVANCE) * np.log(own / whole)
    relevance = np.nan_to_num(relevance, nan=-np.inf, neginf=-np.inf)
    return {
        "name": " · ".join(counts.terms[term] for term in _rank(relevance, _NAMED_BY)),
        "terms": [counts.terms[term] for term in top],
        "weights": [round(float(own[term]), _DIGITS) for term in top],
        "coherence": _judge(counts.matrix, _rank(own, _JUDGED_TERMS)),
        "share": round(float(shares[:, place].mean()), _DIGITS),
        "documents": int((shares.argmax(axis=1) == place).sum()),
        "conversations": _find_conversations(counts, shares[:, place]),
    }


def _rank(values: Matrix, most: int) -> list[int]:
    """The places of the greatest values that say anything; of equal ones the first."""
    rounded = np.round(values, 9)
    order = np.argsort(-rounded, kind="stable")[:most]
    return [int(place) for place in order if np.isfinite(rounded[place]) and rounded[place] != 0]


def _judge(matrix: Any, terms: Sequence[int]) -> float | None:
    """The mean NPMI of the terms; None of less than two."""
    has = (matrix[:, terms] > 0).astype(np.float64)
    together = (has.T @ has).toarray()
    documents = matrix.shape[0]
    found = [
        _npmi(
            together[one, two] / documents,
            together[one, one] / documents * together[two, two] / documents,
        )
        for one, two in combinations(range(len(terms)), 2)
    ]
    return round(math.fsum(found) / len(found), _DIGITS) if found else None


def _npmi(both: float, by_chance: float) -> float:
    if both <= 0:
        return -1.0
    return 1.0 if both >= 1 else math.log(both / by_chance) / -math.log(both)


def _find_conversations(counts: _Counts, shares: Matrix) -> list[str]:
    sums: dict[str, float] = {}
    for conversation_id, share in zip(counts.conversations, shares, strict=True):
        sums[conversation_id] = sums.get(conversation_id, 0.0) + float(share)
    ranked = sorted(sums, key=lambda id: (-round(sums[id], _DIGITS), id))
    return [id for id in ranked[:_MOST_CONVERSATIONS] if round(sums[id], _DIGITS) > 0]

"""On real talks more budget keeps more, and a recall finds what questions need."""

from __future__ import annotations

from itertools import pairwise
from statistics import mean

import pytest

from bench.evaluations import beam, finding, locomo
from helix_lab.domain.context.analysis import analyse
from helix_lab.domain.context.compression import STRATEGIES, Strategy, compress
from helix_lab.domain.context.recall import recall
from tests.data.loaders import find_data

DATA = find_data()
needs_data = pytest.mark.skipif(
    DATA is None, reason="needs the real data sets: give their folder by HELIX_TEST_DATA"
)
NOISE = 0.01


@needs_data
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_more_budget_never_keeps_fewer_answers(strategy: Strategy) -> None:
    assert DATA is not None
    talks = [(talk, analyse(talk.messages)) for talk in locomo.read_talks(DATA / "locomo")]
    kept = []
    for ratio in (0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.9):
        answers = []
        for talk, analysis in talks:
            budget = int(ratio * analysis.original_tokens)
            made = compress(analysis, budget_tokens=budget, strategy=strategy)
            assert made.stats.compressed_tokens <= budget
            answers.append(locomo.judge(talk, locomo.texts_by_message(made)).answers)
        kept.append(mean(answers))

    assert all(more >= less - NOISE for less, more in pairwise(kept)), kept
    assert kept[-1] > 0.99


@needs_data
def test_answers_survive_at_three_tenths() -> None:
    assert DATA is not None
    results = []
    for talk in locomo.read_talks(DATA / "locomo"):
        analysis = analyse(talk.messages)
        made = compress(analysis, budget_tokens=int(0.3 * analysis.original_tokens))
        results.append(locomo.judge(talk, locomo.texts_by_message(made)))

    kept = locomo.average(results)
    assert kept.answers > 0.94
    assert kept.all_words > 0.91
    assert kept.negations > 0.80
    assert kept.decisions > 0.70


@needs_data
def test_updated_facts_come_before_stale_ones() -> None:
    assert DATA is not None
    firsts = []
    for chat in beam.read_chats(DATA / "beam-100k")[:4]:
        analysis = analyse(chat.messages)
        for probe in chat.probes:
            if probe.kind == "knowledge_update":
                made = recall([analysis], probe.text, max_tokens=7000)
                firsts.append(finding.current_first(made, probe.current, probe.stale))

    assert mean(firsts) >= 0.75

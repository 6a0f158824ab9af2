"""Context: what a digest keeps of real talks, and what a recall finds.

`python -m bench context --locomo DIR --beam DIR`. The weights were tuned on the first three
talks of LoCoMo and the first half of BEAM's chats; rows say which part they are of. The words
that decide are the benchmark's own, not the compressor's. Extractive peers choose whole turns.
The command ends with 2 where a figure misses what it must reach, and names it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean

from bench.evaluations import baselines, beam, finding, locomo, orders, speed
from bench.harness import CannotRunError, Options, Report
from helix_lab.domain.context.compression import (
    STRATEGIES,
    Analysis,
    Compressed,
    Strategy,
    analyse,
    compress,
)
from helix_lab.domain.context.history import Message
from helix_lab.domain.context.recall import recall
from tests.data.loaders import find_data

Talks = list[tuple[locomo.Talk, Analysis]]
Chats = list[tuple[beam.Chat, Analysis]]

_TUNED_TALKS = 3
_RECALL_TOKENS = 7000
_TARGETS: dict[tuple[float, str], tuple[float, float]] = {
    (0.3, "answer words"): (0.955, 0.97),
    (0.3, "all answer words"): (0.92, 0.95),
    (0.3, "own score"): (0.93, 0.95),
    (0.3, "negations"): (0.80, 0.90),
    (0.3, "decision sentences"): (0.70, 0.80),
    (0.2, "answer words"): (0.85, 0.90),
    (0.2, "all answer words"): (0.78, 0.84),
}
_EVIDENCE_TARGETS = {0.3: (0.94, 0.96), 0.1: (0.86, 0.89), 0.05: (0.80, 0.84)}


def run(report: Report, options: Options) -> None:
    """Measure compression, the score, recall and speed."""
    talks: Talks = [
        (talk, analyse(talk.messages))
        for talk in locomo.read_talks(_folder(options.locomo, "locomo", "--locomo"))
    ]
    chats: Chats = [
        (chat, analyse(chat.messages))
        for chat in beam.read_chats(_folder(options.beam, "beam-100k", "--beam"))
    ]
    if not talks or not chats:
        msg = "a folder holds no conversation: give --locomo DIR and --beam DIR"
        raise CannotRunError(msg)
    parts = {
        "tuned on": talks[:_TUNED_TALKS],
        "the rest": talks[_TUNED_TALKS:] or talks,
    }
    for part, members in parts.items():
        _compression(report, f"LoCoMo, {part}", members)
        _evidence(report, f"LoCoMo, {part}", members)
    for part, some in {
        "tuned on": chats[: len(chats) // 2],
        "the rest": chats[len(chats) // 2 :],
    }.items():
        _finding(report, f"BEAM, {part}", some)
    orders.measure(report, talks)
    speed.measure(report, [talk for talk, _ in talks], options)


def _folder(stated: Path | None, name: str, option: str) -> Path:
    found = find_data()
    folder = stated or (found / name if found else None)
    if folder is None or not folder.is_dir():
        msg = f"it needs the data set {name}: give {option} DIR"
        raise CannotRunError(msg)
    return folder


# Compression ------------------------------------------------------------------------------


def _compression(report: Report, part: str, talks: Talks) -> None:
    for ratio in (0.3, 0.2):
        window = _judge(talks, lambda a, b: baselines.texts(a, baselines.tail(a, b)), ratio)
        for strategy in STRATEGIES:
            made = [_compress(analysis, ratio, strategy) for _, analysis in talks]
            kept = _average(talks, made)
            own = {name: value for name, value in kept.items() if _is_shown(strategy, name)}
            for name, value in own.items():
                report.add(
                    f"{part}: {strategy} at {ratio:.0%}",
                    name,
                    value,
                    "",
                    baseline="tail window" if name in window else "",
                    baseline_value=window.get(name),
                    runs=1,
                    targets=_TARGETS.get((ratio, name)) if strategy in {"full", "hybrid"} else None,
                )
        _attack(report, part, talks, ratio)
        _peers(report, part, talks, ratio)


def _is_shown(strategy: Strategy, name: str) -> bool:
    return strategy in {"full", "hybrid"} or name in {"answer words", "own score"}


def _compress(analysis: Analysis, ratio: float, strategy: Strategy) -> Compressed:
    return compress(
        analysis, budget_tokens=int(ratio * analysis.original_tokens), strategy=strategy
    )


def _average(talks: Talks, made: Sequence[Compressed]) -> dict[str, float]:
    kept = [
        locomo.judge(talk, locomo.texts_by_message(one))
        for (talk, _), one in zip(talks, made, strict=True)
    ]
    return {
        **_named(locomo.average(kept)),
        "own score": mean(one.stats.quality_score for one in made),
        "own score, strict": mean(one.stats.quality.strict for one in made),
    }


def _named(kept: locomo.Kept) -> dict[str, float]:
    return {
        "answer words": kept.answers,
        "all answer words": kept.all_words,
        "negations": kept.negations,
        "decision sentences": kept.decisions,
    }


def _judge(
    talks: Talks, choose: Callable[[Analysis, int], dict[str, str]], ratio: float
) -> dict[str, float]:
    kept = [
        locomo.judge(talk, choose(analysis, int(ratio * analysis.original_tokens)))
        for talk, analysis in talks
    ]
    return _named(locomo.average(kept))


def _attack(report: Report, part: str, talks: Talks, ratio: float) -> None:
    budgets = [int(ratio * analysis.original_tokens) for _, analysis in talks]
    attacked = [baselines.attack(a, b) for (_, a), b in zip(talks, budgets, strict=True)]
    ours = _average(talks, [_compress(analysis, ratio, "full") for _, analysis in talks])
    for name, value in _average(talks, attacked).items():
        if name in {"answer words", "all answer words", "own score", "own score, strict"}:
            report.add(
                f"{part}: attack that maximises the score, {ratio:.0%}",
                name,
                value,
                "",
                baseline="full",
                baseline_value=ours[name],
                runs=1,
            )


def _peers(report: Report, part: str, talks: Talks, ratio: float) -> None:
    """The best of sumy's summarisers; passed over where sumy is not installed."""
    try:
        peers = baselines.summarisers()
    except CannotRunError as error:
        print(f"{part}: {error}", flush=True)
        return
    results = {}
    for name, rank in peers.items():
        orders = {id(analysis): rank(analysis) for _, analysis in talks}
        results[name] = _judge(talks, lambda a, b, o=orders: _turns(a, o[id(a)], b), ratio)  # type: ignore[misc]
    best = max(results, key=lambda name: results[name]["answer words"])
    for name in ("answer words", "all answer words"):
        report.add(f"{part}: sumy {best} at {ratio:.0%}", name, results[best][name], "", runs=1)


def _turns(analysis: Analysis, order: Sequence[int], budget_tokens: int) -> dict[str, str]:
    return baselines.texts(analysis, baselines.take(analysis, order, budget_tokens))


# Recall -----------------------------------------------------------------------------------


def _evidence(report: Report, part: str, talks: Talks) -> None:
    for ratio, targets in _EVIDENCE_TARGETS.items():
        ours: list[float] = []
        theirs: list[float] = []
        for talk, analysis in talks:
            budget = int(ratio * analysis.original_tokens)
            said = {message.message_id: message.content for message in talk.messages}
            for asked in talk.questions:
                found = recall([analysis], asked.text, max_tokens=budget)
                ours.append(finding.evidence_recall(asked.evidence, said, finding.texts_of(found)))
                theirs.append(
                    finding.bm25_recall(analysis, talk.messages, asked.text, asked.evidence, budget)
                )
        report.add(
            f"{part}: recall at {ratio:.0%}",
            "evidence held",
            mean(ours),
            "",
            baseline="BM25",
            baseline_value=mean(theirs),
            runs=1,
            targets=targets,
        )


def _finding(report: Report, part: str, chats: Chats) -> None:
    ours: list[float] = []
    theirs: list[float] = []
    updates: list[bool] = []
    their_updates: list[bool] = []
    marked: dict[str, list[bool]] = {"knowledge_update": [], "contradiction_resolution": []}
    for chat, analysis in chats:
        said = {message.message_id: message.content for message in chat.messages}
        for probe in chat.probes:
            found = recall([analysis], probe.text, max_tokens=_RECALL_TOKENS)
            ours.append(finding.evidence_recall(probe.evidence, said, finding.texts_of(found)))
            order = baselines.bm25(chat.messages, probe.text)
            held = _turns(analysis, order, _RECALL_TOKENS)
            theirs.append(finding.evidence_recall(probe.evidence, said, held))
            if probe.kind in marked:
                marked[probe.kind].append(finding.is_marked(found, probe.current, probe.stale))
            if probe.kind == "knowledge_update":
                updates.append(finding.current_first(found, probe.current, probe.stale))
                their_updates.append(_is_first(chat.messages, order, probe))
    report.add(
        f"{part}: recall inside {_RECALL_TOKENS:,} tokens",
        "evidence held",
        mean(ours),
        "",
        baseline="BM25",
        baseline_value=mean(theirs),
        runs=1,
        targets=(0.68, 0.80),
    )
    report.add(
        f"{part}: knowledge updates ({len(updates)})",
        "current before stale",
        mean(updates),
        "",
        baseline="BM25",
        baseline_value=mean(their_updates),
        runs=1,
        targets=(0.75, 0.90),
    )
    for kind, metric in (
        ("knowledge_update", "an update is marked"),
        ("contradiction_resolution", "a contradiction is marked"),
    ):
        found_marked = marked[kind]
        case = f"{part}: {kind.replace('_', ' ')} ({len(found_marked)})"
        report.add(case, metric, mean(found_marked), "", runs=1)


def _is_first(messages: Sequence[Message], order: Sequence[int], probe: beam.Probe) -> bool:
    places = {messages[place].message_id: rank for rank, place in enumerate(order)}
    return min(places[one] for one in probe.current) < min(places[one] for one in probe.stale)

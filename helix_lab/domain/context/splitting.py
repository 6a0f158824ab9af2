"""Splitting: a message into chunks that are kept whole or dropped whole.

A chunk is what stands between spaces, an inline code span, a block of code or data, or, in
a language without our word lists, a sentence.
"""

from __future__ import annotations

import re

from helix_lab.domain.context.vocabulary import BLOCK_MARK, GLUE, LINE_END, SENTENCE_MARK, SPAN_MARK

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_FENCED = re.compile(r"^[ \t]*(```+|~~~+).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_SPAN = re.compile(r"`[^`\n]+`")
_CODE_LINE = re.compile(
    r"(?:[{};]|\)\s*:|=>|\\)\s*$|^\s*(?:@\w|#include\b|import \w|from \w[\w.]* import\b"
    r"|def \w|class \w+|return\b|\$ |>>> |</?\w+[ >]|\w[\w.]*\s*=\s*\S"
    r"|(?:SELECT|INSERT|CREATE|UPDATE|DELETE)\b)"
)
_FOREIGN_LETTERS = re.compile(r"[^\W\d_A-Za-z\u00c0-\u024f\u1e00-\u1eff]")
_LETTERS = re.compile(r"[^\W\d_]")
_SENTENCE_ENDS = re.compile(r"(?<=[。！？؟।])|(?<=[.!?…])\s+|\n+")
_ENGLISH_WORDS = """the The and And to I you You for it that with my your are have has been this
    This what What how How they those who can would not I'm it's don't"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
"""Words that hardly a sentence of a dozen words goes without, and that other languages lack."""
_SHORTEST_TO_JUDGE = 14
_MOST_FOREIGN = 0.3
_SHORTEST_CODE = 2


def split(text: str, role: str = "user") -> list[str]:
    """The chunks of a message, in order."""
    if not text.isascii() or not text.isprintable():
        text = _CONTROLS.sub(" ", text)
        if not text.isascii() and _is_foreign(text):
            return _sentences(text)
    if role == "tool" or _is_data(text):
        return [BLOCK_MARK + text.strip("\n")] if text.strip() else []
    chunks = _split_prose(text) if "\n" not in text else _split_parts(text)
    if len(chunks) >= _SHORTEST_TO_JUDGE and _ENGLISH.isdisjoint(chunks) and _is_prose(chunks):
        return _sentences(text)
    return chunks


def _is_foreign(text: str) -> bool:
    foreign = len(_FOREIGN_LETTERS.findall(text))
    return foreign > 0 and foreign > _MOST_FOREIGN * len(_LETTERS.findall(text))


def _is_data(text: str) -> bool:
    """Whether the whole message is JSON or markup."""
    first, last = text[:1], text[-1:]
    return (first, last) in {("{", "}"), ("[", "]"), ("<", ">")} and len(text) > 2  # noqa: PLR2004


def _is_prose(chunks: list[str]) -> bool:
    return not any(chunk[0] == BLOCK_MARK for chunk in chunks)


def _sentences(text: str) -> list[str]:
    return [SENTENCE_MARK + part.strip() for part in _SENTENCE_ENDS.split(text) if part.strip()]


def _split_parts(text: str) -> list[str]:
    if "```" not in text and "~~~" not in text:
        return _split_lines(text)
    chunks: list[str] = []
    end = 0
    for fenced in _FENCED.finditer(text):
        chunks += _split_lines(text[end : fenced.start()])
        chunks.append(BLOCK_MARK + fenced[0])
        end = fenced.end()
    return chunks + _split_lines(text[end:])


def _split_lines(text: str) -> list[str]:
    """Prose, with runs of lines of code as blocks."""
    if not ("{" in text or ";" in text or "=" in text or ":\n" in text):
        return _split_prose(text)
    chunks: list[str] = []
    prose: list[str] = []
    code: list[str] = []
    for line in text.split("\n"):
        if _CODE_LINE.search(line) or (code and line[:1] in {" ", "\t", "}", ")", "]"}):
            code.append(line)
            continue
        chunks += _close(prose, code)
        prose.append(line)
    return chunks + _close(prose, code) + _split_prose("\n".join(prose))


def _close(prose: list[str], code: list[str]) -> list[str]:
    """What a run of code lines ends: a block, or prose where it is too short to be sure."""
    if len(code) < _SHORTEST_CODE:
        prose += code
        code.clear()
        return []
    chunks = [*_split_prose("\n".join(prose)), BLOCK_MARK + "\n".join(code)]
    prose.clear()
    code.clear()
    return chunks


def _glue(found: re.Match[str]) -> str:
    return f" {SPAN_MARK}{found[0].replace(' ', GLUE)} "


def _split_prose(text: str) -> list[str]:
    if "`" in text:
        text = _SPAN.sub(_glue, text)
    if "..." in text:
        text = text.replace("...", "... ")
    if "—" in text:
        text = text.replace("—", " — ")
    return text.replace("\n", f" {LINE_END} ").split()

"""Rendering: how a digest reads, and how text of a message is kept from passing for our marks.

A digest is a legend (`(| Gina > Jon)`), a line per day (`[8 May 2023] | words > words`), and
the newest messages word for word (`Jon: …`). A mark alone costs a third of a name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from helix_lab.domain.context.analysis import Analysis
from helix_lab.domain.context.digest import Line, RecentMessage

MARKS = "|><~^+=*"
_IMITATION = re.compile(
    r"(?:(?<=\s)|^)(?=[|><~^+=*](?:\s|$)|\[\d{1,2} [A-Z][a-z]{2}(?: \d{4})?\]|\(\| |# )"
)
_DAY = r"\[\d{1,2} [A-Z][a-z]{2}(?: \d{4})?\]"


def marks_of(analysis: Analysis) -> dict[str, str]:
    """The mark of each speaker; beyond eight speakers the name itself."""
    marks = dict(zip(analysis.speakers, MARKS, strict=False))
    return {speaker: marks.get(speaker, f"{speaker}:") for speaker in analysis.speakers}


def render(analysis: Analysis, lines: Sequence[Line], recent: Sequence[RecentMessage]) -> str:
    """The text of a digest."""
    parts = list(_render_lines(lines, marks_of(analysis)))
    if lines and recent:
        parts.append("\n\n")
    parts += _render_recent(recent, analysis.speakers)
    return "".join(parts)


def _render_lines(lines: Sequence[Line], marks: dict[str, str]) -> Iterable[str]:
    if not lines:
        return
    speakers = {line.speaker for line in lines}
    shown = [f"{mark} {name}" for name, mark in marks.items() if name in speakers]
    yield f"({' '.join(part for part in shown if part[0] in MARKS)})"
    heading, day, year, speaker, ends_line = "", 0, 0, "", False
    for line in lines:
        if line.heading != heading:
            heading, day = line.heading, 0
            yield f"\n# {heading}"
        if line.time.toordinal() != day:
            day = line.time.toordinal()
            shown_year = "" if line.time.year == year else f" {line.time.year}"
            yield f"\n[{line.time.day} {line.time:%b}{shown_year}]"
            year, speaker = line.time.year, ""
        elif ends_line:
            yield "\n"
        if line.speaker != speaker:
            yield f" {marks[line.speaker]}"
        yield f" {_escape(line.text)}"
        speaker, ends_line = line.speaker, "\n" in line.text


_ESCAPE = r"\\"
_SUSPECTS = frozenset(MARKS + "[(#")


def _escape(text: str) -> str:
    """A line with a backslash before what looks like our marks; few have any such sign."""
    return text if _SUSPECTS.isdisjoint(text) else _IMITATION.sub(_ESCAPE, text)


def _render_recent(recent: Sequence[RecentMessage], speakers: Sequence[str]) -> Iterable[str]:
    day = 0
    for message in recent:
        if message.time.toordinal() != day:
            day = message.time.toordinal()
            yield f"[{message.time.day} {message.time:%b %Y}]\n"
        yield f"{message.speaker}: {escape_labels(message.text, speakers)}\n"


def escape_labels(text: str, speakers: Sequence[str]) -> str:
    """Text word for word, with a backslash before lines that look like ours."""
    if "\n" not in text and text[:1] not in {"[", "("}:
        return text
    return _labels(tuple(speakers)).sub(_ESCAPE, text)


@lru_cache(64)
def _labels(speakers: tuple[str, ...]) -> re.Pattern[str]:
    names = "|".join(map(re.escape, speakers))
    marked = r"\((?:\||replaced on|contradicted on) "
    return re.compile(rf"^(?={_DAY}|{marked}|(?:{names}): )", re.MULTILINE)

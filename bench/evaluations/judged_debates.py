"""Judged debates of two models: who argued which side, and the margin that judges gave."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bench.harness import CannotRunError

_SECTION = re.compile(r"^## Debate ", re.MULTILINE)
_ROLES = re.compile(r"roles: PRO = \*\*(.*?)\*\*, CON = \*\*(.*?)\*\*")
_MARGIN = re.compile(r"mean signed raw margin \(PRO\+\): `([^`]*)`")
_MOTION = re.compile(r"\*\*Motion:\*\* (.*)")


@dataclass(frozen=True, slots=True)
class JudgedDebate:
    """One debate.

    Attributes:
        margin: mean of the judges, above 0 where PRO won; never 0.
    """

    motion: str
    pro: str
    con: str
    margin: float


def read_debates(folder: Path) -> list[JudgedDebate]:
    """Every debate that has a winner, in the order of the files' names.

    Raises:
        CannotRunError: there are no reports.
    """
    reports = sorted((folder / "judgments").glob("*.md"))
    if not reports:
        raise CannotRunError(f"there is no report in {folder / 'judgments'}; give --debates DIR")
    return [debate for path in reports for debate in _read(path.read_text(encoding="utf-8"))]


def _read(report: str) -> list[JudgedDebate]:
    motion = _MOTION.search(report)
    debates = []
    for section in _SECTION.split(report)[1:]:
        roles, margin = _ROLES.search(section), _MARGIN.search(section)
        if motion and roles and margin and float(margin[1]):
            debates.append(JudgedDebate(motion[1], roles[1], roles[2], float(margin[1])))
    return debates

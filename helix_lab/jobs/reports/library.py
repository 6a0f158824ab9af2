"""The library of reports: those that come with Helix Lab, and the user's own."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from helix_lab.domain.model.errors import UnknownReport
from helix_lab.jobs.reports.report import Origin, Report, read_report

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class ReportLibrary:
    """Finds reports by name; a report of the user's goes before one of the same name.

    The folders are read at each question, so a notebook that is saved is there at once.

    Args:
        own: the user's folder; it need not exist.
    """

    def __init__(self, own: Path) -> None:
        self._own = own

    def list_all(self) -> list[Report]:
        """All reports by name, also those that cannot run."""
        places = self._find()
        return [read_report(path, origin) for _, (path, origin) in sorted(places.items())]

    def get(self, name: str) -> Report:
        """The report of this name.

        Raises:
            UnknownReport: there is none.
        """
        places = self._find()
        if name not in places:
            message = f"no report {name!r}; there are: {', '.join(sorted(places))}"
            raise UnknownReport(message, name=name)
        return read_report(*places[name])

    def _find(self) -> dict[str, tuple[Path, Origin]]:
        folders: list[tuple[Path, Origin]] = [(_shipped(), "helix-lab"), (self._own, "own")]
        return {
            path.stem: (path, origin)
            for folder, origin in folders
            for path in sorted(folder.glob("*.ipynb"))
            if _NAME.fullmatch(path.stem) and path.is_file()
        }


def _shipped() -> Path:
    """The folder inside the installed package, or beside it in a checkout."""
    installed = Path(str(files("helix_lab"))) / "_notebooks" / "reports"
    if installed.is_dir():
        return installed
    return Path(__file__).parents[3] / "notebooks" / "reports"

"""The run monitor: how long work stands, live, and how it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from helix_lab.domain.model.errors import HelixError
from helix_lab.doors.widgets.showing import make_bundle
from helix_lab.doors.widgets.static_html import write_runs

if TYPE_CHECKING:
    from helix_lab.doors.widgets.front import Front
    from helix_lab.operations.runs import Run

MOST_RUNS = 10
_ASK_EVERY_S = 1.0
_UNFINISHED = {"queued", "running"}


class RunMonitor:
    """Runs that are followed for as long as somebody looks; the last value of a cell shows it.

    Args:
        lab: has the operations as methods.
        run_id: the run to follow; the newest ones if absent.

    Raises:
        UnknownRun: there is no such run.
    """

    def __init__(self, lab: Any, run_id: str | None = None) -> None:
        self._lab = lab
        self._run_id = run_id
        self._notice = ""
        self._runs: Sequence[Run] = self._read()
        self._front: Front | None = None
        self._left = threading.Event()
        self._follower: threading.Thread | None = None
        self._starting = threading.Lock()

    def ask(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Do what the reader asks for, and give what is to be shown now.

        Args:
            asked: `do` is watch, leave, or cancel with the id of a run as `value`.
        """
        match asked.get("do"):
            case "watch":
                self._follow()
            case "leave":
                self._left.set()
            case "cancel":
                self._cancel(str(asked.get("value")))
        return self.state

    @property
    def state(self) -> dict[str, Any]:
        """What is to be shown now, as JSON."""
        return {
            "title": self._title,
            "runs": [_show(run) for run in self._runs],
            "notice": self._notice,
        }

    def refresh(self) -> bool:
        """Ask the lab how its runs stand; gives whether it is worth asking again."""
        try:
            self._runs = self._read()
            self._notice = ""
        except HelixError as error:
            self._notice = f"The lab does not answer: {error}. It is asked again."
            return True
        return self._run_id is None or any(run.state in _UNFINISHED for run in self._runs)

    def close(self) -> None:
        """Follow no more, and take the widget from the page."""
        self._left.set()
        if self._front is not None:
            self._front.close()
            self._front = None

    def __repr__(self) -> str:
        return "\n".join([self._title, *(_show_line(run) for run in self._runs)])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """The monitor, and how the runs stand now as HTML for places where no widget can live."""
        self.refresh()
        rows = [_show_row(run) for run in self._runs]
        html = write_runs(self._title, rows, notice=self._notice)
        return make_bundle(repr(self), html, self._open_front)

    @property
    def _title(self) -> str:
        return "Latest runs" if self._run_id is None else f"Run {self._run_id}"

    def _read(self) -> Sequence[Run]:
        if self._run_id is None:
            runs: Sequence[Run] = self._lab.list_runs(limit=MOST_RUNS).runs
            return runs
        return [self._lab.get_run(self._run_id)]

    def _cancel(self, run_id: str) -> None:
        try:
            self._lab.cancel_run(run_id)
        except HelixError as error:
            self.refresh()
            self._notice = f"The run {run_id} was not cancelled: {error}."
        else:
            self.refresh()

    def _follow(self) -> None:
        with self._starting:
            self._left.clear()
            if self._follower is None or not self._follower.is_alive():
                # Not a timer of the kernel: a cell that runs would hold it up.
                self._follower = threading.Thread(
                    target=self._keep_fresh, name="helix-monitor", daemon=True
                )
                self._follower.start()

    def _keep_fresh(self) -> None:
        while self.refresh() and not self._left.is_set():
            self._publish()
            self._left.wait(_ASK_EVERY_S)
        self._publish()

    def _publish(self) -> None:
        if self._front is not None:
            self._front.state = self.state

    def _open_front(self) -> Front:
        if self._front is None:
            from helix_lab.doors.widgets.front import MonitorFront

            self._front = MonitorFront(self.state, self.ask)
        # The wish to watch would wait for the end of the cell.
        self._follow()
        return self._front


def _show(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "kind": run.kind,
        "state": run.state,
        "progress": run.progress,
        "began": _show_moment(run.started_at),
        "took": _show_duration(run),
        "error": str((run.error or {}).get("message", "")),
        "can_cancel": run.state in _UNFINISHED,
    }


def _show_row(run: Run) -> tuple[Any, ...]:
    shown = _show(run)
    return (
        shown["run_id"], shown["kind"], shown["state"], f"{run.progress:.0%}",
        shown["began"], shown["took"], shown["error"],
    )  # fmt: skip


def _show_line(run: Run) -> str:
    return f"{run.run_id}  {run.kind}  {run.state}  {run.progress:.0%}"


def _show_moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else "not yet"


def _show_duration(run: Run) -> str:
    if run.started_at is None:
        return ""
    ended_at = run.ended_at or datetime.now(UTC)
    return f"{max(0.0, (ended_at - run.started_at).total_seconds()):,.1f} s"

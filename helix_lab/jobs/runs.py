"""The run store: what long work was asked for, how far it is, how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from helix_lab.domain.model.errors import Conflict, UnknownRun
from helix_lab.records.database import Records
from helix_lab.records.tables import RUN

State = Literal["queued", "running", "succeeded", "failed", "cancelled"]

ENDED: frozenset[str] = frozenset({"succeeded", "failed", "cancelled"})


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of a job.

    Attributes:
        kind: which job: `debate`, `import`, `rebuild`, `report`.
        progress: 0 to 1; never goes back.
        request: what was asked, as JSON.
        result: what came out, once it succeeded.
        error: `{"code", "message", "details"}`, once it failed.
        artifacts: names of files that it made.
    """

    run_id: str
    kind: str
    state: State
    progress: float
    request: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    artifacts: Sequence[str]
    cancel_requested: bool
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    @property
    def is_ended(self) -> bool:
        """Whether the state is final."""
        return self.state in ENDED


class RunStore:
    """Runs in the record store."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def add(self, run_id: str, kind: str, request: Mapping[str, Any]) -> Run:
        """Record a new run as queued.

        Raises:
            Conflict: there is a run of this id.
        """
        row = {
            "run_id": run_id,
            "kind": kind,
            "state": "queued",
            "progress": 0.0,
            "request": dict(request),
            "artifacts": [],
            "cancel_requested": False,
            "created_at": datetime.now(UTC),
        }
        try:
            with self._records.write() as connection:
                connection.execute(sa.insert(RUN).values(row))
        except sa.exc.IntegrityError:
            message = f"there is a run {run_id!r} already"
            raise Conflict(message, run_id=run_id) from None
        return self.get(run_id)

    def get(self, run_id: str) -> Run:
        """The run of this id.

        Raises:
            UnknownRun: there is none.
        """
        with self._records.read() as connection:
            row = connection.execute(sa.select(RUN).where(RUN.c.run_id == run_id)).one_or_none()
        if row is None:
            raise UnknownRun(run_id)
        return _to_run(row)

    def list_page(
        self,
        *,
        limit: int,
        before: tuple[datetime, str] | None = None,
        kind: str | None = None,
        state: str | None = None,
    ) -> list[Run]:
        """Runs, newest first; with `before`, those after that (created_at, run_id) in the list."""
        query = sa.select(RUN).order_by(RUN.c.created_at.desc(), RUN.c.run_id.desc()).limit(limit)
        if before is not None:
            query = query.where(sa.tuple_(RUN.c.created_at, RUN.c.run_id) < sa.tuple_(*before))
        if kind is not None:
            query = query.where(RUN.c.kind == kind)
        if state is not None:
            query = query.where(RUN.c.state == state)
        with self._records.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    def list_unfinished(self) -> list[Run]:
        """Queued and running runs, oldest first."""
        query = (
            sa.select(RUN)
            .where(RUN.c.state.in_(["queued", "running"]))
            .order_by(RUN.c.created_at, RUN.c.run_id)
        )
        with self._records.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    def list_all(self) -> list[Run]:
        """Every run, oldest first."""
        query = sa.select(RUN).order_by(RUN.c.created_at, RUN.c.run_id)
        with self._records.read() as connection:
            return [_to_run(row) for row in connection.execute(query)]

    def replace_request(self, run_id: str, request: Mapping[str, Any]) -> None:
        """Let a run that has not ended tell less of what was asked."""
        self._update(run_id, request=dict(request))

    def start(self, run_id: str) -> None:
        """Note that a run began; a resumed one keeps its first start."""
        now = datetime.now(UTC)
        self._update(
            run_id,
            state="running",
            started_at=sa.func.coalesce(RUN.c.started_at, sa.literal(now, RUN.c.started_at.type)),
        )

    def report(self, run_id: str, progress: float) -> None:
        """Note how far a run is; a smaller figure than before is ignored."""
        with self._records.write() as connection:
            connection.execute(
                sa.update(RUN)
                .where(RUN.c.run_id == run_id, RUN.c.progress < progress)
                .values(progress=progress)
            )

    def request_cancel(self, run_id: str) -> None:
        """Note that somebody asked the run to stop."""
        self._update(run_id, cancel_requested=True)

    def keep(self, run_id: str, artifacts: Sequence[str]) -> None:
        """Note the files that a run has made so far."""
        self._update(run_id, artifacts=list(artifacts))

    def forget(self, run_ids: Sequence[str]) -> None:
        """Remove runs that have ended."""
        with self._records.write() as connection:
            connection.execute(
                sa.delete(RUN).where(RUN.c.run_id.in_(run_ids), RUN.c.state.in_(ENDED))
            )

    def end(
        self,
        run_id: str,
        state: State,
        *,
        result: Mapping[str, Any] | None = None,
        error: Mapping[str, Any] | None = None,
    ) -> None:
        """Note how a run ended; a run that has ended stays as it is."""
        values: dict[str, Any] = {
            "state": state,
            "ended_at": datetime.now(UTC),
        }
        if result is not None:
            values["result"] = dict(result)
        if error is not None:
            values["error"] = dict(error)
        if state == "succeeded":
            values["progress"] = 1.0
        self._update(run_id, **values)

    def _update(self, run_id: str, **values: Any) -> None:
        with self._records.write() as connection:
            connection.execute(
                sa.update(RUN)
                .where(RUN.c.run_id == run_id, RUN.c.state.not_in(ENDED))
                .values(**values)
            )


def _to_run(row: Any) -> Run:
    return Run(**{name: row._mapping[name] for name in Run.__slots__})  # noqa: SLF001 - SQLAlchemy's public name

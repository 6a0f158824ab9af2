"""Answers piece by piece: as lines of JSON, or as server-sent events, by the header Accept."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from helix_lab.domain.model.errors import HelixError
from helix_lab.operations.cancellation import CancelScope, cancel_scope
from helix_lab.operations.operation import Operation, StreamItem
from helix_lab.operations.problems import make_problem, to_problem
from helix_lab_server.asking import Asked, is_lenient, read_values
from helix_lab_server.holder import LabHolder

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Form:
    """How pieces lie in the body."""

    content_type: str
    write: Callable[[StreamItem], str]


def _dump(item: StreamItem) -> str:
    return json.dumps(item, separators=(",", ":"), default=str)


_FORMS = (
    Form("application/x-ndjson", lambda item: f"{_dump(item)}\n"),
    Form("text/event-stream", lambda item: f"data: {_dump(item)}\n\n"),
)


def choose_form(accept: str) -> Form | None:
    """The form that a header Accept asks for by name; None means one JSON object."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    for name in named:
        for form in _FORMS:
            if form.content_type == name:
                return form
    return None


class Pieces:
    """The pieces of one answer, pulled by threads: each call blocks until the next are there."""

    def __init__(
        self,
        holder: LabHolder,
        operation: Operation,
        asked: Asked,
        *,
        form: Form,
        scope: CancelScope,
    ) -> None:
        self.form = form
        self._holder = holder
        self._operation = operation
        self._asked = asked
        self._scope = scope
        self._source: Iterator[Sequence[StreamItem]] | None = None

    def open(self) -> str:
        """The first pieces. What is wrong with the request is raised here, before any of them.

        Raises:
            HelixError: what the client or a service is to blame for.
        """
        with cancel_scope(self._scope):
            values = read_values(self._operation, self._asked)
            self._source = self._holder.get().stream(
                self._operation, values, lenient=is_lenient(self._operation)
            )
            return self._pull() or ""

    def next(self) -> str | None:
        """The next pieces; None at the end. An error has become a piece: the status is sent."""
        with cancel_scope(self._scope):
            try:
                return self._pull()
            except HelixError as error:
                return self._fail(to_problem(error))
            except Exception:
                LOGGER.exception("%s failed while it streamed", self._operation.name)
                message = "an unexpected error; the server's log has the details"
                return self._fail(make_problem("INTERNAL_ERROR", message))

    def close(self) -> None:
        """Nobody wants more."""
        source: Any = self._source
        self._source = iter(())
        with cancel_scope(self._scope):
            if hasattr(source, "close"):
                source.close()

    def _pull(self) -> str | None:
        assert self._source is not None  # noqa: S101 - `open` came before
        items = next(self._source, None)
        return None if items is None else "".join(map(self.form.write, items))

    def _fail(self, problem: StreamItem) -> str:
        self._source = iter(())
        return self.form.write(problem)

"""The composition root: `open_lab` wires the rooms of one lab. No logic here."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from helix_lab.data_folder import DataFolder
from helix_lab.domain.model.errors import Unavailable
from helix_lab.lab.wiring import wire
from helix_lab.operations.methods import Methods
from helix_lab.operations.operation import (
    Operation,
    Response,
    StreamItem,
    parse_request,
    require_stream,
)
from helix_lab.operations.services import Services
from helix_lab.settings import Settings, read_settings


class Lab(Methods):
    """An open lab in this process; has a method for every operation. Close it, or use `with`."""

    def __init__(self, settings: Settings, folder: DataFolder, services: Services) -> None:
        self.settings = settings
        self.data_folder = folder
        self.services = services
        self._on_close = ExitStack()
        self._is_closed = False

    def call(
        self, operation: Operation, values: dict[str, Any], *, lenient: bool = False
    ) -> Response:
        """Carry out an operation with unchecked field values; see `parse_request` for `lenient`."""
        request = parse_request(operation.request, values, lenient=lenient)
        self._check_open(operation)
        with self.services.meter.measure(operation.name):
            return operation.run(self.services, request)

    def stream(
        self, operation: Operation, values: dict[str, Any], *, lenient: bool = False
    ) -> Iterator[list[StreamItem]]:
        """The answer of an operation that streams, as it is made; see `Operation.stream`."""
        request = parse_request(operation.request, values, lenient=lenient)
        self._check_open(operation)
        pieces = require_stream(operation)(self.services, request)
        return self.services.meter.follow(operation.name, pieces)

    def _check_open(self, operation: Operation) -> None:
        if self._is_closed and operation.scope != "public":
            message = "this lab is closed; open it again with open_lab()"
            raise Unavailable(message, service="helix_lab")

    def close(self) -> None:
        """Stop jobs and projections, release the data folder. Closing twice is harmless."""
        self._is_closed = True
        self._on_close.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Lab {self.settings.data_dir}>"


def open_lab(path: Path | str | None = None, *, settings: Settings | None = None) -> Lab:
    """Open the lab of a data folder in this process, and go on with its unfinished jobs.

    Args:
        path: the data folder, made if absent; by HELIX_DATA_DIR or the platform's if None.
        settings: instead of those of the environment.

    Raises:
        DataFolderInUse: another process owns the folder; use `helix_lab.connect()`.
        Unavailable: a file in it cannot be opened.
    """
    settings = settings or read_settings(data_dir=path)
    with ExitStack() as stack:
        folder = DataFolder(settings.data_dir)
        stack.callback(folder.release)
        services = wire(settings, folder, stack)
        lab = Lab(settings, folder, services)
        services.projections.start()
        services.exchange.start()
        services.jobs.resume()
        services.schedules.start()
        services.sampler.start()
        if services.daily_archives is not None:
            services.daily_archives.start()
        if settings.learning.is_enabled:
            services.learner.start()
        _close_at_exit(lab)
        stack.callback(_OPEN_LABS.discard, lab)
        lab._on_close = stack.pop_all()  # noqa: SLF001 - the lab is complete only now
    return lab


_OPEN_LABS: set[Lab] = set()


def _close_at_exit(lab: Lab) -> None:
    """Close a lab that its program forgot; threads of engines must not outlive the interpreter."""
    _OPEN_LABS.add(lab)
    _register_exit()


@cache
def _register_exit() -> None:
    # Thread pools refuse work before `atexit` begins, and a job would fail instead of letting go.
    register = getattr(threading, "_register_atexit", atexit.register)
    register(_close_open_labs)


def _close_open_labs() -> None:
    for lab in list(_OPEN_LABS):
        lab.close()

"""Asking several services at the same time, none for longer than a limit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Literal, TypeVar

from helix_lab.domain.model.errors import HelixError
from helix_lab.operations.services import Service

LOGGER = logging.getLogger(__name__)
PROBE_TIMEOUT_S = 2.0

State = Literal["connected", "embedded", "unreachable"]
Answer = TypeVar("Answer")


def ask_all(questions: Mapping[str, Callable[[], Answer]]) -> dict[str, Answer | None]:
    """The answers by name, after two seconds at most; None: it failed, or took longer."""
    pool = ThreadPoolExecutor(len(questions), thread_name_prefix="helix-probe")
    futures = {name: pool.submit(question) for name, question in questions.items()}
    wait(futures.values(), timeout=PROBE_TIMEOUT_S)
    # A question that hangs must not hold up the answer.
    pool.shutdown(wait=False)
    return {name: _take(name, future) for name, future in futures.items()}


def probe(service: Service) -> State:
    """Use a service once; raises whatever hinders that."""
    service.probe()
    return "embedded" if service.is_embedded else "connected"


def _take(name: str, future: Future[Answer]) -> Answer | None:
    if not future.done():
        return None
    error = future.exception()
    if error is None:
        return future.result()
    if not isinstance(error, HelixError):
        # A service that is away says so by an error of ours: this is a fault of the program.
        LOGGER.error("the question to %s failed", name, exc_info=error)
    return None

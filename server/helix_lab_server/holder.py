"""The lab of this server: opened once, closed once, and why it could not be opened."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from helix_lab.domain.model.errors import HelixError, Unavailable

if TYPE_CHECKING:
    from helix_lab.lab import Lab

_RETRY_EVERY_S = 1.0


class LabHolder:
    """Holds the lab that every route uses. Thread-safe.

    What was not available at the start is tried again on later requests, at most once a second:
    the folder, of which an old server may just let go while its successor starts, and a database
    that was not up yet.

    Args:
        open_lab: opens the lab of this server's settings.
        log: told when the lab cannot be opened.
    """

    def __init__(self, open_lab: Callable[[], Lab], log: logging.Logger) -> None:
        self._open_lab = open_lab
        self._log = log
        self._lock = threading.Lock()
        self._lab: Lab | None = None
        self._failure: HelixError | None = None
        self._tried_at_s = 0.0
        self._address: tuple[str, str | None] | None = None
        self._on_open: list[Callable[[Lab], None]] = []

    def open(self) -> None:
        """Open the lab; a failure is logged and then told by `get`."""
        with self._lock:
            self._try_open()

    def get(self) -> Lab:
        """The open lab.

        Raises:
            HelixError: it could not be opened, or is closed.
        """
        return self._lab or self._get_slowly()

    def peek(self) -> Lab | None:
        """The lab if it is open; never tries to open it."""
        return self._lab

    def announce(self, *, url: str, token: str | None) -> None:
        """Tell other processes where this server is, now or once the lab is open."""
        with self._lock:
            self._address = (url, token)
            if self._lab is not None:
                self._lab.data_folder.announce(url=url, token=token)

    def when_open(self, callback: Callable[[Lab], None]) -> None:
        """Call back with the lab, now or once it is open."""
        with self._lock:
            self._on_open.append(callback)
            if self._lab is not None:
                callback(self._lab)

    def close(self) -> None:
        """Close the lab; closing twice is harmless."""
        with self._lock:
            lab, self._lab, self._failure = self._lab, None, None
            if lab is not None:
                lab.close()

    def _get_slowly(self) -> Lab:
        with self._lock:
            if self._lab is None and self._may_try_again():
                self._try_open()
            if self._lab is None:
                raise self._failure or Unavailable("Helix Lab is closed", service="helix_lab")
            return self._lab

    def _may_try_again(self) -> bool:
        is_due = time.monotonic() - self._tried_at_s >= _RETRY_EVERY_S
        return is_due and isinstance(self._failure, Unavailable)

    def _try_open(self) -> None:
        try:
            lab = self._open_lab()
        except HelixError as error:
            if self._failure is None:
                self._log.error("Helix Lab is not available: %s", error)
            self._failure = error
            self._tried_at_s = time.monotonic()  # now: the try itself may have taken its time
            return
        except Exception:
            self._log.exception("Helix Lab could not be opened")
            self._failure = HelixError("Helix Lab could not be opened; the server's log says why")
            return
        self._failure = None
        self._lab = lab
        if self._address is not None:
            lab.data_folder.announce(url=self._address[0], token=self._address[1])
        for callback in self._on_open:
            callback(lab)

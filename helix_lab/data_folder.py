"""The data folder: one process owns it; others are told who."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from helix_lab.domain.model.errors import DataFolderInUse, Unavailable

_LOCK = "owner.lock"
_OWNER = "owner.json"
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns a data folder.

    Attributes:
        url: of its server, once it serves; None for a script.
        token: that its server asks for; the file is readable by its owner alone.
    """

    pid: int
    url: str | None = None
    token: str | None = None


class DataFolder:
    """A folder that this process owns until `release`. The lock dies with the process.

    Attributes:
        owner: this process, as it was last announced to others.

    Raises:
        DataFolderInUse: another process, or another lab of this one, owns it.
        Unavailable: it cannot be made or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except (OSError, ValueError) as error:
            raise _unusable(path, error) from error
        if not self._wait_for_lock():
            os.close(self._lock)
            owner = read_owner(path)
            raise DataFolderInUse(
                str(path), pid=owner.pid if owner else None, url=owner.url if owner else None
            )
        try:
            self.announce()
        except OSError as error:
            self.release()
            raise _unusable(path, error) from error

    def _wait_for_lock(self) -> bool:
        """Take the lock; one that is held for a moment is somebody's look at it."""
        deadline = time.monotonic() + _LOOK_S
        while not _lock_now(self._lock):
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_S / 20)
        return True

    def announce(self, *, url: str | None = None, token: str | None = None) -> None:
        """Tell others how to reach the owner."""
        self.owner = Owner(os.getpid(), url, token)
        content = json.dumps(asdict(self.owner))
        fresh = self.path / f"{_OWNER}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
        fresh.replace(self.path / _OWNER)

    def release(self) -> None:
        """Let others own the folder; releasing twice is harmless."""
        if self._lock >= 0:
            (self.path / _OWNER).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1


def read_owner(path: Path) -> Owner | None:
    """Who owns the folder now; None if nobody does."""
    try:
        owner = Owner(**json.loads((path / _OWNER).read_text(encoding="utf-8")))
        lock = os.open(path / _LOCK, os.O_RDWR)
    except (OSError, ValueError, TypeError):
        return None
    try:
        # A killed owner leaves its file behind; only the lock tells whether it lives.
        return None if _lock_now(lock) else owner
    finally:
        os.close(lock)


def _unusable(path: Path, error: Exception) -> Unavailable:
    reason = getattr(error, "strerror", None) or error
    message = f"the data folder {path} cannot be used: {reason}; choose another by HELIX_DATA_DIR"
    return Unavailable(message, service="data folder", folder=str(path))


def _lock_now(handle: int) -> bool:
    """Take the lock if it is free; closing the handle gives it back."""
    try:
        import fcntl
    except ImportError:
        import msvcrt

        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

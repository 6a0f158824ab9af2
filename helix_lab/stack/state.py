"""The folder of a stack: what runs, what is wanted, its ports and secrets, as small files."""

from __future__ import annotations

import fcntl
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, TypeVar

import msgspec

from helix_lab.domain.model.errors import Unavailable

T = TypeVar("T")
State = Literal["waiting", "fetching", "starting", "ready", "failed", "stopping"]


class ServiceState(msgspec.Struct):
    """How one service is.

    Attributes:
        state: `ready` once it answered its clients.
        processes: id and time of birth of each.
        problem: why it failed.
        fetch_s: how long the download took, or the look at what was there.
        ready_s: from then until it answered.
    """

    state: State = "waiting"
    nodes: int = 1
    processes: list[tuple[int, float]] = []
    ports: dict[str, int] = {}
    problem: str | None = None
    fetch_s: float | None = None
    ready_s: float | None = None


class StackState(msgspec.Struct):
    """How the stack is: its supervisor, and each service."""

    supervisor: int = 0
    services: dict[str, ServiceState] = {}


class Belongings(msgspec.Struct):
    """What a service keeps from start to start."""

    ports: dict[str, int] = {}
    secrets: dict[str, str] = {}


class StackFolder:
    """The files of one stack; each is replaced whole, so that no reader sees half of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.logs = path / "logs"
        self.env_file = path / "stack.env"
        try:
            # Open to look through, so that a service may run as another user; files are not.
            path.mkdir(parents=True, exist_ok=True, mode=0o711)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            message = (
                f"the folder of the stack {path} cannot be used: {error.strerror}; "
                "choose another by HELIX_STACK_DIR"
            )
            raise Unavailable(message, service="stack", folder=str(path)) from error

    def read_state(self) -> StackState:
        """What the supervisor last wrote."""
        return self._read("state.json", StackState, StackState())

    def write_state(self, state: StackState) -> None:
        """Tell others how the stack is."""
        self._write("state.json", msgspec.json.encode(state))

    def read_wanted(self) -> dict[str, int]:
        """The services that shall run, each with its number of nodes."""
        return self._read("wanted.json", dict[str, int], {})

    def write_wanted(self, wanted: Mapping[str, int]) -> None:
        """Say which services shall run."""
        self._write("wanted.json", msgspec.json.encode(wanted))

    def read_belongings(self) -> dict[str, Belongings]:
        """Ports and secrets by service."""
        return self._read("belongings.json", dict[str, Belongings], {})

    def write_belongings(self, belongings: Mapping[str, Belongings]) -> None:
        """Keep ports and secrets, readable by the owner of the stack alone."""
        self._write("belongings.json", msgspec.json.encode(belongings))

    def write_variables(self, variables: Mapping[str, str]) -> None:
        """Write the env file, for shells and for `HELIX_ENV_FILE`."""
        lines = [f"{name}={shlex.quote(value)}\n" for name, value in sorted(variables.items())]
        self._write(self.env_file.name, "".join(lines).encode())

    def lock(self) -> IO[str] | None:
        """Own the stack until the handle is closed or the process dies; None if it is owned."""
        handle = (self.path / "stack.lock").open("w")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            handle.close()
            return None
        return handle

    @contextmanager
    def deciding(self) -> Iterator[None]:
        """Alone decide what is wanted, and whether a supervisor has to be started."""
        with (self.path / "decide.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def is_owned(self) -> bool:
        """Whether a supervisor runs."""
        handle = self.lock()
        if handle is None:
            return True
        handle.close()
        return False

    def forget(self) -> None:
        """Remove what is true only while the stack runs."""
        for name in ("state.json", "wanted.json", self.env_file.name):
            (self.path / name).unlink(missing_ok=True)

    def _read(self, name: str, type: type[T], default: T) -> T:
        with suppress(FileNotFoundError, msgspec.DecodeError):
            return msgspec.json.decode((self.path / name).read_bytes(), type=type)
        return default

    def _write(self, name: str, content: bytes) -> None:
        fresh = self.path / f".{name}.{os.getpid()}"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        fresh.replace(self.path / name)

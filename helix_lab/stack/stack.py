"""The stack from outside: bring services up, take them down, see how they are."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from helix_lab.domain.model.errors import Conflict, InvalidRequest, NotFound, Unavailable
from helix_lab.stack import processes
from helix_lab.stack.catalog import SERVICES
from helix_lab.stack.state import ServiceState, StackFolder, StackState
from helix_lab.stack.supervisor import DETACH

_LOOK_EVERY_S = 0.1
_DOWN_TIMEOUT_S = 60.0
_SUPERVISOR_LOG = "supervisor"

Watch = Callable[[Mapping[str, ServiceState]], None]


class Stack:
    """The stack of one folder.

    Args:
        folder: configuration, data and logs of its services, made if absent.
        cache: downloads, shared by all stacks.
    """

    def __init__(self, folder: Path, cache: Path) -> None:
        if sys.platform == "win32":
            message = "the stack runs on Linux and macOS; on Windows use it in WSL"
            raise Unavailable(message, service="stack")
        self.folder = StackFolder(folder.absolute())
        self._cache = cache.absolute()

    def up(self, wanted: Mapping[str, int], *, on_change: Watch | None = None) -> StackState:
        """Bring services up and wait until each is ready; those that run go on.

        Args:
            wanted: nodes by the name of the service.
            on_change: told whenever something changed.

        Raises:
            InvalidRequest: a name or a number of nodes that there is not.
            Unavailable: a service did not get ready; the others run on.
        """
        before = self.folder.read_wanted() if self.folder.is_owned() else {}
        with self._starting(wanted) as starter:
            try:
                self._await_ready(wanted, on_change)
            except Unavailable:
                _detach(starter)
                raise
            except BaseException:  # Ctrl-C among them
                self.down([name for name in wanted if name not in before])
                raise
            state = self.read_state()
            _detach(starter)
        return state

    @contextmanager
    def hold(
        self, wanted: Mapping[str, int], *, on_change: Watch | None = None
    ) -> Iterator[StackState]:
        """As `up`, and down again at the end; also if this process is killed.

        Raises:
            Conflict: the stack runs already, so another one would take it down.
        """
        if self.folder.is_owned():
            message = f"the stack of {self.folder.path} runs already; first: helix-lab stack down"
            raise Conflict(message)
        with self._starting(wanted):
            try:
                self._await_ready(wanted, on_change)
                yield self.read_state()
            finally:
                self.down()

    def down(self, names: Iterable[str] = ()) -> list[str]:
        """Take services down, all if none is named; give those that ran."""
        before = self.read_state()
        chosen = [name for name in before.services if not names or name in set(names)]
        left = {n: c for n, c in self.folder.read_wanted().items() if n not in chosen}
        if left and names:
            self.folder.write_wanted(left)
            self._await(lambda: not set(chosen) & set(self.read_state().services))
            return chosen
        self._end_supervisor(before)
        return chosen

    def read_state(self) -> StackState:
        """How the stack is; without a supervisor nothing runs."""
        return self.folder.read_state() if self.folder.is_owned() else StackState()

    def read_variables(self) -> dict[str, str]:
        """What the env file says."""
        try:
            lines = self.folder.env_file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        return dict(word.split("=", 1) for line in lines for word in shlex.split(line))

    def list_logs(self, name: str) -> list[Path]:
        """The logs of a service, of all its programs.

        Raises:
            NotFound: there is none.
        """
        found = sorted(
            path
            for path in self.folder.logs.glob("*.log")
            if path.stem == name or path.stem.startswith((f"{name}-", f"fetch-{name}"))
        )
        if not found:
            known = (
                ", ".join(sorted(path.stem for path in self.folder.logs.glob("*.log"))) or "none"
            )
            message = f"{name!r} has no log in {self.folder.logs}; there are: {known}"
            raise NotFound(message)
        return found

    def kill(self, name: str) -> None:
        """Kill a service at once, as a fault would; for tests of what then happens."""
        processes.kill_left_over(self.read_state().services[name].processes)

    @contextmanager
    def _starting(self, wanted: Mapping[str, int]) -> Iterator[subprocess.Popen[bytes] | None]:
        """Ask for services; give the supervisor if there was none, with a pipe that binds it."""
        _check(wanted)
        with self.folder.deciding():
            if not self.folder.is_owned():
                self._clear_remains()
            before = self.folder.read_wanted()
            _check_nodes(before, wanted)
            self._forget_failed(wanted)
            self.folder.write_wanted({**before, **wanted})
            # Asked again: with the last service that failed its supervisor went, too.
            starter = None if self.folder.is_owned() else self._start_supervisor()
        if starter is None:
            yield None
            return
        try:
            yield starter
        finally:
            # Without the word that it may stay, it ends with the pipe.
            if starter.stdin is not None:
                starter.stdin.close()
            if starter.poll() is None:
                starter.returncode = 0  # it may outlive this process: Python need not warn of that

    def _forget_failed(self, names: Iterable[str]) -> None:
        """Take down what failed, so that it is tried anew."""
        found = self.read_state().services
        failed = [name for name in names if name in found and found[name].state == "failed"]
        if failed:
            self.down(failed)

    def _start_supervisor(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "helix_lab.stack.supervisor"]
        log = processes.find_log(self.folder.logs, _SUPERVISOR_LOG)
        with log.open("ab") as output:
            starter = subprocess.Popen(  # noqa: S603 - our own module
                [*command, str(self.folder.path), str(self._cache)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._await(lambda: self.folder.is_owned() or starter.poll() is not None)
        return starter

    def _await_ready(
        self,
        wanted: Mapping[str, int],
        on_change: Watch | None,
    ) -> None:
        seen: dict[str, ServiceState] = {}
        while True:
            found = {n: s for n, s in self.folder.read_state().services.items() if n in wanted}
            if on_change is not None and found != seen:
                on_change(found)
            seen = found
            is_decided = all(s.state in ("ready", "failed") for s in found.values())
            if is_decided and len(found) == len(wanted):
                break
            if not self.folder.is_owned():
                log = processes.find_log(self.folder.logs, _SUPERVISOR_LOG)
                message = f"the supervisor of the stack ended by itself; see {log}"
                raise Unavailable(message, service="stack")
            time.sleep(_LOOK_EVERY_S)
        problems = [f"{n}: {s.problem}" for n, s in found.items() if s.state == "failed"]
        if problems:
            raise Unavailable("; ".join(problems), service="stack")

    def _end_supervisor(self, state: StackState) -> None:
        birth = processes.name_birth(state.supervisor) if state.supervisor else None
        if birth is not None:
            os.kill(state.supervisor, signal.SIGTERM)
            self._await(lambda: not processes.is_alive(state.supervisor, birth))
        self._clear_remains()

    def _clear_remains(self) -> None:
        """Kill and forget what a supervisor left that was killed itself."""
        left_over = self.folder.read_state().services.values()
        processes.kill_left_over(p for service in left_over for p in service.processes)
        self.folder.forget()

    def _await(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _DOWN_TIMEOUT_S
        while not condition():
            if time.monotonic() > deadline:
                message = f"the stack did not go down within {_DOWN_TIMEOUT_S:.0f} s"
                raise Unavailable(message, service="stack")
            time.sleep(_LOOK_EVERY_S)


def _detach(starter: subprocess.Popen[bytes] | None) -> None:
    """Let a supervisor stay when this process goes."""
    if starter is not None and starter.stdin is not None:
        with suppress(BrokenPipeError):
            starter.stdin.write(DETACH)
            starter.stdin.flush()


def _check(wanted: Mapping[str, int]) -> None:
    for name, nodes in wanted.items():
        if name not in SERVICES:
            message = f"there is no service {name!r}; there are {', '.join(SERVICES)}"
            raise InvalidRequest(message, field="names")
        if nodes not in (1, SERVICES[name].most_nodes):
            message = f"{name} runs on 1 or {SERVICES[name].most_nodes} nodes, not on {nodes}"
            raise InvalidRequest(message, field="nodes")


def _check_nodes(before: Mapping[str, int], wanted: Mapping[str, int]) -> None:
    for name, nodes in wanted.items():
        if before.get(name, nodes) != nodes:
            message = (
                f"{name} runs on {before[name]} nodes, not on {nodes}; "
                f"first: helix-lab stack down {name}"
            )
            raise Conflict(message)

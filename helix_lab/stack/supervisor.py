"""The supervisor: the process that owns the services of one stack, and ends with them.

It ends when it is told to (SIGTERM), when nothing is wanted any more, or when the process that
started it goes away before it said `detach`.
"""

from __future__ import annotations

import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from pathlib import Path
from types import FrameType
from typing import IO

import msgspec

from helix_lab.stack import processes
from helix_lab.stack.catalog import SERVICES
from helix_lab.stack.ports import find_free_port, is_free
from helix_lab.stack.service import Program, Service, Site
from helix_lab.stack.state import Belongings, ServiceState, StackFolder, StackState

DETACH = b"detach\n"
READY_TIMEOUT_S = 180.0
"""From the start of a service until it answers; a loaded machine needs much of it."""
_LOOK_EVERY_S = 0.1
_SECRET_BYTES = 18


class Stopped(Exception):
    """The service is not wanted any more, while it was being started."""


class Keeper:
    """Keeps one service: brings it up in a thread of its own, and takes it down."""

    def __init__(self, service: Service, logs: Path, spawn: Callable[[Program], Future[Process]]):
        self.state = ServiceState(nodes=service.site.nodes, ports=dict(service.site.ports))
        self.service = service
        self._logs = logs
        self._spawn = spawn
        self._programs: list[tuple[Program, Process]] = []
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._bring_up, daemon=True)

    def begin(self) -> None:
        """Fetch, configure and start it, and wait until it is ready; at once gives back."""
        self._thread.start()

    def look(self) -> None:
        """See whether a process of it has ended."""
        if self.state.state != "ready":
            return
        for program, process in self._programs:
            code = process.poll()
            # Of several nodes one may be down for a while: that is what they are for.
            if code is not None and not program.is_spare:
                self._fail(processes.explain_end(program, code, self._logs))

    def ask_to_stop(self) -> None:
        """Begin to take it down."""
        self._is_stopping.set()
        self.state.state = "stopping"

    def finish(self) -> None:
        """Take it down; nothing of it runs afterwards."""
        self.ask_to_stop()
        self._thread.join()
        service = self.service
        running = [process for _, process in self._programs]
        processes.stop(running, service.stop_signal, patience_s=service.stop_patience_s)
        self.state.processes = []

    def call(self, program: Program) -> None:
        """Run a program that ends by itself, for the service."""
        process = processes.start(program, self._logs, with_environment=True)
        self.state.processes = [_name(process)]
        try:
            while (code := process.poll()) is None:
                if self._is_stopping.wait(_LOOK_EVERY_S):
                    raise Stopped
        finally:
            processes.stop([process], signal.SIGTERM, patience_s=1)
            self.state.processes = []
        if code != 0:
            raise processes.explain_end(program, code, self._logs)

    def _bring_up(self) -> None:
        try:
            self._fetch_and_start()
        except Stopped:
            pass
        except Exception as error:  # told to whoever asked for the service
            self._fail(error)

    def _fetch_and_start(self) -> None:
        begun_s = time.monotonic()
        self.state.state = "fetching"
        self.service.fetch()
        fetched_s = time.monotonic()
        self.state.fetch_s = fetched_s - begun_s
        self.state.state = "starting"
        self.service.configure()
        for program in self.service.list_programs():
            self._check_wanted()
            process = self._spawn(program).result()
            self._programs.append((program, process))
            self.state.processes = [_name(process) for _, process in self._programs]
        self._await_ready(fetched_s + READY_TIMEOUT_S)
        self.state.ready_s = time.monotonic() - fetched_s
        self.state.state = "ready"

    def _await_ready(self, deadline: float) -> None:
        while not self.service.is_ready():
            for program, process in self._programs:
                if (code := process.poll()) is not None:
                    raise processes.explain_end(program, code, self._logs)
            self._check_wanted()
            if time.monotonic() > deadline:
                message = f"not ready within {READY_TIMEOUT_S:.0f} s; see its log"
                raise TimeoutError(message)
            time.sleep(_LOOK_EVERY_S)

    def _check_wanted(self) -> None:
        if self._is_stopping.is_set():
            raise Stopped

    def _fail(self, error: Exception) -> None:
        self.state.problem = str(error)
        self.state.state = "failed"


Process = subprocess.Popen[bytes]


class Supervisor:
    """Keeps the services that are wanted, until nothing is wanted any more."""

    def __init__(self, folder: StackFolder, cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._keepers: dict[str, Keeper] = {}
        self._is_stopping = threading.Event()
        # Processes die with the thread that starts them, so this one starts them all.
        self._to_start: queue.SimpleQueue[tuple[Program, Future[Process]]] = queue.SimpleQueue()
        self._written: bytes | None = None

    def run(self) -> None:
        """Work until told to end; then take everything down."""
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)
        threading.Thread(target=self._watch_starter, daemon=True).start()
        try:
            while not self._is_stopping.is_set() and (wanted := self._folder.read_wanted()):
                self._follow(wanted)
                self._start_programs()
                self._report()
        finally:
            self._take_down(list(self._keepers))
            self._folder.forget()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002
        self._is_stopping.set()

    def _watch_starter(self) -> None:
        """Stop if the starter goes away without a word; its end of the pipe closes then."""
        if os.read(sys.stdin.fileno(), len(DETACH)) != DETACH:
            self._is_stopping.set()

    def _follow(self, wanted: dict[str, int]) -> None:
        """Take down what is not wanted any more, and what failed and is asked for again."""
        self._take_down([name for name in self._keepers if name not in wanted])
        for name, nodes in wanted.items():
            if name not in self._keepers:
                self._keepers[name] = self._make_keeper(name, nodes)
                self._keepers[name].begin()
            self._keepers[name].look()

    def _make_keeper(self, name: str, nodes: int) -> Keeper:
        kind = SERVICES[name]
        own = self._provide(kind, nodes)
        folder = self._folder.path / name
        folder.mkdir(exist_ok=True, mode=0o711)

        def call(program: Program) -> None:
            keeper.call(program)

        site = Site(
            cache=self._cache,
            folder=folder,
            ports=own.ports,
            secrets=own.secrets,
            call=call,
            nodes=nodes,
        )
        keeper = Keeper(kind(site), self._folder.logs, self._spawn)
        return keeper

    def _provide(self, kind: type[Service], nodes: int) -> Belongings:
        """The ports and secrets of a service: those it had, new ones where it had none."""
        all_own = self._folder.read_belongings()
        own = all_own.setdefault(kind.name, Belongings())
        taken = {port for other in all_own.values() for port in other.ports.values()}
        for name in kind.list_ports(nodes):
            if not is_free(own.ports.get(name, 0)) or name not in own.ports:
                own.ports[name] = find_free_port(taken)
        for name in kind.secrets:
            # Letters and digits alone: a tool would take one that begins with "-" for an option.
            own.secrets.setdefault(name, secrets.token_hex(_SECRET_BYTES))
        self._folder.write_belongings(all_own)
        return own

    def _spawn(self, program: Program) -> Future[Process]:
        future: Future[Process] = Future()
        self._to_start.put((program, future))
        return future

    def _start_programs(self) -> None:
        """Start what was asked for within a moment."""
        deadline = time.monotonic() + _LOOK_EVERY_S
        while (left_s := deadline - time.monotonic()) > 0:
            try:
                program, future = self._to_start.get(timeout=left_s)
            except queue.Empty:
                return
            try:
                future.set_result(processes.start(program, self._folder.logs))
            except OSError as error:
                future.set_exception(error)

    def _report(self) -> None:
        services = {name: keeper.state for name, keeper in self._keepers.items()}
        encoded = msgspec.json.encode(StackState(os.getpid(), services))
        if encoded == self._written:
            return
        # As it was at one moment: the keepers go on. First the variables, for who sees a service
        # ready may read them.
        state = msgspec.json.decode(encoded, type=StackState)
        self._folder.write_variables(self._gather_variables(state.services))
        self._folder.write_state(state)
        self._written = encoded

    def _gather_variables(self, services: Mapping[str, ServiceState]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, state in services.items():
            if state.state == "ready":
                found.update(self._keepers[name].service.list_variables())
        return found

    def _take_down(self, names: list[str]) -> None:
        keepers = [self._keepers[name] for name in names]
        for keeper in keepers:
            keeper.ask_to_stop()
        threads = [threading.Thread(target=keeper.finish) for keeper in keepers]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            # One that waits for its process to be started must get it, to see that it shall stop.
            self._start_programs()
        for name in names:
            del self._keepers[name]


def _name(process: Process) -> tuple[int, float]:
    return process.pid, processes.name_birth(process.pid) or 0.0


def main(folder: str, cache: str) -> None:
    """Own the stack of a folder, and keep what its list of wanted services names."""
    stack = StackFolder(Path(folder))
    lock = _wait_for_lock(stack)
    if lock is None:
        sys.exit("another supervisor owns this stack")
    left_over = stack.read_state().services.values()
    processes.kill_left_over(p for service in left_over for p in service.processes)
    stack.write_state(StackState(os.getpid()))
    Supervisor(stack, Path(cache)).run()
    # The lock is left to the system: who sees it free knows that this process has ended.


def _wait_for_lock(stack: StackFolder) -> IO[str] | None:
    deadline = time.monotonic() + 1
    while (lock := stack.lock()) is None and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY_S)  # somebody only looks whether it is owned
    return lock


if __name__ == "__main__":
    main(*sys.argv[1:])

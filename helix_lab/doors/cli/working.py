"""`helix-lab worker`: processes that fill stores, and share the partitions of the log."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from typing import Any

import click

from helix_lab.doors.cli.session import Session

MAX_WORKERS = 64
_LOOK_S = 0.2
_STOP_S = 20.0


@click.command()
@click.argument("stores", nargs=-1)
@click.option(
    "--count",
    type=click.IntRange(1, MAX_WORKERS),
    default=1,
    show_default=True,
    help="How many processes.",
)
@click.pass_obj
def worker(session: Session, stores: tuple[str, ...], count: int) -> None:
    """Fill STORES from the log in a process of its own; all that workers can, if none is named.

    Workers of one store share its partitions, on one machine or several, and take over from one
    that ends. They need the log on Kafka and the records on PostgreSQL; the server is told by
    HELIX_WORKERS which stores it leaves to them. Ctrl-C stops them.
    """
    with _stopped_by_signals() as stopping:
        if count == 1:
            _work(session, stores, stopping)
        else:
            _supervise(session, stores, count, stopping)


class _stopped_by_signals:  # noqa: N801 - used as a block
    """An event that SIGINT and SIGTERM set while the block lasts."""

    def __enter__(self) -> threading.Event:
        stopping = threading.Event()
        self._before = {
            number: signal.signal(number, lambda *_: stopping.set())
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        return stopping

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _work(session: Session, stores: tuple[str, ...], stopping: threading.Event) -> None:
    from helix_lab.lab.workers import open_workers
    from helix_lab.settings import read_settings

    def tell(store: str, partitions: int) -> None:
        click.echo(f"{store}: {partitions} partitions")

    settings = read_settings(data_dir=session.data_dir)
    with ExitStack() as stack:
        workers = open_workers(settings, stores, stack, on_change=tell)
        threads = [threading.Thread(target=each.run) for each in workers]
        for thread in threads:
            thread.start()
        _wait(stopping)
        for each in workers:
            each.stop()
        for thread in threads:
            thread.join()


def _supervise(
    session: Session, stores: tuple[str, ...], count: int, stopping: threading.Event
) -> None:
    """Keep so many processes: one that was killed is started again, one that gives up ends all."""
    from helix_lab.lab.workers import check_servers, check_store
    from helix_lab.settings import read_settings

    for name in stores:
        check_store(name)
    check_servers(read_settings(data_dir=session.data_dir))
    processes = [_start(stores) for _ in range(count)]
    try:
        while not stopping.wait(_LOOK_S):
            for number, process in enumerate(processes):
                code = process.poll()
                if code is None:
                    continue
                if code >= 0:
                    message = f"a worker has ended with exit code {code}"
                    raise click.ClickException(message)
                click.echo(f"a worker was killed by signal {-code}; starting another", err=True)
                processes[number] = _start(stores)
    finally:
        _stop(processes)


def _start(stores: tuple[str, ...]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "helix_lab", "worker", *stores],
        stdin=subprocess.DEVNULL,
        # Ctrl-C comes to this process alone, which then stops them.
        start_new_session=True,
    )
    click.echo(f"worker {process.pid}")
    return process


def _stop(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + _STOP_S
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(stopping: Any) -> None:
    # With a time-out, so that Python sees the signal.
    while not stopping.wait(_LOOK_S):
        pass

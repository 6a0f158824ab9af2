"""Three Kafka nodes that are killed and stopped under a load, checked event by event.

Seeded: which node is struck, and when, comes from `--seed`. Anything that is lost, doubled or out
of order ends the benchmark with an error; the figures say how long writes stood still.
"""

from __future__ import annotations

import random
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench.harness import CannotRunError
from helix_lab.domain.model.errors import HelixError, LogWriteFailed
from helix_lab.doors.cli.stacking import find_cache
from helix_lab.lab import Lab, open_lab
from helix_lab.settings import Settings
from helix_lab.stack.stack import Stack

if TYPE_CHECKING:
    from bench.harness import Options, Report

EVENTS = 10_000
KEYS = 20
NODES = 3
PATIENCE_S = 180.0
STOPPED_S = 8.0
REFUSED_WITHIN_S = 45.0


def run(report: Report, options: Options) -> None:
    """Kills under a load, a node that stops, two of three down, and a start with the old log."""
    rng = random.Random(options.seed)
    with ExitStack() as on_end:
        folder = Path(on_end.enter_context(tempfile.TemporaryDirectory(prefix="helix-bench-")))
        folder.chmod(0o711)
        try:
            cluster = Nodes(Stack(folder / "stack", find_cache()), rng)
        except HelixError as error:
            raise CannotRunError(f"it needs Kafka: {error}") from error
        on_end.callback(cluster.close)
        lab = on_end.enter_context(open_on(cluster.servers, folder))
        load = Load(lab, options.size(EVENTS) // KEYS)
        gaps = strike_leaders(cluster, load, rng)
        report.add("SIGKILL of a node, three times", "longest wait of a write", max(gaps), "s",
                   runs=1)  # fmt: skip
        report.add(f"SIGSTOP of a node for {STOPPED_S:g} s", "longest wait of a write",
                   measure_stop(cluster, load), "s", runs=1)  # fmt: skip
        load.join()
        refused_s, back_s = lose_two(cluster, lab, load)
        report.add("two of three down", "until a write is refused", refused_s, "s", runs=1)
        report.add("two of three down", "until writes go on, once they are back", back_s, "s",
                   runs=1)  # fmt: skip
        for number in range(NODES):
            cluster.restart(number)
        load.write("c3")
        check(lab, load)
        rebuild(lab)
        check(lab, load)
        report.add(f"{load.count:,} acknowledged events after all of it", "lost or doubled", 0,
                   "events", runs=1)  # fmt: skip


class Nodes:
    """Three brokers, each a process of its own: the stack says how to start them, and sets up."""

    def __init__(self, stack: Stack, rng: random.Random) -> None:
        self._rng = rng
        with stack.hold({"kafka": NODES}) as state:
            self.servers = stack.read_variables()["KAFKA_BOOTSTRAP_SERVERS"]
            found = [psutil.Process(pid) for pid, _ in state.services["kafka"].processes]
            self._commands = [(each.cmdline(), each.cwd(), each.environ()) for each in found]
        self._processes = [self._start(number) for number in range(NODES)]

    def choose(self) -> int:
        """Any node; each leads a third of the partitions."""
        return self._rng.randrange(NODES)

    def send(self, number: int, signal_number: int) -> None:
        """Send a signal to a node."""
        self._processes[number].send_signal(signal_number)

    def restart(self, number: int) -> None:
        """Kill a node, if it lives, and start it again with its log."""
        self._processes[number].kill()
        self._processes[number].wait()
        self._processes[number] = self._start(number)

    def close(self) -> None:
        """Kill all."""
        for process in self._processes:
            process.kill()
            process.wait()

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        command, folder, environment = self._commands[number]
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


class Load:
    """Writes numbered messages to each conversation, in several threads; repeats what is refused.

    Attributes:
        acknowledged: by conversation how many.
        longest_s: the longest that a write took since it was last set to 0.
    """

    def __init__(self, lab: Lab, each: int) -> None:
        self.acknowledged = {f"c{number}": 0 for number in range(KEYS)}
        self.longest_s = 0.0
        self._lab = lab
        self._each = each
        self._errors: list[BaseException] = []
        for key in self.acknowledged:
            lab.start_conversation(conversation_id=key)
        self._threads = [
            threading.Thread(target=self._write, args=(list(self.acknowledged)[first::4],))
            for first in range(4)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def count(self) -> int:
        """All that were acknowledged."""
        return sum(self.acknowledged.values())

    def wait_for(self, share: float) -> None:
        """Return when so much of it is written."""
        wait_until(lambda: self._errors or self.count >= share * self._each * KEYS)

    def join(self) -> None:
        """Wait for the end of it."""
        for thread in self._threads:
            thread.join()
        if self._errors:
            raise self._errors[0]

    def _write(self, keys: list[str]) -> None:
        try:
            for _ in range(self._each):
                for key in keys:
                    begun_s = time.monotonic()
                    self.write(key)
                    self.longest_s = max(self.longest_s, time.monotonic() - begun_s)
        except BaseException as error:
            self._errors.append(error)

    def write(self, key: str) -> None:
        """One message more, sent again with its id until it is taken."""
        number = self.acknowledged[key]
        message = {
            "role": "user",
            "content": f"{number:06d}",
            "message_id": f"{key}-{number}",
        }
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._lab.append_messages(key, [message])
            except LogWriteFailed:
                if time.monotonic() > deadline:
                    raise
            else:
                self.acknowledged[key] += 1
                return


@contextmanager
def open_on(servers: str, folder: Path) -> Iterator[Lab]:
    """A lab on the cluster."""
    settings = Settings(folder / "lab", "node-1", port=0, log_url=f"kafka://{servers}")
    with open_lab(settings=settings) as lab:
        apply_topics(lab)
        yield lab


def apply_topics(lab: Lab) -> None:
    """Make the topics, as soon as the nodes know each other."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            lab.apply_topics()
        except HelixError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
        else:
            return


def strike_leaders(cluster: Nodes, load: Load, rng: random.Random) -> list[float]:
    """Kill a node three times, each leading a third of the partitions; start it again."""
    gaps = []
    for share in sorted(rng.uniform(0.1, 0.6) for _ in range(3)):
        load.wait_for(share)
        load.longest_s = 0.0
        number = cluster.choose()
        cluster.send(number, signal.SIGKILL)
        load.wait_for(share + 0.05)
        gaps.append(load.longest_s)
        cluster.restart(number)
    return gaps


def measure_stop(cluster: Nodes, load: Load) -> float:
    """A node that keeps its connections and says nothing, and comes back as if nothing were."""
    load.wait_for(0.8)
    load.longest_s = 0.0
    number = cluster.choose()
    cluster.send(number, signal.SIGSTOP)
    time.sleep(STOPPED_S)
    cluster.send(number, signal.SIGCONT)
    load.wait_for(0.9)
    return load.longest_s


def lose_two(cluster: Nodes, lab: Lab, load: Load) -> tuple[float, float]:
    """Without a majority writes are refused and reads go on; with it they go on by themselves."""
    stopped = (0, 1)
    for number in stopped:
        cluster.send(number, signal.SIGSTOP)
    try:
        begun_s = time.monotonic()
        try:
            lab.append_messages("c0", [{"role": "user", "content": "refused", "message_id": "no"}])
        except LogWriteFailed:
            refused_s = time.monotonic() - begun_s
        else:
            raise RuntimeError("a write was taken without a majority")
        if refused_s > REFUSED_WITHIN_S:
            raise RuntimeError(f"it was refused after {refused_s:.0f} s only")
        if not read(lab, "c1"):
            raise RuntimeError("reads do not go on")
    finally:
        for number in stopped:
            cluster.send(number, signal.SIGCONT)
    begun_s = time.monotonic()
    load.write("c2")
    return refused_s, time.monotonic() - begun_s


def check(lab: Lab, load: Load) -> None:
    """Each conversation in its order, nothing lost, nothing doubled, in the log and the stores."""
    if not lab.services.projections.catch_up(timeout_s=PATIENCE_S):
        raise RuntimeError("the stores do not come level with the log")
    for key, count in load.acknowledged.items():
        told = [text for text in read(lab, key) if text != "refused"]
        if told != [f"{number:06d}" for number in range(count)]:
            raise RuntimeError(f"{key}: {count} acknowledged, {len(told)} told")
        counted = lab.get_conversation(key).message_count
        stored = lab.run_query(
            f"SELECT count(*) FROM message_metrics WHERE conversation_id = '{key}'"
        ).rows[0][0]
        if not len(read(lab, key)) == counted == stored:
            raise RuntimeError(f"{key}: {counted} counted, {stored} stored")


def read(lab: Lab, key: str) -> list[str]:
    """What a conversation says, replayed."""
    return [message.content for message in lab.replay(key).messages]


def rebuild(lab: Lab) -> None:
    """Fill the stores again from the log."""
    for store in ("conversations", "analytics"):
        run = lab.rebuild_store(store)
        if lab.services.jobs.wait(run.run_id, timeout_s=PATIENCE_S).state != "succeeded":
            raise RuntimeError(f"the rebuild of {store} failed")


def wait_until(condition: Callable[[], object]) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("nothing happened in time")
        time.sleep(0.01)

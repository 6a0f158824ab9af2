"""The sampler: what this process and this machine use, looked at every few seconds."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil

INTERVAL_S = 10
KEPT_SAMPLES = 24 * 3600 // INTERVAL_S
"""One day."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was in use at one moment.

    Attributes:
        cpu_percent: of this process since the sample before; 100 is one core.
        memory_bytes: that this process holds of the machine's memory.
        system_cpu_percent: of all cores, by all processes; 100 is all of them.
        system_memory_percent: of the machine's memory, by all processes.
    """

    at: datetime
    cpu_percent: float
    memory_bytes: int
    system_cpu_percent: float
    system_memory_percent: float


class Sampler:
    """Takes samples in a thread of its own, from `start` to `close`. Thread-safe."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._samples: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        self._taking = threading.Lock()
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="helix-sampler", daemon=True)

    def start(self) -> None:
        """Begin; the first interval of both CPUs begins here."""
        self._process.cpu_percent()
        psutil.cpu_percent()
        self._thread.start()

    def take(self) -> Sample:
        """Take a sample now, and keep it."""
        with self._taking:
            sample = Sample(
                at=datetime.now(UTC),
                cpu_percent=self._process.cpu_percent(),
                memory_bytes=self._process.memory_info().rss,
                system_cpu_percent=psutil.cpu_percent(),
                system_memory_percent=psutil.virtual_memory().percent,
            )
            self._samples.append(sample)
        return sample

    def list_samples(self, *, within: timedelta) -> list[Sample]:
        """The samples of the last while, the oldest first."""
        begin_at = datetime.now(UTC) - within
        return [sample for sample in tuple(self._samples) if sample.at >= begin_at]

    def close(self) -> None:
        """Stop; closing twice is harmless."""
        self._is_closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while not self._is_closed.wait(INTERVAL_S):
            self.take()

"""A worker that stops for good between its writes and their commit, once it has some.

`python worker_child.py`, with HELIX_LOG_URL and HELIX_RECORDS_URL; says "written" at that point.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from helix_lab.domain.model.event import MESSAGE_ADDED, Entry
from helix_lab.lab import workers
from helix_lab.projections.conversations import ConversationsProjection
from helix_lab.records.database import Records
from helix_lab.settings import Settings, read_settings


class StoppingRecords(Records):
    """Never commits what was written for messages."""

    has_messages = False

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """See `Records.write`."""
        with super().write() as connection:
            yield connection
            if self.has_messages:
                print("written", flush=True)  # noqa: T201
                signal.pause()


class Watching(ConversationsProjection):
    """Tells the store when a batch has messages."""

    def prepare(self, entries: Sequence[Entry]) -> None:
        """See `Projection.prepare`."""
        assert isinstance(self._records, StoppingRecords)
        types = {entry.event.type for entry in entries}
        self._records.has_messages = MESSAGE_ADDED.name in types


def open_records(settings: Settings) -> Records:
    """The store that workers share."""
    return StoppingRecords(settings.records_url or "")


def main() -> None:
    """Work until killed."""
    vars(workers).update(open_shared_records=open_records, ConversationsProjection=Watching)
    with ExitStack() as stack:
        (worker,) = workers.open_workers(read_settings(), (), stack)
        worker.run()


if __name__ == "__main__":
    main()

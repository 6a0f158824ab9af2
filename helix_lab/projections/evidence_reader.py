"""Evidence reader: what messages say, read once for all projections that want to know."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from typing import Final

import msgspec
from cachetools import LRUCache

from helix_lab.domain.knowledge.evidence import Evidence
from helix_lab.domain.knowledge.extraction import Extractor
from helix_lab.projections.graph_process import EvidenceProcess, Saying, read_saying

LOGGER = logging.getLogger(__name__)
_KEPT_MESSAGES: Final = 4096


class EvidenceReader:
    """Reads messages, and keeps what the newest of them say. Safe in threads.

    Args:
        extractor: finds the things that a text names.
    """

    def __init__(self, extractor: Extractor) -> None:
        self._extractor = extractor
        self._process = EvidenceProcess()
        self._in_bulk: set[str] = set()
        self._kept: LRUCache[str, Evidence] = LRUCache(_KEPT_MESSAGES)
        self._reading = threading.Lock()

    def prepare(self, reader: str, sayings: Sequence[Saying]) -> None:
        """Read many messages in a process beside this one, which stays until `rest`."""
        with self._reading:
            self._in_bulk.add(reader)
            new = [saying for saying in sayings if saying.message_id not in self._kept]
            try:
                read = self._process.read(new) if new else []
            except (OSError, EOFError, msgspec.DecodeError) as error:
                LOGGER.warning("the process that reads messages is gone: %s", error)
                self._process.close()
            else:
                self._kept.update({evidence.message_id: evidence for evidence in read})

    def rest(self, reader: str) -> None:
        """Say that this one has no many messages any more."""
        with self._reading:
            self._in_bulk.discard(reader)
            if not self._in_bulk:
                self._process.close()

    def read(self, saying: Saying) -> Evidence:
        """What the message says."""
        with self._reading:
            known = self._kept.get(saying.message_id)
            if known is None:
                known = read_saying(saying, self._extractor)
                self._kept[saying.message_id] = known
            return known

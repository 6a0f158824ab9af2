"""What the tests of a killed lab do in a process of its own: see `run`.

`write` adds messages from several threads and starts debates beside them, without end; it
tells each message in a line of JSON after it was acknowledged. `debate` starts a debate,
tells its id, and waits.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path

from helix_lab.domain.model.errors import Conflict
from helix_lab.lab import Lab
from helix_lab.settings import ProviderSettings
from tests.flow.labs import open_at, say


def run(told: Connection, work: Callable[..., None], *arguments: object) -> None:
    """Do the work; what it tells goes to the connection, as lines."""
    os.dup2(told.fileno(), 1)
    work(*arguments)


def write(folder: Path, seed: str, threads: int) -> None:
    """Add messages and start debates until somebody kills the process."""
    with open_at(folder) as lab:
        workers = [
            threading.Thread(target=add_messages, args=(lab, seed, f"c{number}"), daemon=True)
            for number in range(threads)
        ]
        for worker in workers:
            worker.start()
        for _ in count():
            lab.start_debate("Should we cache?", conversation_id="debates", wait_s=5)


def add_messages(lab: Lab, seed: str, conversation_id: str) -> None:
    """What one thread of `write` does: one message, or three together, and tell them."""
    try:
        lab.start_conversation(conversation_id=conversation_id)
    except Conflict:
        tell({"error": "the conversation began otherwise"})
    for number in count():
        texts = [f"{seed}/{number:06}/{part}" for part in range(1 + 2 * (number % 2))]
        messages = [say(text, message_id=text) for text in texts]
        answer = lab.append_messages(conversation_id, messages)
        tell({"conversation": conversation_id, "ids": [m.message_id for m in answer.messages]})


def debate(folder: Path, provider_url: str, seed: int) -> None:
    """Start a debate of two rounds and wait for its end."""
    provider = ProviderSettings("fake", provider_url, "sage")
    with open_at(folder, provider) as lab:
        started = lab.start_debate("Should we cache?", rounds=2, seed=seed)
        tell({"debate_id": started.debate_id})
        lab.services.jobs.wait(started.debate_id, timeout_s=60)


def tell(line: dict[str, object]) -> None:
    """Write a line at once and whole, whatever other threads write."""
    os.write(1, json.dumps(line).encode() + b"\n")

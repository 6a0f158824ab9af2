"""A lab that records without projecting, until it is killed: `python kafka_writer.py FOLDER URL`.

Each message that is acknowledged is printed.
"""

from __future__ import annotations

import os
import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.flow.labs import open_at, say


def main() -> None:
    """Two conversations in turn, one message a request and three a request."""
    folder, address = sys.argv[1:]
    with open_at(Path(folder), log_url=address) as lab:
        for name in ("a", "b"):
            lab.start_conversation(conversation_id=f"{name}{os.getpid()}")
        lab.services.projections.close()
        for number in count(0, 4):
            words = [f"{os.getpid()}-{number + more:06d}" for more in range(4)]
            lab.append_messages(f"a{os.getpid()}", [say(words[0])])
            print(words[0], flush=True)  # noqa: T201
            lab.append_messages(f"b{os.getpid()}", [say(word) for word in words[1:]])
            print("\n".join(words[1:]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

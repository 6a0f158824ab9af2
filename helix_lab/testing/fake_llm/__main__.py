"""Run the fake LLM server as a program until it is interrupted."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys

from helix_lab.testing.fake_llm.server import FakeLLM


def main() -> None:
    """Print `{"url", "base_url", "pid"}` as one line, then serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(
        prog="python -m helix_lab.testing.fake_llm", description=__doc__
    )
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--delay-ms", type=float, default=0.0, help="before each answer")
    arguments = parser.parse_args()
    fake = FakeLLM(port=arguments.port, host=arguments.host, delay_ms=arguments.delay_ms)
    where = {"url": fake.url, "base_url": fake.base_url, "pid": os.getpid()}
    sys.stdout.write(json.dumps(where) + "\n")
    sys.stdout.flush()
    asyncio.run(_serve(fake))


async def _serve(fake: FakeLLM) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    await fake.serve(stopping)


if __name__ == "__main__":
    main()

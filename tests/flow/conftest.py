"""Labs for the tests of the flow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from helix_lab.lab import Lab, open_lab
from helix_lab.settings import ProviderSettings, Settings
from helix_lab.testing.fake_llm import FakeLLM
from tests.flow.chatting import WINDOW
from tests.flow.labs import open_at
from tests.flow.talks import talk
from tests.flow.workshop import Gate, Workshop


@pytest.fixture
def lab(tmp_path: Path, records_url: str | None) -> Iterator[Lab]:
    """An open lab in an empty folder, with each of the record stores."""
    with open_at(tmp_path / "lab", records_url=records_url) as opened:
        yield opened


@pytest.fixture
def workshop(tmp_path: Path, records_url: str | None) -> Iterator[Workshop]:
    workshop = Workshop(tmp_path, records_url=records_url)
    yield workshop
    workshop.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.is_open.set()


@pytest.fixture
def open_node(tmp_path: Path) -> Iterator[Callable[..., Lab]]:
    """Opens nodes by name, each in a folder of its own; all meet at `shared.sqlite`."""
    with ExitStack() as stack:

        def open_it(name: str, **settings: Any) -> Lab:
            given = {"memory_log": str(tmp_path / "shared.sqlite"), **settings}
            folder = given.pop("folder", tmp_path / name)
            return stack.enter_context(open_lab(settings=Settings(folder, name, port=0, **given)))

        yield open_it


@pytest.fixture
def fake() -> Iterator[FakeLLM]:
    with FakeLLM() as server:
        yield server


@pytest.fixture
def chatty(tmp_path: Path, fake: FakeLLM) -> Iterator[Lab]:
    """A lab with one provider, whose window is small, and a conversation."""
    sage = ProviderSettings("sage", fake.base_url, "sage", context_window_tokens=WINDOW)
    with open_lab(settings=Settings(tmp_path / "lab", "node", port=0, providers=(sage,))) as lab:
        lab.start_conversation(conversation_id="c")
        yield lab


@pytest.fixture
def conversation_id(lab: Lab) -> str:
    """A conversation of 120 messages."""
    lab.start_conversation(conversation_id="trip", user_id="u")
    lab.append_messages("trip", talk(120))
    return "trip"

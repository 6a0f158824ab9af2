"""Strategies of the user's own, and strategies by type, through a whole lab."""

from __future__ import annotations

from pathlib import Path

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.lab import Lab, open_lab
from helix_lab.projections import memory_strategies
from helix_lab.projections.memory_strategies import read_shown
from helix_lab.settings import Settings
from tests.flow.test_memories import write_elsewhere

OWN = "tests.flow.own_strategies"


def open_with(folder: Path, strategy: str) -> Lab:
    return open_lab(settings=Settings(folder, "test-node", port=0, memory_strategy=strategy))


def test_a_function_of_the_users_shows_what_it_gives(tmp_path: Path) -> None:
    with open_with(tmp_path, f"{OWN}:shortest") as lab:
        lab.create_memory("Prefer", memory_id="m1")
        lab.update_memory("m1", content="Prefer OAuth2")
        write_elsewhere(lab, "m1", content="Prefer passkeys")

        assert "Prefer OAuth2" == lab.get_memory("m1").content
        (conflict,) = lab.list_memory_conflicts().conflicts
        assert f"{OWN}:shortest" == conflict.resolution.strategy


def test_one_that_fails_later_falls_back_to_the_last_value(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_with(tmp_path, f"{OWN}:fails_on_jwt") as lab:
        lab.create_memory("Prefer", memory_id="m1")
        lab.update_memory("m1", content="Prefer OAuth2")
        write_elsewhere(lab, "m1", content="Prefer tokens")

        assert "Prefer tokens" == lab.get_memory("m1").content

    assert "failed on field 'content'" in caplog.text


def test_a_type_may_have_a_strategy_of_its_own(tmp_path: Path) -> None:
    with open_with(tmp_path, "last_write_wins,procedural=merge_all") as lab:
        lab.create_memory("Prefer", memory_id="m1", type="procedural")
        lab.update_memory("m1", content="Prefer OAuth2")
        write_elsewhere(lab, "m1", content="Prefer JWT")

        assert "Prefer OAuth2 and JWT" == lab.get_memory("m1").content


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (f"{OWN}:first", "must not depend on the order"),
        (f"{OWN}:nothing", "cannot be loaded"),
        ("no.such.module:f", "cannot be loaded"),
        (f"{OWN}:endless", "did not answer"),
    ],
)
def test_a_bad_function_is_refused(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_strategies, "CHECK_LIMIT_S", 0.2)

    with pytest.raises(InvalidRequest, match=words):
        read_shown(name)

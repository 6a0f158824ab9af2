"""What a lab says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from helix_lab import open_lab
from helix_lab.settings import ProviderSettings, Settings

ADDRESS = "http://127.0.0.1:9/v1"


def test_a_provider_without_its_key_is_told_without_asking_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY_THAT_IS_SET", "secret")
    monkeypatch.delenv("A_KEY_THAT_IS_NOT_SET", raising=False)
    providers = (
        ProviderSettings("free", ADDRESS, "m"),
        ProviderSettings("ready", ADDRESS, "m", api_key_env="A_KEY_THAT_IS_SET"),
        ProviderSettings("keyless", ADDRESS, "m", api_key_env="A_KEY_THAT_IS_NOT_SET"),
    )

    with open_lab(settings=Settings(tmp_path, node_id="node-1", providers=providers)) as lab:
        info = lab.get_info()

    assert ["offline", "free", "ready", "keyless"] == info.providers
    assert {
        "keyless": "the environment variable A_KEY_THAT_IS_NOT_SET is not set"
    } == info.provider_problems

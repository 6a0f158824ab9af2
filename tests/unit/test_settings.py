"""Settings: what the environment says, what is assumed, and what is refused by name."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from helix_lab.domain.context.policy import ContextPolicy
from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.settings import DEFAULT_PORT, ProviderSettings, Settings, read_settings

SAGE = {"name": "sage", "base_url": "http://127.0.0.1:9/v1", "model": "sage-1"}


def test_nothing_configured_means_a_folder_of_the_user_and_no_providers() -> None:
    settings = read_settings(environment={})

    assert settings.data_dir.is_absolute()
    assert "helix-lab" in settings.data_dir.name
    assert (socket.gethostname(), DEFAULT_PORT, ()) == (
        settings.node_id,
        settings.port,
        settings.providers,
    )


def test_the_environment_is_read(tmp_path: Path) -> None:
    environment = {
        "HELIX_DATA_DIR": str(tmp_path),
        "HELIX_PORT": "8123",
        "NODE_ID": "node-7",
        "HELIX_PROVIDERS": json.dumps([SAGE, {**SAGE, "name": "two", "api_key_env": "TWO_KEY"}]),
    }

    expected = Settings(
        data_dir=tmp_path,
        node_id="node-7",
        port=8123,
        providers=(
            ProviderSettings("sage", "http://127.0.0.1:9/v1", "sage-1"),
            ProviderSettings("two", "http://127.0.0.1:9/v1", "sage-1", "TWO_KEY"),
        ),
    )
    assert expected == read_settings(environment=environment)


def test_an_argument_goes_before_the_environment(tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path / "a", environment={"HELIX_DATA_DIR": "/b"})

    assert tmp_path / "a" == settings.data_dir


def test_empty_variables_count_as_absent() -> None:
    names = ("HELIX_DATA_DIR", "HELIX_PORT", "NODE_ID", "HELIX_PROVIDERS")

    assert read_settings(environment={}) == read_settings(environment=dict.fromkeys(names, ""))


def test_a_relative_folder_is_of_the_working_directory_and_a_tilde_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert tmp_path / "lab" == read_settings(data_dir="lab", environment={}).data_dir
    assert tmp_path / "home/lab" == read_settings(data_dir="~/lab", environment={}).data_dir


def test_a_home_of_nobody_is_refused_by_name() -> None:
    with pytest.raises(InvalidRequest, match="HELIX_DATA_DIR is '~no-such-user/lab'"):
        read_settings(environment={"HELIX_DATA_DIR": "~no-such-user/lab"})


@pytest.mark.parametrize(("text", "port"), [("0", 0), ("1", 1), ("65535", 65535)])
def test_a_port_is_0_to_65535(text: str, port: int) -> None:
    assert port == read_settings(environment={"HELIX_PORT": text}).port


@pytest.mark.parametrize(
    "text", ["65536", "-1", "+80", "80.0", "0x50", " 80", "http", "1" * 5000, "²", "\0"]
)
def test_what_is_no_port_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="HELIX_PORT is") as caught:
        read_settings(environment={"HELIX_PORT": text})

    assert "HELIX_PORT" == caught.value.details["field"]


def test_providers_may_lie_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "providers.json"
    path.write_text(json.dumps([SAGE]))

    (provider,) = read_settings(environment={"HELIX_PROVIDERS": str(path)}).providers

    assert "sage" == provider.name


@pytest.mark.parametrize(
    "text",
    [
        "[",
        "[1]",
        "[[]]",
        '[{"name": "a"}]',
        json.dumps([{**SAGE, "api_key": "sk-123456"}]),
        json.dumps([{**SAGE, "name": 5}]),
        json.dumps([{**SAGE, "name": ""}]),
        json.dumps([{**SAGE, "base_url": None}]),
        json.dumps([{**SAGE, "model": ["a"]}]),
        json.dumps([{**SAGE, "api_key_env": 1}]),
        json.dumps([SAGE, SAGE]),
        json.dumps([{**SAGE, "name": "offline"}]),
        '{"name": "a"}',
        "no-such-file.json",
        "~no-such-user/providers.json",
        "a\0b",
    ],
)
def test_what_is_no_list_of_providers_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="HELIX_PROVIDERS") as caught:
        read_settings(environment={"HELIX_PROVIDERS": text})

    assert "HELIX_PROVIDERS" == caught.value.details["field"]
    assert "sk-123456" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"", b"[{}]", b"{}"])
def test_a_file_that_holds_no_providers_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "providers.json"
    path.write_bytes(content)

    with pytest.raises(InvalidRequest, match="HELIX_PROVIDERS"):
        read_settings(environment={"HELIX_PROVIDERS": str(path)})


def test_contexts_are_read_from_the_variables_of_the_guide() -> None:
    guide = {
        "CONTEXT_COMPRESSION_STRATEGY": "entity",
        "CONTEXT_COMPRESSION_RATIO": "0.40",
        "CONTEXT_MIN_QUALITY_SCORE": "0.9",
        "CONTEXT_MAX_COMPRESSION_RATIO": ".8",
        "CONTEXT_COMPRESSION_PROVIDER": "sage",
        "CONTEXT_ADDITIONS": "memories, knowledge",
        "CONTEXT_CACHE_SIZE": "50",
        "CONTEXT_CACHE_TTL": "60",
    }

    settings = read_settings(environment=guide)

    wanted = ContextPolicy("entity", 0.4, 0.9, 0.8, "sage", ("knowledge", "memories"))
    assert wanted == settings.context
    assert (50, 60.0) == (settings.context_cache_size, settings.context_cache_ttl_s)


def test_contexts_have_the_values_of_the_guide_where_nothing_is_said() -> None:
    settings = read_settings(environment={})

    assert ("hybrid", 0.30, 0.95) == (
        settings.context.strategy,
        settings.context.ratio,
        settings.context.minimum_quality,
    )
    assert (100, 1800.0) == (settings.context_cache_size, settings.context_cache_ttl_s)


def test_the_cap_is_never_below_the_ratio() -> None:
    settings = read_settings(environment={"CONTEXT_COMPRESSION_RATIO": "0.9"})

    assert (0.9, 0.9) == (settings.context.ratio, settings.context.max_ratio)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTEXT_COMPRESSION_STRATEGY", "zip"),
        ("CONTEXT_COMPRESSION_RATIO", "0"),
        ("CONTEXT_COMPRESSION_RATIO", "1.1"),
        ("CONTEXT_COMPRESSION_RATIO", "30%"),
        ("CONTEXT_COMPRESSION_RATIO", "nan"),
        ("CONTEXT_COMPRESSION_RATIO", "-0.3"),
        ("CONTEXT_MAX_COMPRESSION_RATIO", "2"),
        ("CONTEXT_MIN_QUALITY_SCORE", "95"),
        ("CONTEXT_CACHE_SIZE", "-1"),
        ("CONTEXT_CACHE_SIZE", "many"),
        ("CONTEXT_CACHE_TTL", "0"),
        ("CONTEXT_CACHE_TTL", "30 minutes"),
        ("CONTEXT_CACHE_TTL", "."),
    ],
)
def test_a_context_variable_that_cannot_be_used_is_named_with_its_value(
    name: str, value: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_settings(environment={name: value})

    assert name == caught.value.details["field"]
    assert repr(value) in str(caught.value)


@pytest.mark.parametrize("window", [0, -1, 100, "8192", 1.5, True, None, 10**12])
def test_a_window_that_no_prompt_fits_is_refused(window: object) -> None:
    providers = json.dumps([{**SAGE, "context_window_tokens": window}])

    with pytest.raises(InvalidRequest, match="context_window_tokens of provider 'sage'"):
        read_settings(environment={"HELIX_PROVIDERS": providers})


def test_a_window_is_read_and_has_a_safe_default() -> None:
    two = [{**SAGE, "context_window_tokens": 128_000}, {**SAGE, "name": "two"}]

    settings = read_settings(environment={"HELIX_PROVIDERS": json.dumps(two)})

    assert [128_000, 16_384] == [p.context_window_tokens for p in settings.providers]


def test_clickhouse_is_named_as_a_whole_or_by_the_guides_parts() -> None:
    parts = {
        "CLICKHOUSE_HOST": "localhost",
        "CLICKHOUSE_PORT": "9000",
        "CLICKHOUSE_DATABASE": "helixagent",
        "CLICKHOUSE_USERNAME": "default",
        "CLICKHOUSE_PASSWORD": "a b/c",
    }

    assert None is read_settings(environment={}).analytics_url
    assert "clickhouse://default:a%20b%2Fc@localhost:8123/helixagent" == (
        read_settings(environment=parts).analytics_url
    )
    both = read_settings(environment={**parts, "HELIX_ANALYTICS_URL": "chdb://"})
    assert "chdb://" == both.analytics_url


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELIX_ANALYTICS_URL", "http://me:secret@host"),
        ("HELIX_ANALYTICS_URL", "clickhouse://"),
        ("HELIX_ANALYTICS_URL", "clickhouse"),
        ("CLICKHOUSE_PORT", "x"),
    ],
)
def test_an_address_of_clickhouse_that_is_none_is_refused(name: str, value: str) -> None:
    with pytest.raises(InvalidRequest, match=name) as caught:
        read_settings(environment={"CLICKHOUSE_HOST": "h", name: value})

    assert "secret" not in str(caught.value)

"""`helix-lab config`: every setting with its value and origin, and no secret."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helix_lab.settings.catalog import VARIABLES
from helix_lab.settings.showing import mask, show_settings


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if name in {"PATH", "HOME"}}
    return subprocess.run(
        [sys.executable, "-m", "helix_lab", *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_setting_is_shown_with_its_origin_and_no_secret(tmp_path: Path) -> None:
    config = tmp_path / "lab.yaml"
    config.write_text("lab:\n  node_id: seven\nbigdata:\n  neo4j:\n    uri: bolt://graph:7687\n")
    env_file = tmp_path / "some.env"
    env_file.write_text("# made\nREDIS_HOST=cache\nREDIS_PASSWORD=geheim-2\n")

    done = run(
        "--data-dir",
        str(tmp_path / "lab"),
        "config",
        "show",
        "--json",
        HELIX_CONFIG=str(config),
        HELIX_ENV_FILE=str(env_file),
        NEO4J_PASSWORD="geheim-1",
        HELIX_LOG_URL="kafka://u:geheim-3@k1:9092,k2:9092/p?password=geheim-4",
        KAFKA_BOOTSTRAP_SERVERS="k3",
        CLICKHOUSE_PASSWORD="geheim-5",
        KAFKA_CONSUMER_GROUP="mine",
        HELIX_LAB_TOKEN="geheim-6",
    )

    assert 0 == done.returncode, done.stderr
    assert "geheim" not in done.stdout
    shown = {one["name"]: one for one in json.loads(done.stdout)["settings"]}
    assert {v.name for v in VARIABLES if not v.waits_for} | {"KAFKA_CONSUMER_GROUP"} == set(shown)
    assert {
        "HELIX_DATA_DIR": (str(tmp_path / "lab"), "--data-dir"),
        "NODE_ID": ("seven", f"{config}:2"),
        "NEO4J_URI": ("bolt://graph:7687", f"{config}:5"),
        "NEO4J_PASSWORD": ("********", "environment"),
        "REDIS_HOST": ("cache", f"{env_file}:2"),
        "REDIS_PASSWORD": ("********", f"{env_file}:3"),
        "HELIX_PORT": ("7061", "default"),
        "HELIX_LOG_URL": (
            "kafka://u:********@k1:9092,k2:9092/p?password=********",
            "environment",
        ),
    }.items() <= {name: (one["value"], one["origin"]) for name, one in shown.items()}.items()
    assert "not used: HELIX_LOG_URL goes before it" == shown["KAFKA_BOOTSTRAP_SERVERS"]["note"]
    assert "not read yet: settings of consumers" in shown["KAFKA_CONSUMER_GROUP"]["note"]
    assert not (tmp_path / "lab").exists()


def test_it_is_a_table_for_people(tmp_path: Path) -> None:
    done = run("config", "show", CONTEXT_CACHE_SIZE="7", HELIX_DATA_DIR=str(tmp_path))

    (line,) = [line for line in done.stdout.splitlines() if line.startswith("CONTEXT_CACHE_SIZE")]
    assert ["CONTEXT_CACHE_SIZE", "7", "environment"] == line.split()


def test_a_check_names_what_cannot_be_used(tmp_path: Path) -> None:
    config = tmp_path / "lab.yaml"
    config.write_text("lab:\n  port: 70000\n")

    good, bad = run("config", "check"), run("config", "check", HELIX_CONFIG=str(config))

    assert (0, 2) == (good.returncode, bad.returncode)
    assert f"error: {config}:2: HELIX_PORT is '70000'" in bad.stderr


def test_a_check_knows_the_stores_of_workers() -> None:
    unknown = run("config", "check", HELIX_WORKERS="conversation")

    assert 2 == unknown.returncode
    assert "workers cannot fill 'conversation'" in unknown.stderr


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:a/b@c@h:1/0", "redis://:********@h:1/0"),
        (
            "postgresql://u:p@h/d?sslpassword=x&a=1",
            "postgresql://u:********@h/d?sslpassword=********&a=1",
        ),
        ("http://h:1/?token=abc", "http://h:1/?token=********"),
        ("bolt://h:7687", "bolt://h:7687"),
        ("kafka://h:1,g:2", "kafka://h:1,g:2"),
        ("me:geheim@h:1,g:2", "me:********@h:1,g:2"),
        ("a@b:c", "a@b:c"),
    ],
)
def test_passwords_in_addresses_are_masked(text: str, shown: str) -> None:
    assert shown == mask(text)


def test_a_default_is_what_the_lab_uses() -> None:
    shown = {one.name: one.value for one in show_settings(environment={})}

    assert ("7061", "hybrid", "0.3", "100") == tuple(
        shown[name]
        for name in (
            "HELIX_PORT",
            "CONTEXT_COMPRESSION_STRATEGY",
            "CONTEXT_COMPRESSION_RATIO",
            "CONTEXT_CACHE_SIZE",
        )
    )

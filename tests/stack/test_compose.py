"""docker-compose.yml fits the Compose Specification, keeps its promises, and fits the program."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from tests.docs.test_configuration import section, tables, variables_of_the_program

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
READER = compose_spec.PyOptions(apply_merge=True)
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(:[-?][^}]*)?\}")
SECRET = re.compile(r"PASSWORD|SECRET|TOKEN|AUTH$|_KEY$")


def resolve(text: str) -> str:
    """What Compose would read, with `made-up` for each secret."""

    def give(found: re.Match[str]) -> str:
        rule = found[2] or ""
        return rule.removeprefix(":-") if rule.startswith(":-") else "made-up"

    return VARIABLE.sub(give, text)


def test_it_fits_the_compose_specification() -> None:
    parsed = READER.from_yaml(resolve(TEXT))
    parsed.validate()

    assert set(SERVICES) == set(parsed.service_names())


def test_what_the_specification_does_not_know_would_be_refused() -> None:
    with pytest.raises(Exception, match="healthchek"):
        READER.from_yaml(resolve(TEXT).replace("healthcheck:", "healthchek:"))


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_a_profile_a_health_check_and_a_fixed_image(name: str) -> None:
    service = SERVICES[name]

    assert service["profiles"]
    assert service["healthcheck"]["test"]
    image = resolve(service["image"])
    assert ":" in image
    assert not image.endswith(":latest") or image == "helix-lab:latest"


def test_every_port_is_bound_to_this_machine_and_no_two_clash() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]

    assert [] == [port for port in published if not port.startswith("127.0.0.1:")]
    taken = Counter(port.split(":")[1] for port in published)
    assert [] == [port for port, count in taken.items() if count > 1]
    assert "9000" in taken, "the port that the guide gives to S3 and to ClickHouse"
    assert "127.0.0.1:9000:9000" in SERVICES["minio"]["ports"]


def test_the_profiles_are_those_that_the_head_names() -> None:
    found = {profile for service in SERVICES.values() for profile in service["profiles"]}

    assert {"core", "all", "monitoring", "node1", "node2"} == found


def test_no_secret_has_a_default_or_a_fixed_value() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable) and variable != "ROOT_ACCESS_KEY":
                assert re.search(r"\$\{\w+:\?[^}]+\}", value), f"{variable} of {name}"


def test_the_example_names_each_required_variable_and_gives_no_value() -> None:
    required = {name for name, rule in VARIABLE.findall(TEXT) if rule.startswith(":?")}
    lines = (ROOT / "configs/compose.env.example").read_text().splitlines()
    named = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))

    assert required == set(named)
    assert {""} == set(named.values())


@pytest.mark.parametrize("name", ["node1", "node2"])
def test_what_is_set_for_the_lab_is_read_by_the_program(name: str) -> None:
    of_jupyter = set(tables(section("Environment variables"))[1])

    assert set(SERVICES[name]["environment"]) <= variables_of_the_program() | of_jupyter


def test_each_node_has_records_of_its_own() -> None:
    addresses = [SERVICES[name]["environment"]["HELIX_RECORDS_URL"] for name in ("node1", "node2")]

    assert ["postgres-node1", "postgres-node2"] == [
        re.findall(r"@([\w-]+):5432", address)[0] for address in addresses
    ]


def test_volumes_are_declared_and_used() -> None:
    sources = {volume.split(":")[0] for s in SERVICES.values() for volume in s.get("volumes", [])}
    used = {source for source in sources if not source.startswith("./")}

    assert set(COMPOSE["volumes"]) == used
    assert all((ROOT / source).exists() for source in sources - used)

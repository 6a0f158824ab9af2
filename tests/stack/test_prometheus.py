"""Debian's Prometheus reads a real lab; the dashboards and alerts ask it what they ask."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from helix_lab.doors.cli.stacking import find_cache
from helix_lab.stack.fetching import fetch_debian_packages
from helix_lab.stack.service import Program, Site
from tests.server.live import TOKEN, LiveServer, free_port, serve, wait_for
from tests.server.test_metrics import send_span

CONFIGS = Path(__file__).parents[2] / "configs"
DASHBOARDS = sorted((CONFIGS / "grafana" / "dashboards").glob("*.json"))
EACH_DASHBOARD = pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.stem)


def read_expressions(path: Path) -> list[str]:
    panels = json.loads(path.read_text())["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def read_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((CONFIGS / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with serve(tmp_path_factory.mktemp("watched")) as live:
        with live.client() as client:
            send_span(client)
            client.get("/v1/info")
        yield live


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `prometheus` and `promtool`, unpacked from Debian's package."""

    def call(program: Program) -> None:
        subprocess.run(program.command, cwd=program.folder, check=True, capture_output=True)

    site = Site(find_cache(), tmp_path_factory.mktemp("fetching"), {}, {}, call)
    return fetch_debian_packages(site, "prometheus") / "usr" / "bin"


@pytest.fixture(scope="module")
def prometheus(
    live: LiveServer, programs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """A Prometheus with our configuration, which reads the lab of this test often."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "token").write_text(TOKEN)
    config = yaml.safe_load((CONFIGS / "prometheus" / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(CONFIGS / "prometheus" / "alerts.yml")]
    job = config["scrape_configs"][0]
    job["authorization"]["credentials_file"] = str(folder / "token")
    job["static_configs"] = [{"targets": [live.url.removeprefix("http://").strip("/")]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command: list[str | Path] = [
        programs / "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
    ]
    command += [f"--storage.tsdb.path={folder / 'data'}"]
    command += [f"--web.listen-address=127.0.0.1:{port}"]
    log = (folder / "log").open("wb")
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
            wait_for(lambda: is_ready(client), "Prometheus", limit_s=60)
            wait_for(lambda: has_counts(client), "two readings of the lab", limit_s=60)
            yield client
    finally:
        process.kill()
        process.wait()
        log.close()


def is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/-/ready").is_success
    except httpx.TransportError:
        return False


def query(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    answer = client.get("/api/v1/query", params={"query": expression}).json()
    assert "success" == answer["status"], f"{expression}: {answer}"
    result: list[dict[str, Any]] = answer["data"]["result"]
    return result


def has_counts(client: httpx.Client) -> bool:
    found = query(client, "count_over_time(helix_provider_requests_total[1m])")
    return any(int(row["value"][1]) > 1 for row in found)


@EACH_DASHBOARD
def test_a_dashboard_is_what_grafana_imports(path: Path) -> None:
    dashboard = json.loads(path.read_text())
    source = yaml.safe_load(
        (CONFIGS / "grafana" / "provisioning" / "datasources" / "helix-lab.yaml").read_text()
    )["datasources"][0]

    assert f"helix-{path.stem}" == dashboard["uid"]
    assert dashboard["schemaVersion"] >= 36
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in dashboard["panels"]:
        assert panel["title"]
        assert panel["description"]
        assert panel["fieldConfig"]["defaults"]["unit"]
        for target in panel["targets"]:
            assert {"type": source["type"], "uid": source["uid"]} == target["datasource"]


def test_no_two_panels_lie_on_each_other() -> None:
    for path in DASHBOARDS:
        cells: set[tuple[int, int]] = set()
        for panel in json.loads(path.read_text())["panels"]:
            at = panel["gridPos"]
            own = {
                (x, y)
                for x in range(at["x"], at["x"] + at["w"])
                for y in range(at["y"], at["y"] + at["h"])
            }
            assert not own & cells, f"{path.stem}: {panel['title']}"
            assert max(x for x, _ in own) < 24
            cells |= own


def test_the_dashboards_are_those_of_the_guide() -> None:
    titles = {json.loads(path.read_text())["title"] for path in DASHBOARDS}

    assert {
        "Provider Performance",
        "Conversation Analytics",
        "Entity Growth",
        "System Health",
    } == titles


@pytest.mark.services("prometheus")
def test_prometheus_reads_the_lab_with_its_token(prometheus: httpx.Client) -> None:
    targets = prometheus.get("/api/v1/targets").json()["data"]["activeTargets"]

    assert ["up"] == [target["health"] for target in targets]
    assert [["1"]] == [row["value"][1:] for row in query(prometheus, 'up{job="helix-lab"}')]


@pytest.mark.services("prometheus")
@EACH_DASHBOARD
def test_every_query_of_a_dashboard_runs(prometheus: httpx.Client, path: Path) -> None:
    answers = {expr: query(prometheus, expr) for expr in read_expressions(path)}

    now = [expr for expr, rows in answers.items() if rows]
    # Rates need some minutes, and nobody chatted or replayed; the others have values at once.
    assert len(now) >= 4, answers


@pytest.mark.services("prometheus")
def test_the_rules_of_alerts_are_loaded_and_none_is_broken(
    prometheus: httpx.Client, programs: Path
) -> None:
    alerts = CONFIGS / "prometheus" / "alerts.yml"
    checked = subprocess.run(
        [programs / "promtool", "check", "rules", alerts],
        capture_output=True,
        text=True,
        check=False,
    )
    wait_for(
        lambda: all(rule["health"] == "ok" for rule in list_rules(prometheus)),
        "an evaluation of every rule",
        limit_s=60,
    )

    assert 0 == checked.returncode, checked.stdout + checked.stderr
    assert f"SUCCESS: {len(read_rules())} rules found" in checked.stdout
    assert len(read_rules()) == len(list_rules(prometheus))


def list_rules(client: httpx.Client) -> list[dict[str, Any]]:
    groups = client.get("/api/v1/rules").json()["data"]["groups"]
    return [rule for group in groups for rule in group["rules"]]


@pytest.mark.services("prometheus")
def test_a_lab_that_is_gone_raises_the_alarm(programs: Path, tmp_path: Path) -> None:
    tests = {
        "rule_files": [str(CONFIGS / "prometheus" / "alerts.yml")],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": 'up{job="helix-lab", instance="a"}', "values": "1 1 0x20"},
                    {
                        "series": 'helix_projection_lag_events{store="graph"}',
                        "values": "10001x60",
                    },
                ],
                "alert_rule_test": [
                    fires("30s", "HelixLabDown"),
                    fires("3m", "HelixLabDown", job="helix-lab", instance="a"),
                    fires("1m", "HelixStoreBehindTheLog"),
                    fires("6m", "HelixStoreBehindTheLog", store="graph"),
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(tests))

    done = subprocess.run(
        [programs / "promtool", "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr


def fires(at: str, alert: str, **labels: str) -> dict[str, Any]:
    """What promtool expects at a time: the alert with these labels, or, without any, none."""
    if not labels:
        return {"eval_time": at, "alertname": alert, "exp_alerts": []}
    rule = next(rule for rule in read_rules() if rule["alert"] == alert)
    values = {"$labels.instance": labels.get("instance"), "$labels.store": labels.get("store")}
    values["$value"] = "10001"
    told = dict(rule["annotations"])
    for name, value in values.items():
        told = {key: text.replace(f"{{{{ {name} }}}}", str(value)) for key, text in told.items()}
    alert_labels = {**rule["labels"], **labels}
    expected = {"exp_labels": alert_labels, "exp_annotations": told}
    return {"eval_time": at, "alertname": alert, "exp_alerts": [expected]}

"""The catalog in the panel: topics with their counts, and tables and names of every kind."""

from __future__ import annotations

import re
from typing import Any

import httpx
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.test_panel import panel, start_debate
from tests.browser.test_run_results import ODD, expect_harmless
from tests.server.live import LiveServer

CATALOG = re.compile(r"/v1/catalog(\?|$)")
MANY = 500


def stub_catalog(context: BrowserContext, columns: list[dict[str, Any]]) -> None:
    context.route(CATALOG, lambda route: route.fulfill(json={"columns": columns}))


def column(table: str, name: str) -> dict[str, Any]:
    return {"table": table, "column": name, "type": name, "comment": name}


def test_each_topic_stands_with_its_count_and_counts_on(page: Page, client: httpx.Client) -> None:
    before = {row["topic"]: row["events"] for row in client.get("v1/topics").json()["topics"]}
    topics = panel(page).get_by_role("list", name="Topics")
    for topic, events in before.items():
        expect(topics.get_by_role("listitem").filter(has_text=topic)).to_contain_text(f"{events:,}")

    run_id = start_debate(client, "How many?")
    client.post(f"v1/runs/{run_id}/cancel", json={}).raise_for_status()

    line = topics.get_by_role("listitem").filter(has_text="helixagent.debates")
    expect(line).not_to_contain_text(re.compile(rf"\b{before['helixagent.debates']:,} event"))


def test_a_catalog_without_tables_says_so(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab
) -> None:
    stub_catalog(context, [])

    page = open_lab(server)

    expect(panel(page)).to_contain_text("There is no table yet.")


def test_a_table_of_many_columns_opens_to_all_of_them_when_it_is_opened(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab
) -> None:
    stub_catalog(context, [column("wide", f"column_{number}") for number in range(MANY)])
    page = open_lab(server)
    columns = panel(page).locator(".hx-Catalog-table li")
    summary = panel(page).get_by_text("wide", exact=True)
    expect(summary).to_be_visible()
    expect(columns).to_have_count(0)

    summary.focus()
    page.keyboard.press("Enter")

    expect(columns).to_have_count(MANY)
    expect(columns.last).to_contain_text(f"column_{MANY - 1}")


def test_markup_in_names_is_text(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab
) -> None:
    stub_catalog(context, [column(ODD, ODD)])
    page = open_lab(server)

    panel(page).locator("summary").click()

    expect(panel(page).locator("summary")).to_have_text(ODD)
    expect(panel(page).locator(".hx-Catalog-table li .hx-Catalog-name")).to_have_text(ODD)
    expect(panel(page).locator("li b, li img, li script")).to_have_count(0)
    expect_harmless(page)

"""The result of a run in a tab: a report's page, a debate's answer, an import's summary."""

from __future__ import annotations

import json
from typing import Any

import httpx
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.test_panel import panel, row
from tests.server.live import LiveServer, wait_for

REPORT_LIMIT_MS = 120_000
ODD = (
    '<img src=x onerror="window.harmed = 1"><script>window.harmed = 1</script>'
    '<b data-commandlinker-command="helix-lab:refresh" data-commandlinker-args="{}">**bold**</b>'
)


def open_result(page: Page, kind: str, run_id: str) -> None:
    """Press the button of a run; by keyboard, as everything in the panel can be."""
    button = row(page, run_id).get_by_role("button", name=f"Open the result of {kind} {run_id}")
    expect(button).to_be_visible()
    button.press("Enter")


def result(page: Page) -> Locator:
    return page.locator(".hx-Result:visible")


def debate(client: httpx.Client, topic: str) -> dict[str, Any]:
    seats = [{"provider": "offline"}] * 2
    asked = {"topic": topic, "participants": seats, "wait_s": 60}
    answer: dict[str, Any] = client.post("v1/debates", json=asked).raise_for_status().json()
    assert "succeeded" == answer["status"]
    return answer


def expect_harmless(page: Page) -> None:
    assert page.evaluate("window.harmed") is None
    assert 0 == page.locator("[data-commandlinker-command^=helix]").count()


def test_a_debate_opens_as_its_answer_and_its_turns(page: Page, client: httpx.Client) -> None:
    made = debate(client, "Tabs or spaces?")

    open_result(page, "debate", made["debate_id"])

    view = result(page)
    expect(view.get_by_role("heading", level=1)).to_have_text("Tabs or spaces?")
    expect(view).to_contain_text(made["verdict"])
    expect(view.get_by_role("heading", level=3)).to_have_count(len(made["turns"]))
    for turn in made["turns"]:
        expect(view).to_contain_text(turn["text"])


def test_what_is_opened_twice_has_one_tab(page: Page, client: httpx.Client) -> None:
    made = debate(client, "Once or twice?")

    for _ in range(2):
        open_result(page, "debate", made["debate_id"])
        expect(result(page)).to_be_visible()

    expect(page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text="Result of")).to_have_count(
        1
    )


def test_markup_in_a_debate_and_in_an_import_is_text(page: Page, client: httpx.Client) -> None:
    made = debate(client, ODD)
    content = json.dumps({"conversation_id": "odd", "role": ODD, "content": ODD})
    files = {"file": ("odd.jsonl", content)}
    run = client.post("v1/imports", files=files, params={"wait_s": 60}).raise_for_status().json()
    wait_for(lambda: client.get(f"v1/runs/{run['run_id']}").json()["ended_at"], "the import")

    open_result(page, "debate", made["debate_id"])
    expect(result(page).get_by_role("heading", level=1)).to_have_text(ODD)
    expect_harmless(page)

    open_result(page, "import", run["run_id"])
    expect(result(page)).to_contain_text("refused_count")
    expect(result(page).get_by_role("row", name="refused_count")).to_contain_text("1")
    expect_harmless(page)


def test_a_report_opens_as_its_page_in_a_sandbox_and_as_a_notebook(
    page: Page, client: httpx.Client
) -> None:
    reports = client.get("v1/reports").json()["reports"]
    started = client.post(f"v1/reports/{reports[0]['name']}/runs", json={"parameters": {}})
    run_id = started.raise_for_status().json()["run_id"]
    expect(row(page, run_id)).to_contain_text("succeeded", timeout=REPORT_LIMIT_MS)
    artifacts = client.get(f"v1/runs/{run_id}").json()["artifacts"]
    notebook = next(name for name in artifacts if name.endswith(".ipynb"))

    open_result(page, "report", run_id)

    frame = page.locator("iframe:visible")
    expect(frame).to_have_attribute("sandbox", "allow-scripts")
    expect(page.frame_locator("iframe:visible").locator("h1").first).to_be_visible()

    page.get_by_role("button", name="About This Run").click()
    expect(result(page)).to_contain_text(run_id)
    result(page).get_by_role("button", name=f"Open a copy of {notebook}").click()
    opened = page.locator(".jp-NotebookPanel:visible")
    expect(opened.locator(".jp-Cell").first).to_be_visible()


def test_a_run_that_is_gone_is_explained(
    page: Page, client: httpx.Client, server: LiveServer, open_lab: OpenLab
) -> None:
    made = debate(client, "Gone?")
    expect(row(page, made["debate_id"])).to_contain_text("succeeded")
    page.context.route(
        f"**/v1/runs/{made['debate_id']}*", lambda route: route.fulfill(status=404, json={})
    )

    open_result(page, "debate", made["debate_id"])

    notice = page.get_by_role("alert").filter(has_text="The result was not opened")
    expect(notice).to_be_visible()
    expect(panel(page)).to_be_visible()

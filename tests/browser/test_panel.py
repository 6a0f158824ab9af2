"""The side panel in a real browser, on a real server with token and XSRF."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import OpenLab
from tests.server.live import TOKEN, LiveServer, free_port, launch, serve, stop, wait_for

STATUS = "#helix-lab-status"


def panel(page: Page) -> Locator:
    return page.locator("#helix-lab-panel")


def row(page: Page, run_id: str) -> Locator:
    return page.locator(f'#helix-lab-panel [data-run="{run_id}"]')


def start_debate(client: httpx.Client, topic: str) -> str:
    answer = client.post("v1/debates", json={"topic": topic})
    assert 202 == answer.status_code, answer.text
    return str(answer.json()["debate_id"])


def test_health_names_each_backend_with_its_state_and_the_node(
    page: Page, client: httpx.Client
) -> None:
    health, info = client.get("health").json(), client.get("v1/info").json()

    for name, state in health["services"].items():
        line = panel(page).get_by_role("row", name=re.compile(f"^{name} "))
        expect(line).to_contain_text(info["backends"][name])
        expect(line).to_contain_text(state)
    expect(panel(page)).to_contain_text(f"Node {info['node_id']}, version {info['version']}")
    for store in info["projection_lag"]:
        line = panel(page).get_by_role("row", name=re.compile(f"^{store} "))
        expect(line).to_contain_text("level with the log")
    expect(page.locator(STATUS)).to_contain_text("Helix Lab: connected")


def test_what_keeps_a_store_or_a_provider_from_working_is_said(
    context: BrowserContext, server: LiveServer, client: httpx.Client, open_lab: OpenLab
) -> None:
    info = client.get("v1/info").json()
    told = {
        "providers": ["slow", "keyless", "busy"],
        "provider_problems": {"keyless": "the environment variable KEY is not set"},
        "projection_lag": {"conversations": 1200, "analytics": 3},
        "projection_faults": {"analytics": "Unavailable: the disk is full"},
    }
    records = [{"provider": "busy", "total_requests": 8, "success_rate": 0.75}]
    context.route("**/v1/info*", lambda route: route.fulfill(json={**info, **told}))
    context.route(
        "**/v1/analytics/providers?*", lambda route: route.fulfill(json={"providers": records})
    )

    page = open_lab(server)

    for name, words in {
        "conversations": r"1,?200 events behind the log",
        "analytics": "stands still, 3 behind the log: Unavailable: the disk is full",
        "slow": "not asked",
        "keyless": "cannot answer: the environment variable KEY is not set",
        "busy": "answered 6 of 8",
    }.items():
        line = panel(page).get_by_role("row", name=re.compile(f"^{name} "))
        expect(line).to_contain_text(re.compile(words))


def test_the_catalog_opens_by_keyboard_and_puts_a_name_into_the_active_cell(page: Page) -> None:
    page.get_by_role("menuitem", name="Helix Lab", exact=True).click()
    page.get_by_role("menuitem", name="New Helix Lab Notebook").click()
    cell = page.locator(".jp-Notebook .jp-CodeCell .cm-content").first
    expect(cell).to_be_visible()

    table = panel(page).get_by_text("message_metrics", exact=True)
    table.focus()
    page.keyboard.press("Enter")
    columns = panel(page).get_by_role("list", name="Columns of message_metrics")
    expect(columns.get_by_text("conversation_id", exact=True)).to_be_visible()
    expect(columns.get_by_text("BIGINT").first).to_be_visible()
    button = columns.get_by_role("button", name="Insert characters into the active cell")
    button.focus()
    page.keyboard.press("Enter")

    expect(cell).to_have_text("characters")


def test_a_name_without_a_cell_to_go_to_is_explained(page: Page) -> None:
    panel(page).get_by_role("button", name="Insert message_metrics").click()

    hint = page.get_by_role("alert").filter(has_text="Open a notebook and select a cell")
    expect(hint).to_be_visible()


def test_a_run_appears_by_itself_and_is_cancelled(page: Page, client: httpx.Client) -> None:
    expect(page.locator(STATUS)).to_contain_text("connected")

    run_id = start_debate(client, "Tabs or spaces?")
    expect(row(page, run_id)).to_contain_text("running")
    row(page, run_id).get_by_role("button", name=f"Cancel debate {run_id}").click()

    expect(row(page, run_id)).to_contain_text("cancelled")
    expect(panel(page).locator("[aria-live=polite]")).to_contain_text(f"{run_id}: cancelled")
    assert "cancelled" == client.get(f"v1/runs/{run_id}").json()["state"]


def test_the_newest_insights_are_shown_with_how_sure_they_are(
    client: httpx.Client, server: LiveServer, open_lab: OpenLab
) -> None:
    for number in range(8):
        path = f"v1/conversations/taught-{number}"
        said = [
            {"role": "user", "content": "How do I run Docker on Kubernetes? Please be concise."},
            {"role": "assistant", "content": "Use **kubectl**:\n- apply the manifest"},
            {"role": "user", "content": "And how can I scale Docker?"},
        ]
        body = {"conversation_id": f"taught-{number}", "user_id": "ann"}
        assert client.post("v1/conversations", json=body).is_success
        assert client.post(f"{path}/messages", json=said).is_success
        assert client.post(f"{path}/complete", json={}).is_success
    wait_for(lambda: client.get("v1/learning/insights").json()["insights"], "an insight")

    page = open_lab(server)

    told = client.get("v1/learning/insights?limit=5").json()["insights"]
    shown = panel(page).get_by_role("list", name="Insights").get_by_role("listitem")
    expect(shown.first).to_contain_text(told[0]["description"])
    expect(shown.first).to_contain_text(f"{told[0]['confidence']:.0%}".replace("%", ""))


def test_an_unfinished_run_is_in_the_panel_of_what_is_running(
    page: Page, client: httpx.Client
) -> None:
    run_id = start_debate(client, "Vim or Emacs?")
    page.locator('li.lm-TabBar-tab[data-id="jp-running-sessions"]').click()

    item = page.locator("#jp-running-sessions .jp-RunningSessions-item", has_text=run_id)
    expect(item).to_be_visible()
    item.hover()
    item.get_by_title("Cancel").click()

    expect(item).to_have_count(0)
    wait_for(
        lambda: client.get(f"v1/runs/{run_id}").json()["state"] == "cancelled", "the cancellation"
    )


def test_the_status_item_opens_the_panel_by_keyboard(page: Page) -> None:
    page.locator('li.lm-TabBar-tab[data-id="helix-lab-panel"]').click()
    expect(panel(page)).to_be_hidden()

    page.locator(f"{STATUS} [role=button]").focus()
    page.keyboard.press("Enter")

    expect(panel(page)).to_be_visible()


def test_dashboards_are_not_shown_where_the_server_offers_none(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab
) -> None:
    context.route("**/v1/dashboards*", lambda route: route.fulfill(status=404, json={}))
    page = open_lab(server)
    expect(page.locator(STATUS)).to_contain_text("connected")

    expect(panel(page).get_by_role("button", name="Dashboards Section")).to_have_count(0)
    expect(panel(page)).not_to_contain_text("Dashboards")


def test_a_dashboard_opens_in_a_tab_and_one_from_elsewhere_does_not(
    context: BrowserContext, server: LiveServer, open_lab: OpenLab
) -> None:
    rows = [
        {"name": name, "title": name, "summary": "Charts", "path": path, "how_to": how_to}
        for name, path, how_to in (
            ("Overview", "charts", None),
            ("Foreign", "https://elsewhere.test/", None),
            ("Absent", "none", "pip install it"),
        )
    ]
    context.route("**/v1/dashboards*", lambda route: route.fulfill(json={"dashboards": rows}))
    charts = re.compile(re.escape(f"{server.url}charts") + r"(\?theme=dark)?$")
    context.route(charts, lambda route: route.fulfill(body="the charts of this server"))
    page = open_lab(server)

    panel(page).get_by_role("button", name="Foreign").click()
    refusal = page.get_by_role("alert").filter(has_text="is not on this server")
    expect(refusal).to_be_visible()
    panel(page).get_by_role("button", name="Overview").click()

    expect(page.locator("iframe")).to_have_attribute("src", charts)
    expect(page.frame_locator("iframe").locator("body")).to_contain_text("the charts")
    expect(panel(page).get_by_role("button", name="Absent")).to_be_disabled()
    expect(panel(page)).to_contain_text("pip install it")


def test_a_server_that_hangs_counts_as_away_until_it_answers(
    page: Page, server: LiveServer
) -> None:
    expect(page.locator(STATUS)).to_contain_text("connected")

    server.process.send_signal(signal.SIGSTOP)
    try:
        panel(page).get_by_role("button", name="Check Again").click()
        expect(page.locator(STATUS)).to_contain_text("not reachable")
        expect(panel(page)).to_contain_text("no answer within 8 s")
    finally:
        server.process.send_signal(signal.SIGCONT)

    expect(page.locator(STATUS)).to_contain_text("connected")


def test_a_server_that_goes_away_and_comes_back_is_noticed(
    tmp_path: Path, open_lab: OpenLab
) -> None:
    port = str(free_port())
    with serve(tmp_path, HELIX_PORT=port) as live:
        page = open_lab(live)
        expect(page.locator(STATUS)).to_contain_text("connected")

        stop(live.process)
        panel(page).get_by_role("button", name="Check Again").dispatch_event("click")
        expect(page.locator(STATUS)).to_contain_text("not reachable")
        expect(panel(page)).to_contain_text("start it again")

        again = launch(tmp_path, HELIX_PORT=port)
        try:
            expect(page.locator(STATUS)).to_contain_text("connected")
            with live.client() as client:
                made = client.post("v1/debates", json={"topic": "Is it back?"}).json()
            expect(row(page, made["debate_id"])).to_contain_text("succeeded")
        finally:
            stop(again)


def test_a_request_with_a_cookie_alone_is_refused(server: LiveServer, browser: Browser) -> None:
    context: BrowserContext = browser.new_context()
    page = context.new_page()
    page.goto(f"{server.url}lab?token={TOKEN}")

    status = page.evaluate(
        """async url => (await fetch(url, {method: 'POST', body: '{"topic": "x"}'})).status""",
        f"{server.url}v1/debates",
    )
    context.close()

    assert 403 == status

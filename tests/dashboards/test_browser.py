"""The pages in a real browser: they open, follow the lab, and ask nobody else."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from helix_lab import Client
from tests.chromium import find_chromium
from tests.dashboards.conftest import take_samples
from tests.server.live import TOKEN, LiveServer

pytest.importorskip("panel", reason="needs the extra dashboards")
pytest.importorskip("jupyter_server_proxy", reason="needs the extra dashboards")
api = pytest.importorskip("playwright.sync_api", reason="needs playwright")

LIMIT_MS = 30_000
CHROMIUM = find_chromium()

pytestmark = [
    pytest.mark.ui,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
    # Playwright's own transport, closed by the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass
class Seen:
    """A page of a browser, and what it did that it should not."""

    page: api.Page  # type: ignore[name-defined] # imported only where it is installed
    url: str
    complaints: list[str] = field(default_factory=list)
    strange_requests: list[str] = field(default_factory=list)

    def open(self, name: str, query: str = "") -> None:
        self.page.goto(f"{self.url}helix-dash/{name}?token={TOKEN}{query}", timeout=LIMIT_MS)
        heading = self.page.get_by_role("heading", level=1, name=name.title())
        api.expect(heading).to_be_visible(timeout=LIMIT_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[api.Browser]:  # type: ignore[name-defined]
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def seen(browser: api.Browser, dashboards: LiveServer) -> Iterator[Seen]:  # type: ignore[name-defined]
    context = browser.new_context(viewport={"width": 390, "height": 844})
    seen = Seen(context.new_page(), dashboards.url)
    own = (dashboards.url, dashboards.url.replace("http:", "ws:"), "data:", "blob:")
    seen.page.on("console", lambda said: _note(seen.complaints, said.type, said.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith(own) else seen.strange_requests.append(asked.url)
        ),
    )
    yield seen
    context.close()
    assert ([], []) == (seen.complaints, seen.strange_requests)


def _note(complaints: list[str], kind: str, text: str) -> None:
    if kind in {"error", "warning"}:
        complaints.append(text)


def test_the_overview_shows_a_message_that_was_said_after_it_was_opened(
    seen: Seen, remote: Client
) -> None:
    remote.start_conversation(conversation_id="live", title="Before")
    seen.open("overview")
    title = "Said while the page was open"
    assert 0 == seen.page.get_by_text(title).count()

    remote.start_conversation(conversation_id="later", title=title)
    remote.append_messages("later", [{"role": "user", "content": "Hello"}])

    api.expect(seen.page.get_by_text(title)).to_be_visible(timeout=LIMIT_MS)


def test_the_providers_page_follows_its_window_and_gives_csv_and_png(
    seen: Seen, remote: Client
) -> None:
    take_samples(remote)
    seen.open("providers", "&theme=dark&window=1h")
    api.expect(seen.page.get_by_text("No provider answered in this window")).to_be_visible()

    seen.page.get_by_label("Window").select_option("all")
    api.expect(seen.page.get_by_role("cell", name="borealis-8")).to_be_visible(timeout=LIMIT_MS)

    with seen.page.expect_download() as table:
        seen.page.get_by_text("Save as CSV").click()
    with Path(table.value.path()).open(newline="", encoding="utf-8") as file:
        assert {"aurora", "borealis", "cirrus"} <= {row["provider"] for row in csv.DictReader(file)}
    with seen.page.expect_download() as picture:
        seen.page.get_by_role("button", name="Response time: save as PNG").click()
    assert picture.value.suggested_filename == "helix-lab-response-times.png"
    assert Path(picture.value.path()).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["overview", "providers", "context"])
def test_a_page_fits_on_a_phone_and_leads_to_the_others(seen: Seen, name: str) -> None:
    seen.open(name, "&theme=dark")

    assert 390 >= seen.page.evaluate("document.documentElement.scrollWidth")
    other = {"overview": "Providers", "providers": "Overview", "context": "Overview"}[name]
    seen.page.get_by_role("link", name=other).click()
    api.expect(seen.page.get_by_role("heading", level=1, name=other)).to_be_visible(
        timeout=LIMIT_MS
    )
    assert re.search(rf"/helix-dash/{other.lower()}\?theme=dark$", seen.page.url)

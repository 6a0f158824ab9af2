"""A real server with its dashboards, asked over HTTP and by websocket."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from tests.dashboards.conftest import BASE
from tests.server.live import TOKEN, WITH_DASHBOARDS, LiveServer, serve, stop, wait_for

pytest.importorskip("panel", reason="needs the extra dashboards")
pytest.importorskip("jupyter_server_proxy", reason="needs the extra dashboards")

# Tornado's client leaves a refused connection to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PAGES = pytest.mark.parametrize("name", ["overview", "providers", "context"])
FIRST_WITHIN_S, NEXT_WITHIN_S = 3.0, 1.0
"""The targets on a quiet machine; the tests allow for a busy one."""
SLOWER = 5


@pytest.fixture
def client(dashboards: LiveServer) -> Iterator[httpx.Client]:
    with dashboards.client() as client:
        yield client


def find_process(server: LiveServer) -> psutil.Process | None:
    """The process of the dashboards, if it runs."""
    children = psutil.Process(server.process.pid).children()
    return next((c for c in children if "helix_lab.doors.dashboards" in c.cmdline()), None)


@PAGES
def test_a_page_is_given_to_whoever_has_the_token(client: httpx.Client, name: str) -> None:
    page = client.get(f"helix-dash/{name}")

    assert 200 == page.status_code
    assert f"<title>{name.title()} · Helix Lab</title>" in page.text
    assert 'name="viewport"' in page.text


def test_a_page_that_was_asked_for_before_is_fast(client: httpx.Client) -> None:
    began_s = time.monotonic()

    client.get("helix-dash/providers").raise_for_status()

    assert NEXT_WITHIN_S * SLOWER > time.monotonic() - began_s


@PAGES
@pytest.mark.parametrize("headers", [{}, {"Authorization": "token wrong"}])
def test_nobody_sees_a_page_without_the_token(
    stranger: httpx.Client, name: str, headers: dict[str, str]
) -> None:
    answer = stranger.get(f"helix-dash/{name}", headers=headers)

    assert 302 == answer.status_code
    assert f"{BASE}login" in answer.headers["location"]


def test_scripts_of_the_pages_are_no_more_public_than_the_pages(stranger: httpx.Client) -> None:
    assert 302 == stranger.get("helix-dash/static/js/bokeh.min.js").status_code


def test_the_root_leads_to_the_first_page_and_keeps_the_theme(client: httpx.Client) -> None:
    answer = client.get("helix-dash/?theme=dark")

    assert f"{BASE}helix-dash/overview?theme=dark" == answer.headers["location"]


def test_a_page_names_no_other_host(client: httpx.Client) -> None:
    text = client.get("helix-dash/overview").text

    assert [] == re.findall(r"""(?:src|href)=["'](?:https?:)?//[^"']+""", text)


def test_the_theme_is_that_of_the_address(client: httpx.Client) -> None:
    assert "color-scheme: dark" in client.get("helix-dash/overview?theme=dark").text
    assert "color-scheme: dark" not in client.get("helix-dash/overview").text


def test_a_token_in_the_address_becomes_a_cookie_and_leaves_the_address(
    dashboards: LiveServer,
) -> None:
    with httpx.Client(base_url=dashboards.url, timeout=60) as browser:
        first = browser.get(f"helix-dash/overview?token={TOKEN}&theme=dark")
        page = browser.get(first.headers["location"].removeprefix(BASE))

    assert f"{BASE}helix-dash/overview?theme=dark" == first.headers["location"]
    assert 200 == page.status_code


def test_the_token_is_in_no_page_and_on_no_command_line(
    dashboards: LiveServer, client: httpx.Client
) -> None:
    process = find_process(dashboards)
    assert process is not None

    assert TOKEN not in " ".join(process.cmdline())
    assert (
        TOKEN
        not in {
            name: value for name, value in process.environ().items() if name != "JUPYTER_TOKEN"
        }.values()
    )
    page = client.get("helix-dash/overview", headers={"X-Mark": "seen"})
    assert [] == [word for word in decode_words(page.text) if TOKEN in word or "X-Mark" in word]


def decode_words(page: str) -> list[str]:
    """The page, and all that Bokeh packed into the session token of it."""
    from bokeh.util.token import get_token_payload

    tokens = re.findall(r'"token":"([^"]+)"', page)
    assert tokens
    return [page, *(str(get_token_payload(token)) for token in tokens)]


async def open_socket(server: LiveServer, token: str, **headers: str) -> bool:
    """Open the connection that keeps a page fresh, and tell whether the page answers on it."""
    url = server.url.replace("http://", "ws://") + "helix-dash/overview/ws"
    request = HTTPRequest(url, headers={"Authorization": f"token {TOKEN}", **headers})
    connection = await websocket_connect(request, subprotocols=["bokeh", token])
    is_open = await connection.read_message() is not None
    connection.close()
    while is_open and await connection.read_message() is not None:
        pass
    return is_open


def find_session(client: httpx.Client) -> str:
    found = re.search(r'"token":"([^"]+)"', client.get("helix-dash/overview").text)
    assert found is not None
    return found[1]


def test_a_websocket_of_the_same_origin_is_opened(
    dashboards: LiveServer, client: httpx.Client
) -> None:
    origin = dashboards.url.removesuffix(BASE)

    assert asyncio.run(open_socket(dashboards, find_session(client), Origin=origin))


@pytest.mark.parametrize("origin", ["https://evil.example", "http://127.0.0.1:1", "null"])
def test_a_websocket_of_another_origin_is_closed_even_with_the_token(
    dashboards: LiveServer, client: httpx.Client, origin: str
) -> None:
    try:
        opened = asyncio.run(open_socket(dashboards, find_session(client), Origin=origin))
    except HTTPClientError:
        opened = False

    assert not opened


def test_a_websocket_without_the_token_is_refused(
    dashboards: LiveServer, client: httpx.Client
) -> None:
    with pytest.raises(HTTPClientError) as refused:
        asyncio.run(open_socket(dashboards, find_session(client), Authorization="token wrong"))

    assert refused.value.code in {302, 403}


def test_dashboards_that_died_come_back(dashboards: LiveServer, client: httpx.Client) -> None:
    process = find_process(dashboards)
    assert process is not None
    process.kill()
    process.wait(10)

    # It waits in the queue of the socket until somebody answers.
    assert 200 == client.get("helix-dash/overview").status_code
    fresh = find_process(dashboards)
    assert fresh is not None
    assert process.pid != fresh.pid


def test_the_first_page_comes_soon_after_the_server_and_health_does_not_wait(
    tmp_path: Path,
) -> None:
    with serve(tmp_path, WITH_DASHBOARDS) as live, live.client() as client:
        began_s = time.monotonic()
        client.get("health").raise_for_status()
        healthy_after_s = time.monotonic() - began_s
        client.get("helix-dash/overview").raise_for_status()
        first_after_s = time.monotonic() - began_s
        process = find_process(live)
        assert process is not None
        live.process.kill()
        gone = wait_for(lambda: not process.is_running(), "the end of the dashboards")

    assert SLOWER > healthy_after_s
    assert FIRST_WITHIN_S * SLOWER > first_after_s
    assert gone


def test_a_server_that_stops_ends_its_dashboards_and_leaves_no_socket(tmp_path: Path) -> None:
    with serve(tmp_path, WITH_DASHBOARDS, TMPDIR=str(tmp_path)) as live:
        wait_for(lambda: find_process(live), "the dashboards")
        process = find_process(live)
        assert process is not None
        assert [] != list(tmp_path.glob("helix-dash-*"))
        stop(live.process)

    assert not process.is_running()
    assert [] == list(tmp_path.glob("helix-dash-*"))

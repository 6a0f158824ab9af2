from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import JupyterServerAuthWarning

from helix_lab.operations.operation import Operation
from helix_lab.operations.table import OPERATIONS
from tests.server.live import TOKEN, LiveServer, launch

LOCKED = [operation for operation in OPERATIONS if operation.scope != "public"]
GUARDED = [
    *((operation.method, operation.path) for operation in LOCKED),
    *(("HEAD", operation.path) for operation in LOCKED if operation.method == "GET"),
    ("GET", "/v1/openapi.json"),
    ("HEAD", "/v1/openapi.json"),
    ("GET", "/v1/runs/some/artifacts/report.html"),
    ("HEAD", "/v1/runs/some/artifacts/report.html"),
    *((method, "/v1/no/such/route") for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    ("PUT", "/v1/conversations"),
]
WRITING = [(method, path) for method, path in GUARDED if method not in {"GET", "HEAD"}]
PUBLIC = [operation for operation in OPERATIONS if operation.scope == "public"]


def fill(path: str) -> str:
    return path.lstrip("/").replace("{", "").replace("}", "")


@pytest.fixture(scope="module")
def a_client(server: LiveServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def stranger(a_client: httpx.Client) -> httpx.Client:
    """A client that nobody let in: a right token brings a cookie, which is forgotten here."""
    a_client.cookies.clear()
    return a_client


@pytest.fixture(scope="module")
def browser(server: LiveServer) -> Iterator[httpx.Client]:
    """A client that logged in on a page: it has cookies and no token."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        client.get("lab", params={"token": TOKEN}, follow_redirects=True).raise_for_status()
        assert any(name.startswith("username-") for name in client.cookies)
        yield client


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_comes_in_without_a_token(stranger: httpx.Client, method: str, path: str) -> None:
    answer = stranger.request(method, fill(path), headers={"Cookie": ""})

    assert 403 == answer.status_code
    if method != "HEAD":
        error = answer.json()["error"]
        assert "UNAUTHORIZED" == error["code"]
        assert "Authorization: token" in error["message"]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("value", ["token wrong", "Bearer wrong", f"Basic {TOKEN}", TOKEN])
def test_nobody_comes_in_with_a_wrong_token(
    stranger: httpx.Client, method: str, path: str, value: str
) -> None:
    answer = stranger.request(method, fill(path), headers={"Authorization": value})

    assert 403 == answer.status_code


@pytest.mark.parametrize(("method", "path"), WRITING)
def test_a_cookie_alone_writes_nothing(browser: httpx.Client, method: str, path: str) -> None:
    answer = browser.request(method, fill(path))

    assert 403 == answer.status_code
    assert "X-XSRFToken" in answer.json()["error"]["message"]


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("scheme", ["token", "Bearer"])
def test_the_right_token_comes_in(
    stranger: httpx.Client, method: str, path: str, scheme: str
) -> None:
    headers = {"Authorization": f"{scheme} {TOKEN}", "Cookie": ""}

    answer = stranger.request(method, fill(path), headers=headers)

    assert 403 != answer.status_code
    assert 500 > answer.status_code


@pytest.mark.parametrize("operation", PUBLIC, ids=lambda operation: operation.name)
def test_what_is_public_needs_no_token(stranger: httpx.Client, operation: Operation) -> None:
    answer = stranger.request(operation.method, fill(operation.path), headers={"Cookie": ""})

    assert 200 == answer.status_code


def test_a_cookie_with_its_xsrf_token_writes(browser: httpx.Client) -> None:
    xsrf = browser.cookies["_xsrf"]

    answer = browser.post("v1/conversations", json={}, headers={"X-XSRFToken": xsrf})

    assert 201 == answer.status_code


def test_a_page_of_another_site_reads_nothing_with_a_cookie(browser: httpx.Client) -> None:
    answer = browser.get("v1/info", headers={"Origin": "https://evil.example"})

    assert 404 == answer.status_code


def test_a_preflight_of_another_site_is_not_answered_with_a_permission(
    stranger: httpx.Client,
) -> None:
    answer = stranger.options(
        "v1/info",
        headers={
            "Origin": "https://evil.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization",
        },
    )

    assert "Access-Control-Allow-Origin" not in answer.headers


def test_another_host_name_is_refused(server: LiveServer) -> None:
    with server.client(Authorization=f"token {TOKEN}", Host="evil.example") as client:
        answer = client.get("v1/info")

    assert 403 == answer.status_code
    assert "localhost" in answer.json()["error"]["message"]


def test_an_upload_without_a_token_leaves_no_file(
    server: LiveServer, stranger: httpx.Client
) -> None:
    before = set((server.folder / "lab").glob("uploads/*"))

    answer = stranger.post("v1/imports", content=b"x" * 5_000_000, headers={"Cookie": ""})

    assert 403 == answer.status_code
    assert before == set((server.folder / "lab").glob("uploads/*"))


def test_the_token_is_nowhere_in_the_log_after_the_line_that_says_where_the_server_is(
    server: LiveServer, client: httpx.Client
) -> None:
    client.get("v1/conversations", params={"token": TOKEN, "limit": "0"})
    client.post("v1/conversations?token=" + TOKEN, content=b"{")
    client.get(f"v1/no/such/route?token={TOKEN}", headers={"Referer": f"http://x/?token={TOKEN}"})

    lines = server.read_log().splitlines(keepends=True)
    log = "".join(line for line in lines if not line.startswith("Helix Lab is at "))
    assert "/v1/no/such/route" in log
    assert TOKEN not in log


def test_the_token_is_not_in_the_log_of_an_error_that_nobody_caught(server: LiveServer) -> None:
    before = len(server.read_log())
    # This server has no dashboards running, so the proxy to them fails.
    answer = httpx.get(f"{server.url}helix-dash/overview", params={"token": TOKEN}, timeout=60)

    written = server.read_log()[before:]
    assert 500 == answer.status_code
    assert "Uncaught exception GET /helix-dash/overview?token=[secret]" in written
    assert TOKEN not in written


def test_no_server_starts_without_any_token(tmp_path: Path) -> None:
    process = launch(tmp_path, "--IdentityProvider.token=", HELIX_PORT="0")

    assert 1 == process.wait(timeout=60)
    assert "does not serve without a token" in (tmp_path / "server.log").read_text()


def load_strictly(folder: Path) -> None:
    """Load the extension as Jupyter does, and raise what it finds unguarded."""
    app = ServerApp(
        allow_unauthenticated_access=False,
        jpserver_extensions={"helix_lab_server": True},
        reraise_server_extension_failures=True,
        root_dir=str(folder),
        allow_root=True,
        open_browser=False,
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", JupyterServerAuthWarning)
            app.initialize(argv=[], find_extensions=False, new_httpserver=False)
    finally:
        app.io_loop.run_sync(app.cleanup_extensions)


def test_jupyter_finds_every_handler_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_DATA_DIR", str(tmp_path / "lab"))

    load_strictly(tmp_path)


def test_jupyter_would_find_a_handler_that_is_not_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELIX_DATA_DIR", str(tmp_path / "lab"))

    async def unguarded(handler: object, *path: str) -> None:
        """Answer anybody."""

    monkeypatch.setattr("helix_lab_server.handlers._make_verb", lambda operation: unguarded)

    with pytest.raises(JupyterServerAuthWarning, match="without @allow_unauthenticated"):
        load_strictly(tmp_path)

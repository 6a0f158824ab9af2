from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

from helix_lab.data_folder import DataFolder
from helix_lab_server.run_events import SCHEMA_ID

Fetch = Callable[..., Awaitable[HTTPResponse]]
LIMIT_S = 20.0


async def wait_until(is_done: Callable[[], Any]) -> None:
    deadline = asyncio.get_running_loop().time() + LIMIT_S
    while not is_done():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def refuse(fetch: Fetch, *parts: str, **options: Any) -> tuple[int, dict[str, Any]]:
    with pytest.raises(HTTPClientError) as refused:
        await fetch(*parts, **options)
    assert refused.value.response is not None
    return refused.value.code, json.loads(refused.value.response.body)["error"]


async def test_routes_lie_below_the_base_url(jp_fetch: Fetch, jp_base_url: str) -> None:
    health = await jp_fetch("health")
    started = await jp_fetch("v1", "conversations", method="POST", body="{}")
    document = json.loads((await jp_fetch("v1", "openapi.json")).body)

    assert "healthy" == json.loads(health.body)["status"]
    assert started.headers["Location"].startswith(f"{jp_base_url}v1/conversations/conv-")
    assert [{"url": jp_base_url.rstrip("/")}] == document["servers"]


async def test_health_and_runs_do_not_keep_an_idle_server_alive(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    settings = jp_serverapp.web_app.settings
    settings["api_last_activity"] = "long ago"

    await jp_fetch("health")
    await jp_fetch("v1", "runs")
    assert "long ago" == settings["api_last_activity"]

    await jp_fetch("v1", "info")
    assert "long ago" != settings["api_last_activity"]


async def test_every_change_of_a_run_is_an_event(jp_fetch: Fetch, jp_serverapp: ServerApp) -> None:
    seen: list[dict[str, Any]] = []
    threads: set[int] = set()

    async def listen(logger: Any, schema_id: str, data: dict[str, Any]) -> None:
        seen.append(data)
        threads.add(threading.get_ident())

    assert jp_serverapp.event_logger is not None
    jp_serverapp.event_logger.add_listener(schema_id=SCHEMA_ID, listener=listen)
    answer = await jp_fetch("v1", "debates", method="POST", body='{"topic": "A secret topic"}')
    debate_id = json.loads(answer.body)["debate_id"]
    await wait_until(lambda: seen and seen[-1]["state"] == "succeeded")

    assert {threading.get_ident()} == threads
    assert {debate_id} == {event["run_id"] for event in seen}
    assert ["queued", "running", "succeeded"] == list(dict.fromkeys(e["state"] for e in seen))
    assert {"run_id", "kind", "state", "progress"} == set().union(*seen)


async def test_the_server_counts_as_busy_while_a_run_goes_on(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    def is_busy() -> bool:
        return bool(jp_serverapp.extension_manager.any_activity())  # type: ignore[no-untyped-call]

    assert not is_busy()

    await jp_fetch("v1", "debates", method="POST", body='{"topic": "x", "rounds": 20}')

    await wait_until(lambda: not is_busy())


async def test_an_unexpected_error_is_logged_and_tells_nothing(
    jp_fetch: Fetch, jp_serverapp: ServerApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = next(iter(jp_serverapp.extension_manager.extension_apps["helix_lab_server"]))

    def fail(*args: Any, **options: Any) -> None:
        message = "password=hunter2"
        raise RuntimeError(message)

    app._holder.get().call = fail

    code, error = await refuse(jp_fetch, "v1", "info")

    assert (500, "INTERNAL_ERROR") == (code, error["code"])
    assert "hunter2" not in json.dumps(error)
    assert any(record.exc_info and "v1/info" in record.getMessage() for record in caplog.records)


async def test_stopping_the_extension_gives_the_data_folder_back(
    jp_fetch: Fetch, jp_serverapp: ServerApp, tmp_path: Path
) -> None:
    await jp_fetch("v1", "info")

    await jp_serverapp.cleanup_extensions()

    DataFolder(tmp_path / "lab").release()
    code, error = await refuse(jp_fetch, "v1", "info")
    assert (503, "SERVICE_UNAVAILABLE") == (code, error["code"])


class TestWithAFolderInUse:
    @pytest.fixture(autouse=True)
    def owned(self, tmp_path: Path) -> DataFolder:
        folder = DataFolder(tmp_path / "lab")
        folder.announce(url="http://127.0.0.1:1234/")
        return folder

    async def test_every_route_says_who_owns_it_until_it_is_free(
        self, owned: DataFolder, jp_fetch: Fetch
    ) -> None:
        for parts in (("health",), ("v1", "info"), ("v1", "runs")):
            code, error = await refuse(jp_fetch, *parts)
            assert (503, "DATA_FOLDER_IN_USE") == (code, error["code"])
            assert "http://127.0.0.1:1234/" == error["details"]["url"]
            assert isinstance(error["details"]["pid"], int)

        owned.release()
        for _ in range(100):
            try:
                await jp_fetch("v1", "info")
            except HTTPClientError:
                await asyncio.sleep(0.05)
            else:
                break
        else:
            pytest.fail("the lab was not opened although its folder is free")

    async def test_an_upload_is_refused_like_everything_else(self, jp_fetch: Fetch) -> None:
        code, error = await refuse(jp_fetch, "v1", "imports", method="POST", body="x" * 100)

        assert (503, "DATA_FOLDER_IN_USE") == (code, error["code"])

    async def test_jupyter_itself_works(self, jp_fetch: Fetch) -> None:
        assert 200 == (await jp_fetch("api", "status")).code


class TestWithoutAnyToken:
    @pytest.fixture
    def jp_server_config(self, jp_server_config: dict[str, Any]) -> dict[str, Any]:
        return jp_server_config | {"IdentityProvider": {"token": ""}}

    @pytest.fixture
    def jp_configurable_serverapp(
        self, jp_configurable_serverapp: Callable[..., ServerApp]
    ) -> Callable[..., ServerApp]:
        def make(*args: Any, **options: Any) -> ServerApp:
            app = jp_configurable_serverapp(*args, **options)
            app.identity_provider.token = ""
            return app

        return make

    async def test_helix_lab_answers_nobody(self, jp_fetch: Fetch) -> None:
        code, error = await refuse(jp_fetch, "v1", "info")

        assert (403, "UNAUTHORIZED") == (code, error["code"])
        assert "without a token" in error["message"]

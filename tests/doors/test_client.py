"""The client: the same answers and the same errors as in process, over a real server."""

from __future__ import annotations

import inspect
import logging
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from helix_lab import Client, Lab
from helix_lab.domain.model.errors import (
    BudgetTooSmall,
    HelixError,
    InvalidRequest,
    NotFound,
    QueryCancelled,
    QueryFailed,
    QueryRefused,
    QueryTimedOut,
    ServerUnreachable,
    Unauthorized,
    UnknownConversation,
    UnknownProvider,
    UnknownRun,
)
from helix_lab.operations.cancellation import CancelScope, cancel_scope
from helix_lab.operations.table import OPERATIONS
from tests.doors.conftest import ENDLESS_SQL, SAMPLES
from tests.server.live import TOKEN, LiveServer, free_port, wait_for

REFUSED: list[tuple[type[HelixError], Callable[[Any], object]]] = [
    (UnknownConversation, lambda lab: lab.replay("nobody")),
    (UnknownRun, lambda lab: lab.get_run("nothing")),
    (UnknownProvider, lambda lab: lab.start_debate("x", participants=[{"provider": "no"}] * 2)),
    (QueryFailed, lambda lab: lab.run_query("SELECT nothing")),
    (QueryRefused, lambda lab: lab.run_query("DROP TABLE message_metrics")),
    (QueryTimedOut, lambda lab: lab.run_query(ENDLESS_SQL, timeout_s=0.2)),
    (InvalidRequest, lambda lab: lab.rebuild_store("nothing")),
    (InvalidRequest, lambda lab: lab.list_runs(limit=0)),
    (InvalidRequest, lambda lab: lab.list_runs(state="asleep")),
    (InvalidRequest, lambda lab: lab.list_runs(cursor="made up")),
    (InvalidRequest, lambda lab: lab.get_run()),
    (InvalidRequest, lambda lab: lab.get_run("x", colour="red")),
    (InvalidRequest, lambda lab: lab.start_import("no-such-file.jsonl")),
]


def catch(call: Callable[[], object]) -> HelixError:
    with pytest.raises(HelixError) as caught:
        call()
    return caught.value


def test_client_and_lab_have_the_same_methods_with_the_same_signatures() -> None:
    names = [operation.name for operation in OPERATIONS]

    assert [inspect.signature(getattr(Lab, name)) for name in names] == [
        inspect.signature(getattr(Client, name)) for name in names
    ]


def test_what_is_recorded_by_the_client_is_replayed_in_order(client: Client) -> None:
    talk = client.start_conversation(title="A title with ünïcode / and ?")
    said = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two\n\n三"}]

    client.append_messages(talk.conversation_id, said)

    messages = client.replay(talk.conversation_id).messages
    assert said == [{"role": m.role, "content": m.content} for m in messages]


@pytest.mark.parametrize("conversation_id", ["a/b ?&#%2F+ü", ".", "..", "a..b", "%2E"])
def test_an_id_of_strange_signs_stays_one_id(client: Client, conversation_id: str) -> None:
    client.start_conversation(conversation_id=conversation_id)

    assert client.get_conversation(conversation_id).conversation_id == conversation_id


@pytest.mark.parametrize(("error_class", "call"), REFUSED)
def test_an_error_is_the_same_over_http_as_in_process(
    lab: Lab,
    client: Client,
    error_class: type[HelixError],
    call: Callable[[Any], object],
) -> None:
    here, there = catch(lambda: call(lab)), catch(lambda: call(client))

    assert error_class is type(here)
    assert (type(here), here.code) == (type(there), there.code)
    assert here.message == there.message
    assert here.details.get("field") == there.details.get("field")


def test_details_of_an_error_come_over_http(client: Client) -> None:
    talk = client.start_conversation()
    client.append_messages(talk.conversation_id, [{"role": "user", "content": "word " * 50}])

    error = catch(lambda: client.replay(talk.conversation_id, max_tokens=1))

    assert isinstance(error, BudgetTooSmall)
    assert error.details["needed_tokens"] > 1


def test_a_debate_is_started_awaited_and_stopped(client: Client) -> None:
    debate = client.start_debate("Tea or coffee?", wait_s=30)

    assert "succeeded" == debate.status
    assert "CONFLICT" == catch(lambda: client.cancel_debate(debate.debate_id)).code


def test_a_file_is_uploaded_and_taken_in(client: Client) -> None:
    run = client.start_import(str(SAMPLES / "debates.jsonl"), wait_s=30)

    assert ("succeeded", 6, 0) == (run.state, run.result["items"], run.result["refused_count"])


def test_an_upload_is_streamed_and_never_held_in_memory(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "large.jsonl"
    with path.open("wb") as file:
        file.truncate(64 << 20)

    tracemalloc.start()
    run = client.start_import(str(path), wait_s=30)
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert "failed" == run.state
    assert peak_bytes < 8 << 20


def test_a_query_binds_its_parameters(client: Client) -> None:
    answer = client.run_query("SELECT $a + 1 AS b, $c AS d", parameters={"a": 1, "c": "'; --"})

    assert [[2, "'; --"]] == answer.rows


def test_nothing_answers_where_no_server_is() -> None:
    url = f"http://127.0.0.1:{free_port()}/"

    error = catch(Client(url, TOKEN).get_health)

    assert isinstance(error, ServerUnreachable)
    assert url in error.message
    assert "helix-lab serve" in error.message


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_missing_or_wrong_token_is_told_as_such(server: LiveServer, token: str | None) -> None:
    with Client(server.url, token) as stranger:
        error = catch(stranger.get_info)

    assert isinstance(error, Unauthorized)


def test_an_address_without_its_prefix_is_told_as_such(server: LiveServer) -> None:
    with Client(server.url.replace("/user/ana/", "/elsewhere/"), TOKEN) as lost:
        error = catch(lost.get_info)

    assert isinstance(error, NotFound | Unauthorized)


@pytest.mark.parametrize("url", ["", "127.0.0.1:7061", "ftp://x/", "file:///etc/passwd", "http://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest, match=r"http://127\.0\.0\.1:7061"):
        Client(url)


def test_the_address_that_jupyter_prints_holds_prefix_and_token(server: LiveServer) -> None:
    with Client(f"{server.url}lab?token={TOKEN}") as client:
        assert client.get_info().name == "helix-lab"
        assert server.url == client.url


def test_the_token_is_in_no_text(server: LiveServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = server.url.replace("http://", f"http://user:{TOKEN}@")

    with Client(f"{url}?token={TOKEN}") as client:
        client.get_info()
        error = catch(lambda: client.get_run("nothing"))
        shown = [repr(client), str(client), repr(vars(client)), str(error), repr(error.details)]
    shown += [catch(Client(f"http://127.0.0.1:{free_port()}/", TOKEN).get_info).message]

    assert [] == [text for text in [*shown, caplog.text] if TOKEN in text]


def test_stopping_a_query_stops_it_on_the_server_too(server: LiveServer, client: Client) -> None:
    scope, errors = CancelScope(), []
    engine = psutil.Process(server.process.pid)

    def ask() -> None:
        with cancel_scope(scope):
            errors.append(catch(lambda: client.run_query(ENDLESS_SQL, timeout_s=120)))

    worker = threading.Thread(target=ask)
    used_s = engine.cpu_times().user
    worker.start()
    wait_for(lambda: engine.cpu_times().user > used_s + 0.5, "the query", limit_s=60)
    scope.cancel()
    wait_for(lambda: engine.cpu_percent(interval=0.5) < 10, "the stop", limit_s=60)
    worker.join(10)

    assert [QueryCancelled] == [type(error) for error in errors]
    assert [[1]] == client.run_query("SELECT 1").rows


def test_stopping_before_the_connection_stands_stops_as_well(client: Client) -> None:
    scope = CancelScope()
    scope.cancel()

    with cancel_scope(scope):
        error = catch(lambda: client.run_query(ENDLESS_SQL, timeout_s=120))

    assert isinstance(error, QueryCancelled)


@contextmanager
def impostor(answer: bytes) -> Iterator[str]:
    """A server of something else: it gives the same answer to everybody."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)


@pytest.mark.parametrize(
    ("answer", "error_class"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", HelixError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", HelixError),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nhi", NotFound),
        (b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n", Unauthorized),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", ServerUnreachable),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", HelixError),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n{", ServerUnreachable),
        (b"this is no HTTP\r\n\r\n", ServerUnreachable),
        (b"", ServerUnreachable),
    ],
)
def test_an_answer_of_something_else_is_an_error_of_ours(
    answer: bytes, error_class: type[HelixError]
) -> None:
    with impostor(answer) as url, Client(url, TOKEN) as client:
        error = catch(client.get_info)

    assert error_class is type(error)


def test_a_server_that_says_nothing_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        with Client(url, TOKEN, timeout_s=0.2) as client:
            error = catch(client.get_info)

    assert isinstance(error, ServerUnreachable)
    assert "0.2 s" in error.message


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)

    with Client(server.url, TOKEN) as client:
        assert client.get_health().status == "healthy"

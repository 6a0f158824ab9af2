from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx
import pytest

from helix_lab_server.uploads import remove_orphans
from tests.server.live import LiveServer, wait_for


def make_lines(count: int) -> bytes:
    conversation_id = f"conv-{secrets.token_hex(8)}"
    rows = [
        {"conversation_id": conversation_id, "role": "user", "content": f"message {number}"}
        for number in range(count)
    ]
    return "\n".join(json.dumps(row) for row in rows).encode()


def import_file(client: httpx.Client, **sent: Any) -> dict[str, Any]:
    answer = client.post("v1/imports", params={"format": "messages_jsonl", "wait_s": "60"}, **sent)
    assert answer.is_success, answer.text
    run: dict[str, Any] = answer.json()
    return run


def list_uploads(server: LiveServer) -> list[Path]:
    return list((server.folder / "lab" / "uploads").glob("*"))


def test_a_raw_body_is_imported(client: httpx.Client, server: LiveServer) -> None:
    run = import_file(client, content=make_lines(3))

    assert "succeeded" == run["state"], run
    assert [] == list_uploads(server)


def test_a_form_is_imported_like_the_raw_body(client: httpx.Client) -> None:
    lines = make_lines(3)
    raw = import_file(client, content=lines)

    form = import_file(client, files={"file": ("export.jsonl", lines)})

    assert "succeeded" == form["state"]
    assert raw["result"]["events"] == form["result"]["events"]
    assert 0 == form["result"]["new_events"]


def test_an_upload_in_small_pieces_arrives_whole(client: httpx.Client) -> None:
    lines = make_lines(50)
    boundary = b"helix-boundary"
    body = (
        b"--" + boundary + b'\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
        + lines + b"\r\n--" + boundary + b"--\r\n"
    )  # fmt: skip

    run = import_file(
        client,
        content=(body[start : start + 7] for start in range(0, len(body), 7)),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary.decode()}"},
    )

    assert "succeeded" == run["state"]
    assert 50 == run["result"]["events"] - 1


@pytest.mark.parametrize(
    ("content_type", "body", "problem"),
    [
        ("application/octet-stream", b"", "empty"),
        ("multipart/form-data", b"x", "boundary"),
        ("multipart/form-data; boundary=b", b"--b--\r\n", "no part 'file'"),
        ("multipart/form-data; boundary=b", b"no form at all", "cannot be read"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
            "'other'",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nbroken off',
            "cannot be read",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\nx\r\n' * 2 + b"--b--\r\n",
            "cannot be read",
        ),
    ],
)
def test_a_body_without_one_file_is_refused_and_leaves_nothing(
    client: httpx.Client, server: LiveServer, content_type: str, body: bytes, problem: str
) -> None:
    answer = client.post("v1/imports", content=body, headers={"Content-Type": content_type})

    error = answer.json()["error"]
    assert (400, "INVALID_REQUEST") == (answer.status_code, error["code"])
    assert problem in error["message"]
    wait_for(lambda: not list_uploads(server), "the removal of the upload")


@pytest.mark.parametrize("name", ["path", "is_upload"])
def test_a_client_cannot_name_a_file_of_the_server(client: httpx.Client, name: str) -> None:
    answer = client.post("v1/imports", params={name: "/etc/passwd"}, content=make_lines(1))

    assert (400, name) == (answer.status_code, answer.json()["error"]["details"]["field"])


def test_a_refused_request_leaves_no_file(client: httpx.Client, server: LiveServer) -> None:
    answer = client.post("v1/imports", params={"format": "nonsense"}, content=make_lines(1))

    assert 400 == answer.status_code
    wait_for(lambda: not list_uploads(server), "the removal of the upload")


def test_an_upload_that_breaks_off_leaves_no_file(client: httpx.Client, server: LiveServer) -> None:
    def break_off() -> Any:
        yield b"x" * 3_000_000
        wait_for(lambda: list_uploads(server), "the begin of the upload")
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        client.post("v1/imports", content=break_off())

    wait_for(lambda: not list_uploads(server), "the removal of the upload")


def test_a_large_upload_is_not_held_in_memory(client: httpx.Client, server: LiveServer) -> None:
    size = 300 * 2**20
    # One line that is no JSON object: the import refuses it without looking at the rest.
    piece = b"x" * 2**20

    def read_peak_bytes() -> int:
        status = Path(f"/proc/{server.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    client.post("v1/imports", params={"format": "nonsense"}, content=b"x")
    before = read_peak_bytes()

    client.post(
        "v1/imports", params={"format": "nonsense"}, content=(piece for _ in range(size // 2**20))
    )

    assert size / 2 > read_peak_bytes() - before


def test_files_that_a_crash_left_behind_are_removed_but_those_that_jobs_read(
    tmp_path: Path,
) -> None:
    kept, left = tmp_path / "upload-kept", tmp_path / "upload-left"
    for path in (kept, left):
        path.touch()

    remove_orphans(tmp_path, kept={str(kept)})

    assert [kept] == list(tmp_path.iterdir())

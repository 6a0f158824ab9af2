from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.importers import packed
from helix_lab.record.importers.reader import detect_format, read_items
from tests.importers.reading import (
    ALL,
    CHATGPT,
    CLAUDE,
    MESSAGES,
    drafts_of,
    load,
    messages_of,
    names,
    read,
    read_good,
    said,
    write_json,
    write_lines,
    write_zip,
)


@pytest.fixture
def big_export(tmp_path: Path) -> Path:
    """A zip of 400 conversations whose directory is at its end."""
    conversation = load(CHATGPT)[0]
    many = [
        {**conversation, "title": os.urandom(40).hex(), "conversation_id": f"c-{number}"}
        for number in range(400)
    ]
    content = write_json(tmp_path / "many.json", many).read_bytes()
    return write_zip(tmp_path / "export.zip", {"conversations.json": content})


def test_a_zip_gives_what_the_plain_file_gives(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "export.zip", {"conversations.json": CHATGPT.read_bytes()})

    assert drafts_of(read_good(path)) == drafts_of(read_good(CHATGPT))


def test_a_zip_is_known_by_its_content_not_by_its_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "upload.bin", {"conversations.json": CLAUDE.read_bytes()})

    assert detect_format(path) == "claude"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_may_be_stored_or_deflated(tmp_path: Path, compression: int) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("conversations.json", CHATGPT.read_bytes())

    assert len(read_good(path)) == 3


def test_all_shards_of_an_export_are_read_and_other_files_are_not(tmp_path: Path) -> None:
    first, second, third = load(CHATGPT)
    shards = [write_json(tmp_path / "a", [first, second]), write_json(tmp_path / "b", [third])]
    path = write_zip(
        tmp_path / "export.zip",
        {
            "export/user.json": b'{"id": "user-1", "email": "anna@example.org"}',
            "export/message_feedback.json": b"[]",
            "export/shared_conversations.json": b'[{"id": "s", "title": "shared"}]',
            "export/chat.html": b"<html></html>",
            "__MACOSX/export/._conversations-000.json": b"\x00\x05\x16\x07",
            "export/conversations-000.json": shards[0].read_bytes(),
            "export/conversations-001.json": shards[1].read_bytes(),
        },
    )

    items = read_good(path)

    expected = [
        "conversations-000.json[0]",
        "conversations-000.json[1]",
        "conversations-001.json[0]",
    ]
    assert [name.split(" ")[0] for name in names(items)] == expected
    assert drafts_of(items) == drafts_of(read_good(CHATGPT))


def test_a_shard_that_is_no_export_is_refused_alone(tmp_path: Path) -> None:
    members = {"conversations-000.json": CHATGPT.read_bytes(), "conversations-001.json": b"oops"}

    items, refusals = read(write_zip(tmp_path / "export.zip", members))

    assert len(items) == 3
    assert names(refusals) == ["conversations-001.json"]
    assert "oops" in refusals[0].reason


@pytest.mark.parametrize("sample", ALL.values(), ids=ALL)
def test_every_format_may_be_gzipped(tmp_path: Path, sample: Path) -> None:
    path = tmp_path / "upload"
    path.write_bytes(gzip.compress(sample.read_bytes()))

    assert drafts_of(read_good(path)) == drafts_of(read_good(sample))


def test_gzip_files_joined_by_cat_are_read_to_the_end(tmp_path: Path) -> None:
    lines = MESSAGES.read_bytes().splitlines(keepends=True)
    path = tmp_path / "joined.jsonl.gz"
    path.write_bytes(gzip.compress(b"".join(lines[:3])) + gzip.compress(b"".join(lines[3:])))

    assert messages_of(read_good(path)) == messages_of(read_good(MESSAGES))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_zip_that_is_cut_off_gives_what_is_left(big_export: Path, share: float) -> None:
    raw = big_export.read_bytes()
    big_export.write_bytes(raw[: int(len(raw) * share)])

    items, refusals = read(big_export)

    assert len(items) >= int(400 * share) - 15
    assert refusals[0].name == "export.zip"
    assert "cut off" in refusals[0].reason
    assert "cut off" in refusals[-1].reason


def test_a_zip_without_its_directory_is_complete_all_the_same(tmp_path: Path) -> None:
    raw = CHATGPT.read_bytes()
    path = write_zip(
        tmp_path / "export.zip", {"user.json": b'{"id": 1}', "conversations.json": raw}
    )
    packed_raw = path.read_bytes()
    path.write_bytes(packed_raw[: packed_raw.index(b"PK\x01\x02")])

    items, refusals = read(path)

    assert len(items) == 3
    assert names(refusals) == ["export.zip"]


def test_a_streamed_zip_without_its_directory_is_walked_by_its_data(tmp_path: Path) -> None:
    # Sizes come behind the data where the writer could not seek.
    path = tmp_path / "export.zip"
    with path.open("wb") as file, zipfile.ZipFile(_Unseekable(file), "w", 8) as archive:  # type: ignore[call-overload]
        archive.writestr("user.json", b'{"id": 1}' * 100)
        archive.writestr("conversations.json", CHATGPT.read_bytes())
    raw = path.read_bytes()
    path.write_bytes(raw[: raw.index(b"PK\x01\x02")])

    items, _ = read(path)

    assert len(items) == 3


class _Unseekable:
    def __init__(self, file: object) -> None:
        self.write: Callable[[bytes], int] = file.write  # type: ignore[attr-defined]
        self.flush: Callable[[], None] = file.flush  # type: ignore[attr-defined]


def test_a_flipped_byte_in_a_zip_costs_what_follows_it_only(big_export: Path) -> None:
    raw = bytearray(big_export.read_bytes())
    middle = len(raw) // 2
    raw[middle : middle + 8] = b"\xff" * 8
    big_export.write_bytes(raw)

    items, refusals = read(big_export)

    assert 180 <= len(items) < 400
    assert refusals
    assert {item.drafts[0].key for item in items} <= {f"c-{number}" for number in range(400)}


def test_a_wrong_checksum_is_told(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("conversations.json", CHATGPT.read_bytes())
    path.write_bytes(path.read_bytes().replace(b"Why?", b"Who?", 1))

    items, refusals = read(path)

    assert len(items) == 3
    assert "checksum" in refusals[0].reason


def test_a_gzip_file_that_is_cut_off_gives_the_lines_before(tmp_path: Path) -> None:
    lines = [said("user", os.urandom(60).hex(), message_id=str(n)) for n in range(500)]
    plain = write_lines(tmp_path / "m.jsonl", lines).read_bytes()
    path = tmp_path / "m.jsonl.gz"
    raw = gzip.compress(plain)
    path.write_bytes(raw[: len(raw) // 2])

    items, refusals = read(path)

    assert 220 <= len(messages_of(items)) <= 260
    assert len(refusals) == 1
    assert "cut off" in refusals[0].reason


def test_names_that_lead_out_of_the_folder_write_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "inner"
    folder.mkdir()
    members = {"../../conversations.json": CHATGPT.read_bytes(), "/tmp/../x.json": b"{}"}
    path = write_zip(folder / "export.zip", members)

    items = read_good(path)

    assert len(items) == 3
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["export.zip", "inner"]


def test_a_member_that_expands_without_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "_FREE_EXPANSION_BYTES", 1 << 20)
    conversation = CHATGPT.read_bytes().rstrip()[:-1]
    bomb = conversation + b', {"title": "' + b"x" * (60 << 20) + b'"}]'
    path = write_zip(tmp_path / "export.zip", {"conversations.json": bomb})

    items, refusals = read(path)

    assert len(items) == 3
    assert "expands more than 300 times" in refusals[-1].reason


def test_an_encrypted_member_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "export.zip", {"conversations.json": CHATGPT.read_bytes()})
    raw = bytearray(path.read_bytes())
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)

    with pytest.raises(InvalidRequest, match="encrypted; unpack it"):
        detect_format(path)


def test_an_unknown_compression_is_named(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("conversations.json", CHATGPT.read_bytes())

    with pytest.raises(InvalidRequest, match="compression method 12"):
        detect_format(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        ("[]".encode("utf-16"), "UTF-16"),
        ('{"mapping": {}}'.encode("utf-16-le"), "UTF-16"),
        (b"id,role\n1,user\n", "no JSON"),
        (b"%PDF-1.7 ...", "no JSON"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "no JSON"),
        (b"[]", "no JSON object"),
        (b"{}", "mapping"),
        (b'{"hello": 1}', "hello"),
        (b"PK\x05\x06" + bytes(18), "no JSON file"),
        (b"PK\x03\x04oops", "no JSON file"),
        (b"\x1f\x8b\x08oops", "compressed data"),
    ],
    ids=repr,
)
def test_what_cannot_be_read_is_refused_with_what_was_seen_and_what_is_known(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)

    with pytest.raises(InvalidRequest, match=reason) as refused:
        detect_format(path)

    assert "ChatGPT" in refused.value.message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="no file"):
        read_items(tmp_path / "absent.zip")
    with pytest.raises(InvalidRequest, match="no file"):
        detect_format(tmp_path)


def test_progress_grows_to_the_size_of_the_file(big_export: Path) -> None:
    steps: list[tuple[int, int]] = []

    list(read_items(big_export, on_progress=lambda *step: steps.append(step)))

    size = big_export.stat().st_size
    assert steps == sorted(steps)
    assert steps[-1] == (size, size)
    assert {total for _, total in steps} == {size}


def test_the_listener_of_the_progress_can_stop_the_reading() -> None:
    class Stopped(Exception):
        pass

    def stop(read_bytes: int, total_bytes: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        list(read_items(MESSAGES, on_progress=stop))

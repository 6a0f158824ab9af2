from __future__ import annotations

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.record.importers import values
from helix_lab.record.importers.items import Refusal
from helix_lab.record.importers.values import split_values

THINGS = [
    {"title": f"t{number}", "mapping": {"x": {"title": "in", "s": 'said "{[" \\'}}}
    for number in range(6)
]
COMPACT = json.dumps(THINGS).encode()
DEEP = b'{"title":' * 100_000 + b"1" + b"}" * 100_000


class _Slow(io.RawIOBase):
    """A stream that gives few bytes at a time."""

    def __init__(self, raw: bytes, step: int) -> None:
        self._raw = io.BytesIO(raw)
        self._step = step

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._raw.read(min(self._step, len(buffer)))
        buffer[: len(data)] = data
        return len(data)


def split(raw: bytes, *, step: int = 1 << 20) -> tuple[list[str], list[Refusal]]:
    """Titles of the objects that were found, and the refusals."""
    stream = io.BufferedReader(_Slow(raw, step), 64)
    found = list(split_values(stream, "f[{}]", lambda value: "mapping" in value))
    titles = [json.loads(one[1]).get("title", "") for one in found if not isinstance(one, Refusal)]
    return titles, [one for one in found if isinstance(one, Refusal)]


@pytest.mark.parametrize(
    "raw",
    [
        COMPACT,
        json.dumps(THINGS, indent=2).encode(),
        json.dumps(THINGS, separators=(",", ":")).encode(),
        b"\xef\xbb\xbf" + COMPACT,
        b"\n".join(json.dumps(thing, indent=1).encode() for thing in THINGS),
        b"".join(json.dumps(thing).encode() for thing in THINGS),
        b"[]" + COMPACT + b"\n\n",
    ],
)
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_objects_are_split_however_they_are_laid_out(raw: bytes, step: int) -> None:
    assert split(raw, step=step) == ([f"t{number}" for number in range(6)], [])


@pytest.mark.parametrize(
    ("damaged", "lost"),
    [
        (COMPACT.replace(b'"t2"', b'"t2', 1), {"t2"}),
        (COMPACT.replace(b'"t2",', b'"t2"', 1), {"t2"}),
        (COMPACT.replace(b'"t2",', b'"t2"}},', 1), {"t2"}),
        (COMPACT.replace(b'"t2",', b'"t2"]}],', 1), {"t2"}),
        (COMPACT.replace(b'"t2",', b'"t2", {[[', 1), {"t2"}),
        (COMPACT.replace(b"t2", b"\xff\xfe", 1), {"t2"}),
        (COMPACT.replace(b"t2", b"\\ud83d", 1), {"t2"}),
        (COMPACT.replace(b"t2", b"a\x00b", 1), {"t2"}),
        (COMPACT.replace(b'"t2"', b"NaN", 1), {"t2"}),
        (COMPACT.replace(b"t5", b"\\q", 1), {"t5"}),
        (COMPACT.replace(b"t0", b"\\q", 1), {"t0"}),
        (COMPACT.replace(b"[{", b"[null, 17, {", 1), set()),
        (COMPACT.replace(b"[{", b'["a {", [1, "b"], {', 1), set()),
        (b"[" + DEEP + b"," + COMPACT[1:], set()),
    ],
)
@pytest.mark.parametrize("step", [7, 1 << 20])
def test_a_damage_costs_only_the_object_that_holds_it(
    damaged: bytes, lost: set[str], step: int
) -> None:
    titles, refusals = split(damaged, step=step if len(damaged) < 10_000 else 1 << 20)

    assert {f"t{number}" for number in range(6)} - set(titles) <= lost
    assert refusals


@pytest.mark.parametrize("end", range(0, len(COMPACT), 11))
def test_a_list_that_is_cut_off_gives_what_is_whole_and_says_where_it_stopped(end: int) -> None:
    titles, refusals = split(COMPACT[:end])

    whole = COMPACT[:end].count(b'"}}}')
    assert titles == [f"t{number}" for number in range(whole)]
    assert len(refusals) == (1 if end else 0)
    if end:
        assert refusals[0].name == f"f[{len(titles)}]"
        assert "cut off" in refusals[0].reason


def test_an_object_over_the_limit_is_skipped_without_being_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(values, "MAX_RECORD_BYTES", 1 << 20)
    huge = b'{"title": "' + b"x" * (8 << 20) + b'", "mapping": {}}'

    titles, refusals = split(b"[" + huge + b", " + COMPACT[1:])

    assert titles == [f"t{number}" for number in range(6)]
    assert len(refusals) == 1
    assert "longer than 1 MiB" in refusals[0].reason


def test_objects_inside_a_damaged_one_are_not_taken_for_items() -> None:
    nested = [{"title": "in", "n": number} for number in range(50)]
    things = [
        {"title": "a", "mapping": nested},
        {"title": "b", "mapping": nested},
        {"title": "c", "mapping": nested},
    ]
    raw = json.dumps(things).encode().replace(b'"b", ', b'"b", oops', 1)

    titles, refusals = split(raw)

    assert titles == ["a", "c"]
    assert len(refusals) == 1


@given(
    st.lists(
        st.dictionaries(
            st.text(),
            st.recursive(
                st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
                lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
                max_leaves=4,
            ),
            max_size=4,
        ),
        max_size=6,
    ),
    st.integers(1, 40),
    st.booleans(),
)
def test_any_list_of_objects_comes_back(things: list[Any], step: int, plain: bool) -> None:
    raw = json.dumps(things, ensure_ascii=plain).encode("utf-8", "replace")
    stream = io.BufferedReader(_Slow(raw, step), 16)

    found = list(split_values(stream, "f[{}]", lambda _: True))

    assert [json.loads(one[1]) for one in found if not isinstance(one, Refusal)] == json.loads(raw)
    assert [one[0] for one in found if not isinstance(one, Refusal)] == list(range(len(things)))


@given(st.binary(max_size=400))
def test_no_bytes_make_the_splitting_fail(raw: bytes) -> None:
    stream = io.BufferedReader(io.BytesIO(raw))

    for one in split_values(stream, "f[{}]", lambda _: True):
        if not isinstance(one, Refusal):
            assert isinstance(json.loads(one[1]), dict)


@given(st.integers(1, len(COMPACT) - 1), st.binary(min_size=1, max_size=3))
def test_a_few_wrong_bytes_cost_two_objects_at_most(at: int, wrong: bytes) -> None:
    raw = COMPACT[:at] + wrong + COMPACT[at + len(wrong) :]

    titles, refusals = split(raw)

    assert len({f"t{number}" for number in range(6)} & set(titles)) >= 4
    assert len(refusals) <= 8

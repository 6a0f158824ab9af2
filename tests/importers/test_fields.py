from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.domain.model.errors import InvalidRequest
from helix_lab.record.drafts import add_message
from helix_lab.record.importers.fields import (
    check_content,
    is_usable_id,
    read_id,
    read_time,
    read_word,
)
from helix_lab.record.importers.tally import Tally
from helix_lab.record.schemas import check_draft

NOON = datetime(2024, 5, 1, 12, 0, 0, 250000, tzinfo=UTC)


@pytest.mark.parametrize(
    "stated",
    [
        "2024-05-01T12:00:00.250Z",
        "2024-05-01T14:00:00.250+02:00",
        "2024-05-01 06:30:00.250000-0530",
        "2024-05-01T12:00:00.250",
        1714564800.25,
        1714564800250,
        1714564800250000,
        1714564800250000000,
    ],
)
def test_one_moment_can_be_stated_in_many_ways(stated: Any) -> None:
    assert read_time(stated, "created_at") == NOON


@pytest.mark.parametrize(
    "stated",
    [
        "",
        "yesterday",
        "2024-13-01T00:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
        float("nan"),
        float("inf"),
        1e300,
        10**400,
        True,
        {"seconds": 5},
    ],
)
def test_what_is_no_time_is_refused_with_its_field(stated: Any) -> None:
    with pytest.raises(InvalidRequest, match="created_at") as refused:
        read_time(stated, "created_at")

    assert refused.value.details["field"] == "created_at"


@given(st.timedeltas(timedelta(days=60), timedelta(days=1_000_000)))
def test_seconds_since_1970_are_exact_to_a_few_microseconds(passed: timedelta) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + passed

    read = read_time(moment.timestamp(), "created_at")

    assert read is not None
    assert abs(read - moment) < timedelta(microseconds=50)


@given(st.text())
def test_an_id_is_kept_where_it_fits_and_derived_where_it_does_not(text: str) -> None:
    found = read_id(text, "id")

    if not text:
        assert found is None
        return
    assert found is not None
    assert (found == text) == is_usable_id(text)
    check_draft(add_message(found, found, role="user", content=""))


@pytest.mark.parametrize(
    "text", ["a\nb", "tab\t", "x" * 201, "\x7f", "a\x00"], ids=lambda text: repr(text[:4])
)
def test_an_id_that_does_not_fit_gives_the_same_derived_id_each_time(text: str) -> None:
    first, again = read_id(text, "id"), read_id(text, "id")

    assert first == again
    assert first != text


@pytest.mark.parametrize("value", [1.5, True, ["a"], {"id": 1}])
def test_what_is_no_id_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="no id"):
        read_id(value, "id")


@given(st.text(max_size=300), st.text(max_size=300))
def test_checked_texts_always_fit_the_schema(name: str, content: str) -> None:
    try:
        word, text = read_word(name, "name"), check_content(content)
    except InvalidRequest:
        assert len(name) > 200 or "\0" in name + content
    else:
        check_draft(add_message("c", "m", role="user", content=text, name=word))


def test_content_over_the_limit_is_refused() -> None:
    check_content("x" * 8_388_608)

    with pytest.raises(InvalidRequest, match="8388608"):
        check_content("x" * 8_388_609)


@given(st.lists(st.tuples(st.text(), st.integers(0, 2**32 - 1)), max_size=3000))
def test_a_tally_remembers_what_a_dict_remembers(steps: list[tuple[str, int]]) -> None:
    tally, model = Tally(), dict[str, int]()

    for key, number in steps:
        tally[key] = number
        model[key] = number

    assert {key: tally[key] for key in model} == model
    assert len(tally) == len(model)
    assert tally["a key that was never set, for sure"] == 0


def test_a_tally_grows_beyond_its_first_size() -> None:
    tally = Tally()

    for number in range(20_000):
        tally[f"key {number}"] = number + 1

    assert [tally[f"key {number}"] for number in range(20_000)] == list(range(1, 20_001))

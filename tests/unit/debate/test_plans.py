"""Plans and the seats of a debate."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from helix_lab.domain.debate import PROTOCOLS, Seat, default_seats
from helix_lab.domain.model.errors import InvalidRequest
from tests.unit.debate.debates import make_plan, make_seat

ONE = ("claude", "opus")
TWO = ("deepseek", "chat")
THREE = ("gemini", "pro")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"protocol": "council"}, "protocol"),
        ({"topic": " "}, "topic"),
        ({"rounds": 0}, "rounds"),
        ({"rounds": 101}, "rounds"),
        ({"seed": -1}, "seed"),
        ({"seats": (make_seat(1),)}, "seats"),
        ({"seats": tuple(make_seat(n) for n in range(27))}, "seats"),
        ({"seats": (make_seat(1), make_seat(1))}, "seats"),
        ({"seats": (make_seat(1), replace(make_seat(2), seat=""))}, "seats"),
        ({"judge": make_seat(1)}, "seats"),
        ({"protocol": "moderated"}, "judge"),
    ],
)
def test_a_plan_out_of_bounds_is_refused_by_the_name_of_its_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        replace(make_plan(), **changes)

    assert field == caught.value.details["field"]


def test_a_majority_seats_three_positions_and_no_judge() -> None:
    seats, judge = default_seats([ONE, TWO, THREE], "majority")

    assert (
        Seat("researcher", "researcher", *ONE),
        Seat("critic", "critic", *TWO),
        Seat("synthesizer", "synthesizer", *THREE),
    ) == seats
    assert judge is None


def test_a_majority_seats_every_provider_as_far_as_there_are_letters() -> None:
    providers = [(f"provider{number}", "model") for number in range(30)]

    four, _ = default_seats(providers[:4], "majority")
    many, _ = default_seats(providers, "majority")

    assert Seat("researcher-2", "researcher", "provider3", "model") == four[3]
    assert len({seat.seat for seat in many}) == len(many) == 26


def test_a_moderated_debate_seats_both_sides_and_a_moderator() -> None:
    seats, judge = default_seats([ONE, TWO, THREE], "moderated")

    assert (Seat("PRO", "PRO", *ONE), Seat("CON", "CON", *TWO)) == seats
    assert Seat("moderator", "moderator", *THREE) == judge


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_one_provider_takes_all_seats(protocol: str) -> None:
    seats, judge = default_seats([ONE], protocol)

    assert {ONE} == {(s.provider, s.model) for s in (*seats, *([judge] if judge else []))}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_default_seats_make_a_plan(protocol: str) -> None:
    seats, judge = default_seats([ONE, TWO], protocol)

    assert replace(make_plan(), protocol=protocol, seats=seats, judge=judge).seats == seats


def test_seats_need_a_provider_and_a_known_protocol() -> None:
    with pytest.raises(InvalidRequest, match="no provider"):
        default_seats([], "majority")
    with pytest.raises(InvalidRequest, match="council"):
        default_seats([ONE], "council")

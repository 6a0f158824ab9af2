"""Estimates: their intervals hold what they promise, and are shown with unit and count."""

from __future__ import annotations

import math
import statistics
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helix_lab.doors.intervals import (
    Estimate,
    IntervalPlot,
    estimate_median,
    estimate_share,
    find_low_rank,
)


@pytest.mark.parametrize("count", [*range(6, 60), 99, 100, 500, 1000])
def test_the_interval_of_a_median_holds_it_with_95_percent(count: int) -> None:
    rank = find_low_rank(count)

    assert rank is not None
    assert rank >= 1
    # The median is outside where fewer than `rank` of the values are below it, or above it.
    outside = 2 * sum(math.comb(count, below) for below in range(rank)) / 2**count
    assert outside <= 0.05


@pytest.mark.parametrize("count", [6, 9, 10, 12, 20, 100, 1000])
def test_no_narrower_interval_would_do(count: int) -> None:
    rank = find_low_rank(count)

    assert rank is not None
    assert 2 * sum(math.comb(count, below) for below in range(rank + 1)) / 2**count > 0.05


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=60))
def test_the_median_lies_between_its_ends(values: list[float]) -> None:
    found = estimate_median("x", values)

    assert found is not None
    assert statistics.median(values) == found.value
    assert (found.low is None) == (len(values) < 6)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high


def test_a_share_of_nothing_and_a_median_of_nothing_are_no_estimates() -> None:
    assert (None, None) == (estimate_share("x", 0, 0), estimate_median("x", []))
    assert repr(IntervalPlot("Wins", [None], unit="%")) == "Wins: nothing was measured."


def test_a_share_is_in_percent_with_wilsons_interval() -> None:
    found = estimate_share("aurora", 2, 6)

    assert found is not None
    assert pytest.approx((33.3, 9.7, 70.0), abs=0.05) == (found.value, found.low, found.high)


def test_the_text_shows_unit_interval_and_count() -> None:
    few, many = Estimate("few", 50, None, None, 2), Estimate("many", 40, 20, 80, 1200)

    heading, first, second = repr(IntervalPlot("Waits", [few, many], unit="ms")).splitlines()

    assert heading == "Waits (ms; 95 % intervals)"
    assert first.endswith("50 ms, too few for an interval, n = 2")
    assert second.endswith("40 ms, 20 to 80, n = 1,200")
    assert [10, 20, 40] == [second.index(sign) - len("many ") for sign in "├●┤"]


def test_the_picture_is_well_formed_whatever_a_name_is() -> None:
    plot = IntervalPlot('<b> & "', [Estimate("<script>", 1, 0, 2, 7)], unit="%")

    tree = ElementTree.fromstring(plot._repr_html_())

    texts = [node.text for node in tree.iter("text")]
    assert ["<script>", "1 %, 0 to 2, n = 7"] == texts
    assert 1 == len(list(tree.iter("path")))

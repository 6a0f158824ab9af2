"""What every `AnalyticsStore` must do. A child gives `open_store`."""

from __future__ import annotations

from helix_lab.testing.analytics.fixtures import (
    PATIENCE_S,
    TABLE,
    AnalyticsFixtures,
    ask_user,
    make_rows,
)
from helix_lab.testing.analytics.limits import LimitTests
from helix_lab.testing.analytics.querying import QueryingTests
from helix_lab.testing.analytics.refusals import RefusalTests, check_is_unharmed
from helix_lab.testing.analytics.writing import WritingTests

__all__ = [
    "PATIENCE_S",
    "TABLE",
    "AnalyticsFixtures",
    "AnalyticsTests",
    "ask_user",
    "check_is_unharmed",
    "make_rows",
]


class AnalyticsTests(WritingTests, QueryingTests, RefusalTests, LimitTests):
    """The contract of `AnalyticsStore`, sentence by sentence."""

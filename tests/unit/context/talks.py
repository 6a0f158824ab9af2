"""What the tests of compression compress."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from helix_lab.domain.context.history import Message

TIME = datetime(2026, 1, 2, tzinfo=UTC)
NAMES = ["Gina", "Jon"]
SAID = [
    "I opened the shop in Lisbon on March 15, 2024 with 42 chairs!",
    "Wow, that's great. I can't come before Friday, my flight is at 7:45 pm.",
    "We decided to use PostgreSQL for the orders, not MongoDB.",
    "See https://example.org/a?b=1 and run `make lab` in ~/work/shop.",
    "Thanks! I'd love that. How have you been?",
    "My budget is $1,250.50 and the discount is 12%.",
]


def say(texts: list[str], *, role: str = "user", **data: object) -> list[Message]:
    return [
        Message(f"m{n}", TIME + timedelta(hours=7 * n), {"role": role, "content": text, **data})
        for n, text in enumerate(texts)
    ]


TALK = [
    Message(
        f"m{n}", TIME + timedelta(hours=n), {"role": "user", "name": NAMES[n % 2], "content": s}
    )
    for n, s in enumerate(SAID * 20)
]

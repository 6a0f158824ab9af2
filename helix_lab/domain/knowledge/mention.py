"""Mentions: the places in a text that name a thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

GRAPH_TYPES: Final = (
    "person",
    "place",
    "organisation",
    "technology",
    "code",
    "concept",
    "date",
    "event",
    "other",
)
"""Types that are worth a node in a graph.

- `person`: a named human (or a named pet: they are spoken of alike);
- `place`: a country, city, region, water, mountain, or a named building or park;
- `organisation`: a company, institution, team or band;
- `technology`: a language, library, application, service, system, device or website;
- `code`: an identifier, a call, an expression in code markup, an error name, a tag, a file name;
- `concept`: an algorithm, protocol, method, standard or field that has a name;
- `date`: a calendar date, month with day or year, year, weekday with date, or festival;
- `event`: a named happening, such as a conference or a war;
- `other`: a name whose type nothing in the text tells: a book, a song, a product.
"""

DETAIL_TYPES: Final = ("data", "interface", "version", "value", "generic")
"""Types that are true of a text but not what a graph is about.

- `data`: a data structure, data type or file type ("array", "string", "CSV");
- `interface`: an element of a screen ("button", "text box");
- `version`: "3.11", "v2";
- `value`: a literal ("true", "0", "foo");
- `generic`: a common noun of software ("browser", "compiler", "server").
"""

ENTITY_TYPES: Final = GRAPH_TYPES + DETAIL_TYPES
"""Every type that an extractor may give."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A place in a text that names a thing.

    Attributes:
        name: the text between `start` and `end`, as written.
        type: one of `ENTITY_TYPES`.
        start, end: characters of the text, end exclusive.
        confidence: from 0 to 1; it ranks mentions, it is not a calibrated probability.
    """

    name: str
    type: str
    start: int
    end: int
    confidence: float

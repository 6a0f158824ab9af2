"""Identity: which names mean one thing.

A name is identified by itself alone: neither the names met before nor the text around it count.
So the order of messages does not matter, and a graph that is rebuilt has the ids of the old one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass

_SPACES = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a name stands for.

    Attributes:
        entity_id: `ent-` and 16 hexadecimal digits: equal for all names of one thing.
        name: the name to show.
        type: one of `ENTITY_TYPES`; an alias that is known may correct the type given.
    """

    entity_id: str
    name: str
    type: str


def identify(name: str, entity_type: str) -> Identity:
    """The entity that a name of a type means; the same for every spelling of it."""
    shown = _SPACES.sub(" ", unicodedata.normalize("NFKC", name)).strip()
    key = f"{entity_type}:{shown.casefold()}"
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()
    return Identity(f"ent-{digest}", shown, entity_type)

"""Identity: which names mean one thing.

A name is identified by itself alone: neither the names met before nor the text around it count.
So the order of messages does not matter, and a graph that is rebuilt has the ids of the old one.
Names are never compared by how much they look alike. Two names are one thing if they are the same
after the steps below, or if the table of aliases says so; numbers and versions are always kept.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import Final

from helix_lab.domain.knowledge import gazetteer
from helix_lab.domain.knowledge.dates import normalise_date

_SPACES = re.compile(r"\s+")
_EDGES: Final = " \t\"'“”‘’`,;:!?()[]{}<>*_~…"
_CODE_EDGES: Final = " \t`,;"
_POSSESSIVE = re.compile(r"['’]s?$")
_ARTICLE = re.compile(r"^the\s+(?=\S)", re.IGNORECASE)
_TITLE = re.compile(r"^(?:dr|mr|mrs|ms|miss|prof|professor|sir)\b\.?\s+(?=\S)", re.IGNORECASE)
_LEGAL_FORM = re.compile(
    r"(?<=\w),?\s+(?:inc|corp|corporation|ltd|llc|plc|gmbh|co|company|limited)\.?$", re.IGNORECASE
)
_LEFT_OUT: Final = {"person": _TITLE, "organisation": _LEGAL_FORM}
_JOINTS = re.compile(r"[\s_\-‐‑–]+|(?<=[^\W\d])\.(?!$)|(?<!\d)(?<!^)\.(?=\w)|(?<=\w)\.$|#(?=\d)")
_INITIALS = re.compile(r"(?:[^\W\d_]\.){2,}$")

_UNALIASED: Final = frozenset({"person", "place", "date"})
_COUNTED: Final = frozenset({"concept", "data", "interface", "generic", "technology"})
_CASED: Final = frozenset({"code", "value"})

_SPELLINGS: Final = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        (r"isation(s?)\b", r"ization\1"),
        (r"\b(analy|cataly|paraly)s(e|ed|er|ing)\b", r"\1z\2"),
        (r"\b(\w{3,}(?:al|er|im|or|ic|id|on|ar|at))is(e|ed|er|ers|ing)\b", r"\1iz\2"),
        (r"\b(col|behavi|fav|flav|harb|lab|neighb|hon|hum|rum|vap)our", r"\1or"),
        (r"\b(cent|theat|lit|met|fib|kilomet)re(s?)\b", r"\1er\2"),
        (r"\b(catalog|dialog|analog)ue(s?)\b", r"\1\2"),
        (r"\b(model|label|travel|cancel|signal|channel|fuel)l(ed|ing|er|ers)\b", r"\1\2"),
        (r"\b(defen|licen|offen|preten)ce(s?)\b", r"\1se\2"),
        (r"\bgrey", "gray"),
        (r"\bprogrammes?\b", "program"),
        (r"\bartefact", "artifact"),
    )
)
_NO_PLURAL = re.compile(r"(?:ss|us|is|ics|news|series|ios|aws|dns|css|https|tls|os|js|ts|rails)$")
_ACRONYMS = re.compile(r"(?<=[A-Z]{2})s$")
_ES = re.compile(r"(?:sh|x|zz|ss|(?<!ca)ch)es$")


@dataclass(frozen=True, slots=True)
class Identity:
    """What a name stands for.

    Attributes:
        entity_id: `ent-` and 16 hexadecimal digits: equal for all names of one thing.
        name: the name to show. It is identified as the same entity again.
        type: one of `ENTITY_TYPES`; an alias that is known may correct the type given.
    """

    entity_id: str
    name: str
    type: str


def identify(name: str, entity_type: str) -> Identity:
    """The entity that a name of a type means; the same for every spelling of it."""
    shown = clean(name, entity_type)
    term = _term(shown, entity_type)
    if term is not None:
        return Identity(_entity_id(term.type, _squash(_plain(term.name))), term.name, term.type)
    return Identity(_entity_id(entity_type, canonical_key(shown, entity_type)), shown, entity_type)


def clean(name: str, entity_type: str) -> str:
    """A name without what stands around it: spaces, quotes, commas, a possessive `'s`."""
    edges = _CODE_EDGES if entity_type in _CASED else _EDGES
    shown = _SPACES.sub(" ", unicodedata.normalize("NFKC", name))
    while True:
        shorter = _POSSESSIVE.sub("", shown.strip(edges)) or shown
        if shorter == shown:
            return shown.strip()
        shown = shorter


def canonical_key(name: str, entity_type: str) -> str:
    """What the spellings of a name have in common, where no alias is known."""
    if entity_type in _CASED:
        return re.sub(r"\(\s*\)$", "", name)
    if entity_type == "date":
        return normalise_date(name)
    if entity_type in _COUNTED:
        name = _ACRONYMS.sub("", name)
    key = _plain(name)
    if entity_type in _LEFT_OUT:
        key = _LEFT_OUT[entity_type].sub("", key)
    if entity_type not in {"person", "other"}:
        key = _respell(_ARTICLE.sub("", key))
    if entity_type in _COUNTED and not _looks_proper(name):
        key = _singular(key)
    return _squash(key) or key


def _respell(key: str) -> str:
    """British spelling as American."""
    for pattern, plain in _SPELLINGS:
        key = pattern.sub(plain, key)
    return key


def _plain(name: str) -> str:
    """A name in lower case without accents."""
    parts = unicodedata.normalize("NFKD", name.replace("’", "'")).casefold()
    return "".join(sign for sign in parts if not unicodedata.combining(sign))


def _squash(key: str) -> str:
    """Without what people put between the parts of a name; `1.0` and `.net` keep their dots."""
    if _INITIALS.fullmatch(key):
        return key.replace(".", "")
    return _JOINTS.sub("", key)


def _looks_proper(name: str) -> bool:
    """Whether the last word is a name, whose `s` is its own: `Redis`, but not `routes`."""
    return not name.rsplit(" ", 1)[-1].islower()


def _singular(key: str) -> str:
    if _NO_PLURAL.search(key) or not key.endswith("s") or len(key) < 4:  # noqa: PLR2004
        return key
    if key.endswith("ies") and len(key) > 4:  # noqa: PLR2004 # "ties" is of "tie"
        return key[:-3] + "y"
    return key[:-2] if _ES.search(key) else key[:-1]


def _entity_id(kind: str, key: str) -> str:
    text = f"{kind}:{key}".encode("utf-8", "surrogatepass")
    return "ent-" + hashlib.blake2b(text, digest_size=8).hexdigest()


# the table of aliases -------------------------------------------------------------------


def _term(shown: str, entity_type: str) -> gazetteer.Term | None:
    """The known thing that a name means, if it may mean it with this type."""
    if entity_type in _CASED:
        return None
    key = _squash(_ARTICLE.sub("", _plain(shown)))
    if entity_type in _UNALIASED:
        return _aliases().get((key, entity_type))
    own = _aliases().get((key, entity_type))
    if own is not None:
        return own
    if _ACRONYMS.search(shown):
        return _term(_ACRONYMS.sub("", shown), entity_type)
    if entity_type in _COUNTED and not _looks_proper(shown):
        own = _aliases().get((_singular(key), entity_type))
        if own is not None:
            return own
    return _certain().get(key)


@cache
def _aliases() -> dict[tuple[str, str], gazetteer.Term]:
    """The terms by every one of their names, squashed, and their type."""
    found: dict[tuple[str, str], gazetteer.Term] = {}
    for term in gazetteer.terms():
        for name in (term.name, *term.aliases):
            found.setdefault((_squash(_ARTICLE.sub("", _plain(name))), term.type), term)
    return found


@cache
def _certain() -> dict[str, gazetteer.Term]:
    """The names that mean one thing whatever type was seen in them: no words, and of one term."""
    found: dict[str, gazetteer.Term | None] = {}
    for (key, kind), term in _aliases().items():
        if kind == "place" or (term.is_word and key == _squash(_plain(term.name))):
            continue
        found[key] = None if key in found else term
    return {key: term for key, term in found.items() if term is not None}

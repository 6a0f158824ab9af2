"""Proposals: facts that somebody tells of themselves, found in what they say by rules alone.

Only what is said in the first person, plainly and lastingly: what somebody is, has, does for a
living, likes, or wants of every answer. A rule that would often be wrong is left out: a fact that
is not proposed costs a moment, a wrong one costs trust.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Category = Literal["preference", "fact", "instruction"]

LONGEST_MESSAGE: Final = 4_000
"""Characters; a longer one is mostly pasted, and what is pasted need not be of who pastes it."""

LONGEST_SENTENCE: Final = 240
_SHORTEST_WORDS: Final = 2
_MOST: Final = 8
"""Of one message."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A fact that somebody may want to be remembered.

    Attributes:
        content: the sentence as it was said, without what leads up to it.
        category: what they like, what is so, or what they want of every answer.
    """

    content: str
    category: Category


def _one(words: str) -> str:
    """One of some words, which are given with bars between them."""
    return f"(?:{'|'.join(word.strip() for word in words.split('|'))})"


_MAYBE = re.compile(r"\bI\b|\b[Mm]y\b|\b(?:[Aa]lways|[Nn]ever|[Ff]rom now on|[Cc]all me)\b")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|^[^\S\n]*>[^\n]*", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"[\"“”][^\"“”\n]{0,400}[\"“”]")
_SENTENCE = re.compile(r"[^.!?\n]+(?:\.(?=\w)[^.!?\n]*)*[.!?]*")
_LEADS = _one(
    "well | oh | yes | yeah | yep | no | nope | hi | hey | hello | thanks | thank you | ok | okay"
    "| so | and | but | also | btw | by the way | actually | honestly | personally | fyi"
    "| just so you know | for the record | as you know | (?:please )?note that"
    "| (?:please )?remember(?: that)?"
)
_LEAD = re.compile(rf"^(?:{_LEADS}\b[\s,:;!-]*)+", re.IGNORECASE)
_TAILS = _one(
    "so I | so just | so please | can you | could you | and I'm | and I am | and can | which"
    "| maybe | but can | 'cause"
)
_TAIL = re.compile(rf"\s*(?:,? - |; |,? {_TAILS}\b).*$", re.DOTALL)
_ELSEWHERE = re.compile(r"…|\bthem\b")
"""It speaks of what was said before, and tells little alone."""

_AM = "I(?:'m|’m| am)"
_HAVE = "I(?:'ve| have|’ve)(?: got)?"
_NOW = f"(?:{_one('currently | now | still | mostly | mainly | originally | actually')} )?"
_STEADY = (
    f"(?:{_one('really|always|usually|generally|mostly|mainly|strongly|much|still|also|just')} )*"
)
_PASSING = (
    _one(
        "that | this | these | those | it | its | them | their | him | his | her | you | your"
        "| yours | how | what | when | where | the | all | so | too | not | hearing | seeing"
        "| being | having | getting | to (?:hear|see|know|think|say|help|just) | to[,.!]?$"
    )
    + r"(?!\w)"
)
"""After "I love": it is of the moment, or of what was said before."""

_LIKE = _one("prefer|love|like|enjoy|adore|hate|dislike|avoid|detest|favou?r")
_KIN = _one(
    "wife | husband | partner | son | daughter | child | children | kids? | brothers? | sisters?"
    "| twins? | dogs? | cats? | pets? | puppy | kitten | horse | parrot | degree | phd | master's"
    "| allergy | disability | diabetes | asthma | adhd | dyslexia"
)
_COUNT = _one(r"an?|one|two|three|four|five|six|\d{1,2}|no")
_STATE = _one(
    "vegetarian | vegan | pescatarian | coeliac | celiac | diabetic | colou?r-?blind | deaf | blind"
    "| dyslexic | left-handed | lactose intolerant | married | divorced | single | retired"
    "| pregnant | bilingual | muslim | jewish | christian | hindu | buddhist | atheist"
)
_PASSING_NOUN = _one("bit|little|lot|few|couple|mess|wreck|complete|total|nervous|firm|fan|big fan")
_TRADE = _one(
    r"\w+(?:er|or|ist|ian|ant|eer|man|woman) | student | nurse | chef | cook | parent | mother"
    "| father | mom | dad | lawyer | vet | coach | pilot | scientist | freelancer | beginner"
    "| intern"
)
_OWN = _one(
    "birthday | job | profession | native language | mother tongue | time ?zone | home ?town"
)
_CALLED = _one("name is|is called|are called|is named|is an?|works (?:at|for|as)")
_OF = _one(
    "allergic to | based in | married to | the (?:author|owner|founder|head|ceo|cto|lead) of"
)
_WORK = _one("at|for|as|in|with|remotely|part-time|full-time|from home")
_DO = _one("use|write|work|code|deploy|run|develop|wake|eat|drink|cook")
_TELL = _one(
    "answer | reply | respond | use | write | give (?:me|us|an?|the) | show | call | include"
    "| explain | ask | assume | format | add | avoid | address | speak | suggest | tell"
)

_FORMS: Mapping[Category, tuple[str, ...]] = {
    "preference": (
        rf"I {_STEADY}{_LIKE} (?!{_PASSING})\w",
        rf"I (?:can't|cannot|can’t) stand (?!{_PASSING})\w",
        rf"I (?:don't|do not|don’t|never) (?:like|eat|drink|smoke|use|enjoy) (?!{_PASSING})\w",
        r"[Mm]y (?:all-time )?favou?rite [\w -]{2,40} (?:is|are) (?!that|this)\w",
    ),
    "fact": (
        r"[Mm]y (?:full |first |last )?name(?: is|'s|’s) [A-Z]",
        r"(?:[Pp]lease )?[Cc]all me [A-Z][a-z]+",
        rf"[Mm]y {_OWN} is \w",
        rf"[Mm]y (?:\w+ )?{_KIN}(?:'s|’s)? {_CALLED} \w",
        rf"{_AM} {_NOW}from [A-Z]",
        rf"{_AM} {_OF} \w",
        rf"{_AM} (?:an? )?{_STATE}\b",
        rf"{_AM} (?:[A-Z]\w+, )?(?:an? )?\d{{1,2}}[- ]years?[- ]old\b",
        rf"{_AM} {_NOW}an? (?!{_PASSING_NOUN}\b)(?:[\w-]+ ){{0,4}}{_TRADE}\b(?! than)",
        rf"I {_NOW}(?:live|reside) (?:in|near|with|on) \w",
        r"I (?:was born|grew up) (?:in|on|near) [A-Z\d]",
        rf"I {_NOW}work {_WORK}\b",
        rf"I {_NOW}(?:teach|study|speak|major in) [A-Za-z]\w+",
        rf"I (?:always|usually|mostly|mainly|primarily|normally) {_DO} \w",
        rf"{_HAVE} {_COUNT} (?:[\w-]+ ){{0,3}}{_KIN}\b",
    ),
    "instruction": (
        rf"(?:[Pp]lease )?(?:[Aa]lways|[Nn]ever) {_TELL}\b \w",
        r"[Ff]rom now on,? \w",
    ),
}
_RULES = tuple((category, re.compile("|".join(forms))) for category, forms in _FORMS.items())


def propose(text: str) -> list[Proposal]:
    """The facts that somebody tells of themselves in a message, each once, in its order."""
    if len(text) > LONGEST_MESSAGE or not _MAYBE.search(text):
        return []
    found: dict[str, Proposal] = {}
    for match in _SENTENCE.finditer(_QUOTED.sub("…", _CODE.sub("…", text))):
        proposal = _read(match.group())
        if proposal is not None:
            found.setdefault(identify(None, proposal.content), proposal)
    return list(found.values())[:_MOST]


def identify(user_id: str | None, content: str) -> str:
    """The id of a proposal: the same words of the same user are the same, however written."""
    words = " ".join(re.findall(r"\w+", content.casefold()))
    digest = hashlib.blake2b(f"{user_id or ''}\0{words}".encode(), digest_size=12)
    return f"fact-{digest.hexdigest()}"


def _read(sentence: str) -> Proposal | None:
    said = _LEAD.sub("", sentence.strip()).strip()
    is_plain = (
        len(said) <= LONGEST_SENTENCE and not said.endswith("?") and not _ELSEWHERE.search(said)
    )
    if not is_plain or len(said.split()) < _SHORTEST_WORDS:
        return None
    for category, rule in _RULES:
        if rule.match(said):
            return Proposal(_TAIL.sub("", said).rstrip(".!, "), category)
    return None

"""How a user likes to be answered: asked for in words, or shown by how they write.

What is asked for counts before what is shown. Lengths are those of the guide: under 50 model
tokens a message is concise, under 200 moderate, longer ones are detailed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from helix_lab.domain.learning.values import (
    PREFERENCES,
    Group,
    Lesson,
    Observation,
    Part,
    Pattern,
)

_CONCISE_TOKENS: Final = 50
_MODERATE_TOKENS: Final = 200
_WORDS: Final = 3
_SHARE: Final = 0.5
_READ: Final = 4_000
"""Characters of a message that are looked at."""

_WISHES: Final = tuple(
    (kind, value, re.compile(pattern, re.IGNORECASE))
    for kind, value, pattern in (
        (
            "communication_style",
            "concise",
            r"\b(?:be|keep (?:it|this|them|answers|responses)|more) (?:\w+ )?(?:concise|brief|short"
            r"|succinct)\b|\b(?:short|brief|concise) (?:answers?|repl(?:y|ies)|responses?|summary)"
            r"\b|\bin (?:short|brief|one sentence|a few words)\b|\btl;?dr\b",
        ),
        (
            "communication_style",
            "detailed",
            r"\b(?:in (?:more |great )?(?:detail|depth)|more detail(?:s|ed)?|detailed"
            r"|thorough(?:ly)?|step[- ]by[- ]step|comprehensive|elaborate)\b",
        ),
        ("response_format", "table", r"\b(?:as|in|into|make|with) an? (?:\w+ )?table\b"),
        ("response_format", "bullet points", r"\bbullet(?:ed)?(?: points?| list)|\bbullets\b"),
        ("response_format", "numbered list", r"\bnumbered (?:list|steps)\b"),
        ("response_format", "json", r"\b(?:as|in) (?:valid )?json\b"),
        ("response_format", "yaml", r"\b(?:as|in) yaml\b"),
        ("response_format", "markdown", r"\b(?:as|in|use|using) markdown\b"),
        ("response_format", "plain text", r"\bplain text\b|\bno markdown\b"),
    )
)
_CODE_NAMES: Final = {
    "python": "python", "py": "python", "javascript": "javascript", "js": "javascript",
    "typescript": "typescript", "ts": "typescript", "java": "java", "rust": "rust",
    "ruby": "ruby", "kotlin": "kotlin", "swift": "swift", "php": "php", "sql": "sql",
    "bash": "bash", "sh": "bash", "shell": "bash", "c++": "c++", "cpp": "c++", "c#": "c#",
    "csharp": "c#", "golang": "go", "go": "go", "c": "c", "r": "r", "scala": "scala",
    "html": "html", "css": "css", "perl": "perl", "lua": "lua", "haskell": "haskell",
    "jsx": "javascript", "tsx": "typescript", "dart": "dart", "julia": "julia",
}  # fmt: skip
_ASKED_CODE = re.compile(
    r"\b(?i:in|using|with|use|prefer|write|my) ((?i:"
    r"python|javascript|typescript|java|rust|ruby|kotlin|swift|php|golang|c\+\+|c#|scala|haskell"
    r"|julia|dart)|Go)(?![\w+#])",
)
_FENCE = re.compile(r"^\s*```[ \t]*([\w+#-]+)?", re.MULTILINE)
_MARKUP = re.compile(r"^(?:#{1,6} |[-*] |\d+\. )|\*\*[^*\n]+\*\*", re.MULTILINE)
_STOPWORDS: Final = {
    "en": "the and is are was you of to that it for with have this what how can not but do",
    "de": "der die das und ist nicht ich sie mit ein eine wie für auf es zu den was kann wir",
    "fr": "le la les et est je vous pas une un des que pour dans qui avec nous comment sur ce",
    "es": "el la los las y es no que una un para con por cómo qué como puedo en del se",
    "it": "il lo gli e è non che una un per con come sono di della questo posso cosa si mi",
    "pt": "o os as e é não que uma um para com como você eu em do da isso posso mais",
    "nl": "de het een en is niet ik je van dat met voor hoe wat kan zijn op er maar ook",
}
_STOPWORDS_OF: Final = {name: frozenset(words.split()) for name, words in _STOPWORDS.items()}
_SCRIPTS: Final = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
)
_SCRIPT_SHARE: Final = 0.2


def find_wishes(text: str) -> dict[str, str]:
    """Preference type → value, as a user asks for it; the last wish of a kind counts."""
    read = text[:_READ]
    wishes: dict[str, str] = {}
    for kind, value, pattern in _WISHES:
        if kind not in wishes and pattern.search(read):
            wishes[kind] = value
    code = _ASKED_CODE.findall(read)
    if code:
        wishes["code_language"] = _CODE_NAMES[code[-1].lower()]
    return wishes


def find_shown(text: str, *, is_user: bool) -> dict[str, str]:
    """Preference type → value, as a message has it without asking."""
    read = text[:_READ]
    shows: dict[str, str] = {}
    fences = [name.lower() for name in _FENCE.findall(read)]
    code = [_CODE_NAMES[name] for name in fences if name in _CODE_NAMES]
    if code:
        shows["code_language"] = Counter(code).most_common(1)[0][0]
    if is_user:
        language = find_language(read)
        return shows | ({"language": language} if language else {})
    shows["response_format"] = (
        "code-heavy" if len(fences) > 1 else "markdown" if _MARKUP.search(read) else "plain text"
    )
    return shows


def find_language(text: str) -> str | None:
    """The language of a text as its ISO 639-1 code; None: too little tells it."""
    for name, script in _SCRIPTS:
        if len(script.findall(text)) > _SCRIPT_SHARE * len(text):
            return name
    words = re.findall(r"[^\W\d_]+", text.lower())
    scores = {name: sum(word in known for word in words) for name, known in _STOPWORDS_OF.items()}
    ranked = sorted(scores, key=lambda name: -scores[name])
    best, second = scores[ranked[0]], scores[ranked[1]]
    return ranked[0] if best >= _WORDS and best > second else None


def learn_preferences(parts: Sequence[Part]) -> Lesson:
    """At most one value of each preference type; nothing without a user."""
    users = [part for part in parts if part.noticed.role == "user"]
    if not users:
        return Lesson()
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for kind in PREFERENCES:
        value = _choose(kind, parts, users)
        if value is not None:
            found[kind] = value
    observations = tuple(
        Observation(make_preference(kind, value), 1, shown)
        for kind, (value, shown) in found.items()
    )
    return Lesson(observations, {group_preference(kind): 1 for kind in found})


def make_preference(kind: str, value: str) -> Pattern:
    """The pattern of a preference."""
    return Pattern(
        "user_preference",
        kind,
        value,
        group_preference(kind),
        f"{kind.replace('_', ' ').capitalize()}: {value}",
    )


def group_preference(kind: str) -> Group:
    """Conversations that show any value of a preference type."""
    return Group("preference", kind, kind.replace("_", " "))


def _choose(
    kind: str, parts: Sequence[Part], users: Sequence[Part]
) -> tuple[str, tuple[str, ...]] | None:
    """The value that the conversation shows, and the messages that show it."""
    asked = [(part.part_id, value) for part in users if (value := part.noticed.wishes.get(kind))]
    if asked:
        return _most(asked)
    if kind == "communication_style":
        mean = sum(part.noticed.tokens for part in users) / len(users)
        return name_style(mean), tuple(part.part_id for part in users)
    shown = list(_list_shown(kind, parts))
    asked_of = users if kind == "language" else parts
    return _most(shown) if shown and _is_common(kind, shown, asked_of) else None


def _list_shown(kind: str, parts: Sequence[Part]) -> Iterator[tuple[str, str]]:
    for part in parts:
        value = part.noticed.shows.get(kind)
        if value is not None:
            yield part.part_id, value


def _is_common(kind: str, shown: Sequence[tuple[str, str]], parts: Sequence[Part]) -> bool:
    """Code in one message tells of its language; a format must be that of most replies."""
    if kind != "response_format":
        return True
    replies = sum(part.noticed.role == "assistant" for part in parts)
    most = Counter(value for _, value in shown).most_common(1)[0][1]
    return replies > 0 and most >= _SHARE * replies


def _most(shown: Sequence[tuple[str, str]]) -> tuple[str, tuple[str, ...]]:
    """The most frequent value; of equal ones the earliest."""
    value = Counter(value for _, value in shown).most_common(1)[0][0]
    return value, tuple(part_id for part_id, other in shown if other == value)


def name_style(mean_tokens: float) -> str:
    """The guide's name of how long a user's messages are."""
    if mean_tokens < _CONCISE_TOKENS:
        return "concise"
    return "moderate" if mean_tokens < _MODERATE_TOKENS else "detailed"

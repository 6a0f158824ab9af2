"""What a user wants of a message: the intent, by rules on whole words.

Rules and their order are checked on labelled messages: `tests/unit/test_learning_intent.py`.
"""

from __future__ import annotations

import re
from typing import Final

OUT_OF_SCOPE: Final = "out_of_scope"
"""Nothing is asked for: small talk, thanks, telling."""

_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_LONGEST: Final = 4_000
_ASKING = re.compile(
    r"\?|\b(?:please|can you|could you|would you|help|how|what|why|which|should"
    r"|i(?:'d| would) like you to|i want you to|i need(?: you)? to"
    r"|i(?:'m| am) (?:trying to|considering|looking for|not sure|unsure|stuck|struggling)"
    r"|do (?:i|we) (?:need|have)|do you think|worth|tips|wondering"
    r"|(?:doesn't|does not|won't) work|[A-Z]\w+Error)\b",
    re.IGNORECASE,
)

_RULES: Final = tuple(
    (intent, weight, re.compile(pattern, re.IGNORECASE))
    for intent, weight, pattern in (
        (
            "comparison",
            8,
            r"\bcompar(?:e|ed|es|ing|ison|isons)\b|\bdifferences? between\b|\b(?:vs|versus)\b\.?"
            r"|\bpros and cons\b|\b(?:better|worse|faster|cheaper|cleaner|simpler) than\b"
            r"|\bhow (?:does|do|would) .{2,60} (?:differ|stack up)\b|\btrade-?offs?\b",
        ),
        (
            "decision",
            4,
            r"\bshould (?:i|we)\b|\bwhich (?:one|option|of (?:these|them|the)|\w+) (?:is|are|would"
            r"|should|do you|to)\b|\b(?:choos|decid|pick)(?:e|ing)?\b|\bdecision\b|\brecommend"
            r"|\bis it (?:worth|better|best|wise|a good idea|okay|ok)\b|\bworth it\b"
            r"|\bwhat would you (?:do|suggest|choose)\b|\bbest (?:option|choice)\b|\bor should\b"
            r"|\bdo (?:i|we) (?:need|have) to\b|\bworth (?:my|the|your|it|trying|buying)\b"
            r"|\b(?:considering|leaning towards|torn between|looking for)\b|\bgood enough\b"
            r"|\bright (?:time|decision|choice|one)\b|\bgood (?:idea|decision|choice|fit)\b",
        ),
        (
            "debugging",
            5,
            r"\b(?:traceback|stack ?trace|exception|segfault|stacktrace|bug|bugs|debug(?:ging)?)\b"
            r"|\b\w*(?:Error|Exception)\b(?!\s+handling)|\berrors?\b(?!\s+(?:handling|messages?"
            r" should|pages?|boundar))|\b(?:does(?:n't| not)|is(?:n't| not)|not|stopped) working\b"
            r"|\b(?:fails?|failing|broken|crash(?:es|ed|ing)?)\b"
            r"|\bhaving (?:\w+ )?(?:issues?|problems?|trouble)\b|\bgo(?:es|ing) (?:on|wrong)\b"
            r"|\btroubleshoot|\b(?:fix|resolve|solve) (?:the|this|my|an?|these|it)\b"
            r"|\b(?:doesn't|won't|can't seem to) (?:work|load|run|start|compile|connect)\b",
        ),
        (
            "implementation",
            4,
            r"\b(?:implement|build|creat|generat|develop|refactor|draft|rewrit|design|modif|updat"
            r"|integrat|configur)(?:e|es|ing|y|ying)?\b|\b(?:write|code|make|add|set ?up|show)"
            r" (?:me |us |up )?(?:an?|the|my|this|in|it|out)\b"
            r"|\b(?:full|complete|example|sample) (?:code|implementation|script)\b"
            r"|\bcode (?:for|to|example|snippet)|\breview my\b|\boptimi[sz]e\b",
        ),
        (
            "explanation",
            4,
            r"\bexplain\b|\bwhat (?:is|are|was|were|does|do|did|'s|exactly|happens)\b|\bwhat's\b"
            r"|\bwhy\b|\bmeans?\b|\bmeaning of\b|\bunderstand\b|\bwalk me through\b|\bclarif"
            r"|\btell me (?:more )?about\b|\bhow (?:does|do|did|is|are|come)\b(?! (?:i|we|you)\b)"
            r"|\bcalculat|\bprobability\b|\bsummar|\bwho (?:is|was|are)\b|\bwhen (?:is|was|did)\b",
        ),
        (
            "help_seeking",
            4,
            r"\b(?:worried|stuck|stressed|overwhelmed|struggling|concerned)\b"
            r"|\bhow (?:do|can|could|should|would|might|to)\b|\bhelp\b"
            r"|\b(?:any|some) (?:tips|advice|suggestions|ideas|guidance|strategies|ways)\b"
            r"|\btips\b|\badvice\b|\bsuggest(?:ions?)?\b|\bhow (?:i|we) (?:can|could|should)\b"
            r"|\bguide me\b|\bassist\b|\bways to\b|\bstruggl|\bwhat (?:can|could|steps|if)\b"
            r"|\bwhat(?: specific)? steps\b|\bbest way to\b|\bhow best to\b|\bon track\b",
        ),
    )
)
INTENTS: Final = (*(rule[0] for rule in _RULES), OUT_OF_SCOPE)
_EARLY: Final = 160
"""Characters: what a message begins with says more of what it wants than what follows."""


def find_intent(text: str, *, has_code: bool = False) -> str:
    """The intent of a user's message, one of `INTENTS`.

    Args:
        text: what was said.
        has_code: it comes with code, so that a fault that it tells of is one to be found.
    """
    plain = _CODE.sub(" ", text[:_LONGEST])
    if not _ASKING.search(plain) and not _commands(plain):
        return OUT_OF_SCOPE
    scores = {intent: _score(pattern, plain, weight) for intent, weight, pattern in _RULES}
    if has_code and scores["debugging"]:
        scores["debugging"] += 3
    best = max(scores, key=lambda intent: scores[intent])
    return best if scores[best] else OUT_OF_SCOPE


_COMMAND = re.compile(
    r"^\W*(?:(?:ok|okay|great|thanks|now|so|and|then|also),?\s+)*(?:implement|build|create|write"
    r"|make|add|generate|show|give|explain|compare|fix|debug|refactor|describe|list|draft|design"
    r"|summari[sz]e|tell|find|suggest|recommend|calculate|solve|develop)\b",
    re.IGNORECASE,
)


def _commands(text: str) -> bool:
    return bool(_COMMAND.match(text))


def _score(pattern: re.Pattern[str], text: str, weight: int) -> float:
    found = [match.start() for match in pattern.finditer(text)][:3]
    if not found:
        return 0.0
    early = 2.0 if found[0] < _EARLY else 0.0
    return weight + early + 0.5 * (len(found) - 1)

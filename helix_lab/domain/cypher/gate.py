"""The gate: a statement of a user passes only if every word of it is known to read.

A read-only transaction is not enough on either engine: it lets statements through that read and
write files, call procedures, or change settings. So the words are checked first:

- where a keyword may stand (at the beginning, after a whole operand, after UNION), only words of
  an allow-list may; two operands never stand side by side in Cypher, so a clause that is not on
  the list has no place left to begin;
- a function that is called is on a list, too, and has no dot: `apoc.…` is refused;
- words that write, load or call are refused wherever they could be a keyword.

What is refused by mistake can be written otherwise: a name in backticks is never a keyword.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

from helix_lab.domain.cypher.tokens import Token, tokenize
from helix_lab.domain.model.errors import QueryRefused

_STARTS: Final = frozenset({"MATCH", "OPTIONAL", "UNWIND", "WITH", "RETURN"})
_KEYWORD_LIST = """
    WHERE ORDER BY ASC ASCENDING DESC DESCENDING SKIP LIMIT UNION ALL DISTINCT AS AND OR XOR
    NOT IN IS NULL STARTS ENDS CONTAINS CASE WHEN THEN ELSE END EXISTS COUNT COLLECT TRUE
    FALSE ANY NONE SINGLE SHORTEST TRAIL ACYCLIC
"""
_KEYWORDS: Final = _STARTS | frozenset(_KEYWORD_LIST.split())
_VALUES: Final = frozenset({"NULL", "TRUE", "FALSE", "END", "DISTINCT"})
_REFUSED_LIST = """
    ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DELETE DENY DETACH
    DROP DRYRUN ENABLE EXPORT EXTENSION FOREACH FORCE GRANT IMPORT INSERT INSTALL LOAD MACRO
    MERGE REMOVE RENAME REVOKE ROLLBACK SET SHOW TERMINATE TRANSACTION TRANSACTIONS UNINSTALL
    UPDATE USE YIELD
"""
_REFUSED: Final = frozenset(_REFUSED_LIST.split())
_PREFIXES: Final = ("EXPLAIN", "PROFILE")
_FUNCTION_LIST = """
    ABS ACOS ALL ANY ASIN ATAN AVG CEIL CEILING COALESCE COLLECT COS COUNT DEGREES E EXISTS
    FLOOR HEAD ID IS_ACYCLIC IS_TRAIL KEYS LABEL LABELS LAST LEFT LENGTH LEVENSHTEIN
    LIST_CONCAT LIST_CONTAINS LIST_DISTINCT LIST_EXTRACT LIST_FILTER LIST_HAS LIST_LEN
    LIST_SORT LIST_SUM LIST_TRANSFORM LOG LOG10 LN LOWER LTRIM MAX MIN NODES NONE NULLIF
    PERCENTILECONT PERCENTILEDISC PI POW PROPERTIES RADIANS RANGE REDUCE REGEXP_EXTRACT
    REGEXP_MATCHES RELATIONSHIPS RELS REPLACE REVERSE RIGHT ROUND RTRIM SHORTESTPATH
    ALLSHORTESTPATHS SIGN SIN SINGLE SIZE SPLIT SQRT STARTNODE ENDNODE STDEV STDEVP SUBSTRING
    SUM TAIL TAN TOBOOLEAN TOFLOAT TOINTEGER TOLOWER TOSTRING TOUPPER TRIM TYPE UPPER
"""
_FUNCTIONS: Final = frozenset(_FUNCTION_LIST.split())
_CLOSERS: Final = frozenset(")]}")


def check_cypher(statement: str) -> str:
    """The statement as an engine is given it: without comments and the semicolon at its end.

    Raises:
        QueryRefused: a word of it may do more than read; the message names it.
        GraphQueryFailed: it cannot be read at all.
    """
    tokens = tokenize(statement)
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    body = tokens[1:] if tokens and tokens[0].upper in _PREFIXES else tokens
    if not body:
        _refuse("there is no statement")
    _check_start(body[0])
    for number, token in enumerate(body):
        _check(body, number, token)
    return _write(statement, tokens)


def _check_start(token: Token) -> None:
    if token.upper not in _STARTS:
        allowed = ", ".join(sorted(_STARTS))
        _refuse(f"a clause begins with {token.text[:40]!r}; allowed: {allowed}")


def _check(body: Sequence[Token], number: int, token: Token) -> None:
    before = body[number - 1] if number else None
    after = body[number + 1] if number + 1 < len(body) else None
    if token.text == ";":
        _refuse("exactly one statement is allowed")
    if token.kind not in {"word", "quoted"}:
        return
    if before is not None and before.text in {".", ":"}:
        # A property or a label; a word after a dot that is called is a function of a library.
        if after is not None and after.text == "(" and before.text == ".":
            _refuse(f"the function {token.text!r} is not on the list of those that only read")
        return
    if token.kind == "word":
        _check_word(token, before, after)
    elif after is not None and after.text == "(":
        _refuse(f"the function {token.text[:40]} is not on the list of those that only read")
    elif before is not None and _ends_operand(before):
        _refuse(f"a keyword was expected instead of {token.text[:40]}")


def _check_word(token: Token, before: Token | None, after: Token | None) -> None:
    if token.upper in _REFUSED:
        _refuse(
            f"{token.text!r} does more than read the graph, or calls what may; where it is a "
            "name, put it into `backticks`"
        )
    if before is not None and before.upper in {"UNION"} and token.upper != "ALL":
        _check_start(token)
    is_place_of_keyword = before is not None and _ends_operand(before)
    if is_place_of_keyword and token.upper not in _KEYWORDS:
        _refuse(f"{token.text!r} is no keyword that only reads")
    is_call = after is not None and after.text == "("
    if is_call and token.upper not in _FUNCTIONS | _KEYWORDS:
        _refuse(f"the function {token.text!r} is not on the list of those that only read")


def _ends_operand(token: Token) -> bool:
    """Whether an operand ends here, so that no other may follow at once."""
    if token.kind == "word":
        return token.upper not in _KEYWORDS | set(_PREFIXES) or token.upper in _VALUES - {
            "DISTINCT"
        }
    return token.kind != "symbol" or token.text in _CLOSERS


def _write(statement: str, tokens: Sequence[Token]) -> str:
    """The tokens with the spaces between them, but without the comments."""
    pieces: list[str] = []
    end = tokens[0].start
    for token in tokens:
        if token.start > end:
            gap = statement[end : token.start]
            pieces.append(gap if gap.isspace() else " ")
        pieces.append(token.text)
        end = token.start + len(token.text)
    return "".join(pieces)


def _refuse(problem: str) -> NoReturn:
    message = f"the statement may only read the graph: {problem}"
    raise QueryRefused(message, field="cypher")

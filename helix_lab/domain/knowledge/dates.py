"""Dates: the calendar expressions of a text, and the one way of writing each.

A date that depends on when it is said ("yesterday", "next Friday") is none: it would mean
another day in every message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_MONTH_NAMES: Final = (
    ("january", "jan"),
    ("february", "feb"),
    ("march", "mar"),
    ("april", "apr"),
    ("may",),
    ("june", "jun"),
    ("july", "jul"),
    ("august", "aug"),
    ("september", "sept", "sep"),
    ("october", "oct"),
    ("november", "nov"),
    ("december", "dec"),
)
_MONTHS: Final = {name: n for n, names in enumerate(_MONTH_NAMES, 1) for name in names}
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|"
    r"Sept?(?:ember)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\b\.?"
)
_YEAR = r"(?:1[5-9]|20)\d\d"
_DAY = r"(?:[12]\d|3[01]|0?[1-9])(?:st|nd|rd|th)?(?!\d)"
_WEEKDAY = r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day,?\s+)?"

FESTIVALS: Final = (
    "New Year's Eve", "New Year's Day", "New Year's", "Valentine's Day", "St. Patrick's Day",
    "Mother's Day", "Father's Day", "Memorial Day", "Labor Day", "Independence Day",
    "Veterans Day", "Columbus Day", "Martin Luther King Day", "Presidents' Day", "Black Friday",
    "Cyber Monday", "Good Friday", "Easter Sunday", "Easter", "Halloween", "Thanksgiving",
    "Christmas Eve", "Christmas Day", "Christmas", "Xmas", "Boxing Day", "Hanukkah", "Diwali",
    "Ramadan", "Eid al-Fitr", "Eid", "Passover", "Lunar New Year", "Chinese New Year", "Earth Day",
    "Juneteenth", "Kwanzaa", "Pride Month",
)  # fmt: skip
_FESTIVAL = "|".join(re.escape(name).replace("'", "['’]") for name in FESTIVALS)

_DATE = re.compile(
    rf"""(?<![\w/.-])(?:
      (?P<iso>{_YEAR}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?![\w-])
    | (?P<slashed>(?:0?[1-9]|[12]\d|3[01])/(?:0?[1-9]|[12]\d|3[01])/(?:{_YEAR}|\d\d))(?![\w/])
    | {_WEEKDAY}(?:the\s+)?{_DAY}\s+(?:of\s+)?{_MONTH}(?:,?\s+{_YEAR}\b)?
    | {_WEEKDAY}{_MONTH}\s+(?:the\s+)?{_DAY}(?:\s?[-–]\s?{_DAY})?(?:,?\s+{_YEAR}\b)?
    | {_MONTH},?\s+{_YEAR}\b
    | (?:[Ss]pring|[Ss]ummer|[Ff]all|[Aa]utumn|[Ww]inter)\s+(?:of\s+)?{_YEAR}\b
    | (?:the\s+)?(?:{_YEAR[:-4]}\d0|['’]?[2-9]0)['’]?s\b
    | (?P<festival>{_FESTIVAL})(?!\w)
    | (?P<month>January|February|March|April|May|June|July|August|September|October|November|
      December)(?![\w-])
    | (?P<year>{_YEAR})(?![\w%°/.-]\w|[\w%°])
    )""",
    re.VERBOSE,
)
_MONTH_BEFORE = re.compile(
    r"\b(?:in|of|by|since|until|till|during|from|to|for|before|after|through|early|mid|late|last|next|this|"
    r"and|every|around|between|between|end|Late|Early|Mid|In|By|Since|Until|During)[\s-]+$"
)
_YEAR_BEFORE = re.compile(
    r"(?:\b(?:in|of|by|since|until|till|during|from|to|before|after|around|early|mid|late|and|"
    r"between|for|the|year|In|By|Since|During|From|After|Before|circa|through|fall|spring|"
    r"summer|winter|year-end)[\s-]+|\(|[–-])$"
)
_COUNTED_AFTER = re.compile(
    r"\s*(?:[a-z]+s\b(?<!is)(?<!was)(?<!has)|USD|EUR|ms\b|px\b|words?|dollars|people|%|°|[x×*]\s?\d)"
)
_WORDS_BEFORE: Final = 16


def find_dates(text: str) -> Iterator[tuple[int, int]]:
    """The places of the dates of a text, in order."""
    for found in _DATE.finditer(text):
        start, end = found.span()
        if found["month"] and not _is_month(text, start, end):
            continue
        if found["year"] and not _is_year(text, start, end):
            continue
        if text[start : start + 4].lower() == "the ":
            start += 4
        while text[end - 1] in ".,":
            end -= 1
        yield start, end


def _is_month(text: str, start: int, end: int) -> bool:
    """A month alone: `May` and `March` are words too, and some people are called `April`."""
    if text[start:end] in {"May", "March", "April", "June", "August"}:
        return bool(_MONTH_BEFORE.search(text[max(0, start - _WORDS_BEFORE) : start]))
    return True


def _is_year(text: str, start: int, end: int) -> bool:
    before = text[max(0, start - _WORDS_BEFORE) : start]
    return bool(_YEAR_BEFORE.search(before)) and not _COUNTED_AFTER.match(text, end)


_PARTS = re.compile(r"[A-Za-z]+|\d+")
_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)$")
_YEAR_DIGITS: Final = 4


def normalise_date(text: str) -> str:
    """One way of writing a date: `2024-05-07`, `2024-05`, `--05-07`, `2024`; else in lower case.

    A date of digits and slashes stays as it is: which of them is the month is not known.
    """
    iso = _ISO.match(text)
    if iso or "/" in text or re.search(r"\d\s?[-–]\s?\d|\ds\b", text):
        return text.casefold().removeprefix("the ")
    year = month = day = ""
    for part in _PARTS.findall(text):
        lower = part.lower()
        if lower in _MONTHS and not month:
            month = f"{_MONTHS[lower]:02}"
        elif part.isdigit() and len(part) == _YEAR_DIGITS:
            year = part
        elif part.isdigit() and not day:
            day = f"{int(part):02}"
        elif lower not in _IGNORED:
            return text.casefold()
    if not month:
        return year or text.casefold()
    return "-".join([year or "-", month, *([day] if day else [])])


_IGNORED: Final = frozenset(
    {"st", "nd", "rd", "th", "of", "the"}
    | {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
)

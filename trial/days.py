"""A day as people type it above a list: 2014-09-30, or as pages show it, 30-Sep-2014 or 30sep2014.

The rule: one reading or none. 03/12 is refused, because it is March for some and December for others.
"""

import re
from datetime import date

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_NUMBERS = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_WORDS = re.compile(r"(\d{1,2})[- ]?([A-Za-z]{3})[- ]?(\d{4})", re.ASCII)


class NotADay(ValueError):
    """The text is no day. The message says what was given and what would be right."""


def read_day(text: str) -> date:
    """The day that was typed. Raise `NotADay` for anything else."""
    typed = text.strip()
    try:
        if match := _NUMBERS.fullmatch(typed):
            year, month, day = map(int, match.groups())
            return date(year, month, day)
        if match := _WORDS.fullmatch(typed):
            return date(int(match[3]), MONTHS.index(match[2].lower()) + 1, int(match[1]))
    except ValueError as error:
        raise NotADay(f"'{typed}' is not in the calendar. Check the day, the month and the year.") from error
    raise NotADay(f"'{typed[:40]}' is not a day. Write it as 2014-09-30 or 30-Sep-2014.")

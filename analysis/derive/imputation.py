"""Days for dates that are known in part, for analysis alone and with a flag (STUDY C.12). Nothing here is ever stored.

The flag says what was imputed: D the day, M month and day, none nothing.
"""

from datetime import date, timedelta
from typing import NamedTuple

from trial.partial_dates import PartialDate

FLAGS = {"year": "M", "month": "D", "day": None, "minute": None}


class Imputed(NamedTuple):
    """A day and what of it was imputed."""

    on: date
    flag: str | None


def flag_of(known: PartialDate) -> str | None:
    """What has to be imputed of a date: D the day, M month and day, None nothing."""
    return FLAGS[known.precision]


def impute_start(started: PartialDate, ended: PartialDate | None, first_dose: date | None) -> Imputed:
    """The start of an adverse event: the first day it could be, or the day of first dose where it could be that.

    It is the day of first dose only if the event was not over before.
    """
    could_be_first_dose = first_dose is not None and started.earliest <= first_dose <= started.latest
    over_before = ended is not None and first_dose is not None and ended.latest < first_dose
    if not started.is_complete and could_be_first_dose and not over_before:
        assert first_dose is not None  # `could_be_first_dose` says so
        return Imputed(first_dose, flag_of(started))
    return Imputed(started.earliest, flag_of(started))


def impute_end(ended: PartialDate, last_day: date) -> Imputed:
    """The end of an adverse event: the last day it could be, but not after `last_day` (death or cut-off)."""
    if ended.is_complete:
        return Imputed(ended.latest, None)
    return Imputed(max(min(ended.latest, last_day), ended.earliest), flag_of(ended))


def impute_death(died: PartialDate, last_alive: date | None, cutoff: date) -> Imputed:
    """The day of death: the 15th or the day after the last sign of life, not after the month's end or the cut-off."""
    if died.is_complete:
        return Imputed(died.latest, None)
    guess = middle(died)
    if last_alive is not None:
        guess = max(guess, last_alive + timedelta(days=1))
    return Imputed(min(guess, died.latest, cutoff), flag_of(died))


def impute_relapse(relapsed: PartialDate, life_ends: date | None) -> Imputed:
    """The day of a relapse during the study: the 15th of its month, but not after the last day that can be of life."""
    if relapsed.is_complete:
        return Imputed(relapsed.latest, None)
    guess = middle(relapsed) if life_ends is None else min(middle(relapsed), life_ends)
    return Imputed(max(guess, relapsed.earliest), flag_of(relapsed))


def impute_before_study(known: PartialDate | None) -> Imputed | None:
    """A transplant, therapy or relapse before the study: the 15th of its month. A year alone gives no interval."""
    if known is None or known.precision == "year":
        return None
    return Imputed(middle(known), flag_of(known))


def impute_order(earlier: PartialDate | None, later: PartialDate | None) -> tuple[date, date] | None:
    """The days of two things before the study, of which the first came first; None where a month is not known.

    Each is imputed as by `impute_before_study`, but an imputed day does not pass the other one: it is brought to the
    day before or after it, as far as it could be. What stays the wrong way round contradicts itself.
    """
    start, end = impute_before_study(earlier), impute_before_study(later)
    if earlier is None or later is None or start is None or end is None:
        return None
    if start.on < end.on:
        return start.on, end.on
    last = min(max(end.on, start.on + timedelta(days=1)), later.latest)
    first = max(min(start.on, last - timedelta(days=1)), earlier.earliest)
    return first, last


def impute_later_therapy(started: PartialDate, last_dose: date | None) -> Imputed:
    """The start of therapy after the study treatment: the 15th of its month, not before the day after the last dose."""
    if started.is_complete:
        return Imputed(started.latest, None)
    guess = middle(started)
    if last_dose is not None:
        guess = max(guess, last_dose + timedelta(days=1))
    return Imputed(min(guess, started.latest), flag_of(started))


def impute_birth(born: PartialDate) -> Imputed:
    """The day of birth: the 15th of the month, 1 July of the year."""
    return Imputed(middle(born), flag_of(born))


def middle(known: PartialDate) -> date:
    """The middle of what a date could be: the 15th of the month, 1 July of the year, the day itself."""
    if known.precision == "year":
        return known.earliest.replace(month=7)
    if known.precision == "month":
        return known.earliest.replace(day=15)
    return known.earliest

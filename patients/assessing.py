"""The response of one assessment as the algorithm of STUDY C.2 sees it, from a casebook (RS.RSALGO).

The rule: the marrow decides. Of the blood counts around it the one that gives the best response is taken; what was known
before is the baseline, and the best response of the earlier assessments.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from datetime import date
from itertools import accumulate

from patients.anchors import (
    baseline_marrow,
    blasts_of,
    count_of,
    cycle_starts,
    days_after,
    last_before_first_dose,
    marrow_on,
    new_therapy_days,
    reading_of,
    response_of,
)
from patients.response import NE, Before, Count, Extramedullary, assess_with_counts, strongest
from trial.edit_checks import Casebook, Record

# An examination for extramedullary disease belongs to a marrow when it was at most so many days before it.
EXTRAMEDULLARY_DAYS_BEFORE = 14


def response_by_algorithm(assessment: Record, book: Casebook) -> str | None:
    """The response that follows from the records of that day; None where the assessment has no marrow."""
    day = day_of(assessment, book)
    marrow = marrow_on(book, day) if day is not None else None
    if day is None or marrow is None:
        return None
    outside = examination(assessment, book, day)
    response, _ = assess_with_counts(
        reading_of(marrow),
        day,
        counts_beside(book, day),
        Extramedullary(outside.status, outside.has_csf_blasts) if outside is not None else None,
        known_before(book, day),
        uses_cri=book.parameters.uses_cri,
    )
    return response


def day_of(assessment: Record, book: Casebook) -> date | None:
    """The day of the marrow that an assessment names, else its own."""
    marrow = book.find("BM", assessment.marrow_id)
    day: date | None = (marrow.sampled_on if marrow is not None else None) or assessment.assessed_on
    return day


def last_day_beside(book: Casebook, day: date) -> date:
    """The last day of what may be read with a marrow: inside the window, and before other therapy that began after it."""
    latest = days_after(day, book.parameters.count_window_after_days)
    later = [start.earliest for start in new_therapy_days(book) if start.earliest > day]
    return min([latest, *(days_after(start, -1) for start in later)])


def counts_beside(book: Casebook, day: date) -> list[Count]:
    """The blood counts that may be read with a marrow: inside the window, and before the next cycle's infusion."""
    earliest, latest = days_after(day, -book.parameters.count_window_before_days), last_day_beside(book, day)
    following = min((row.started_at for row in cycle_starts(book).values() if row.started_on > day), default=None)
    rows = book.once(_counts)
    near = slice(
        bisect_left(rows, earliest, key=lambda row: row.taken_on),
        bisect_right(rows, latest, key=lambda row: row.taken_on),
    )
    return [as_count(sample) for sample in rows[near] if following is None or sample.taken_at < following]


def _counts(book: Casebook) -> Sequence[Record]:
    """The blood counts in the order of their days."""
    return sorted((row for row in book.all("LBH") if row.taken_at), key=lambda row: row.taken_on)


def as_count(sample: Record) -> Count:
    """A blood count as the algorithm reads it."""
    values = [count_of(sample, test) for test in ("NEUT", "PLAT", "BLAST", "BLASTLE")]
    return Count(sample.key, sample.taken_on, *(None if value is None else float(value) for value in values))


def examination(assessment: Record, book: Casebook, day: date) -> Record | None:
    """The examination for extramedullary disease that the assessment names, else the nearest to the marrow."""
    if (named := book.find("EMD", assessment.extramedullary_id)) is not None:
        return named
    first, last = days_after(day, -EXTRAMEDULLARY_DAYS_BEFORE), last_day_beside(book, day)
    near = examined(book, first, last)
    seen = [row for row in near if row.status not in (None, "NOT ASSESSED") or row.has_csf_blasts is not None]
    return min(seen, key=lambda row: (abs((row.assessed_on - day).days), row.assessed_on), default=None)


def examined(book: Casebook, first: date, last: date) -> Sequence[Record]:
    """The examinations for extramedullary disease from one day to another, in the order of their days."""
    rows = book.once(_examinations)
    return rows[
        bisect_left(rows, first, key=lambda row: row.assessed_on) : bisect_right(
            rows, last, key=lambda row: row.assessed_on
        )
    ]


def _examinations(book: Casebook) -> Sequence[Record]:
    return sorted((row for row in book.all("EMD") if row.assessed_on), key=lambda row: row.assessed_on)


def _best_until(book: Casebook) -> tuple[Sequence[date], Sequence[str]]:
    """The days of the assessments in their order, and the best response until each."""
    rows = sorted((row for row in book.all("RS") if row.assessed_on), key=lambda row: row.assessed_on)
    best = accumulate((strongest([response_of(row) or NE]) for row in rows), lambda *both: strongest(both))
    return [row.assessed_on for row in rows], list(best)


def known_before(book: Casebook, day: date) -> Before:
    """Blasts at baseline, and the best response of the assessments before that day."""
    blood = count_of(last_before_first_dose(book, "LBH"), "BLAST")
    days, responses = book.once(_best_until)
    earlier = bisect_left(days, day)
    best = responses[earlier - 1] if earlier else strongest(())
    return Before(blasts_of(baseline_marrow(book)), None if blood is None else float(blood), best)

"""Whether treatment brought an adverse event: by days, never by time of day (STUDY C.7.1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from trial.partial_dates import PartialDate


@dataclass(frozen=True, slots=True)
class Window:
    """The days on which an event that begins is treatment-emergent, both included."""

    first: date
    last: date


def is_treatment_emergent(
    started: PartialDate | None,
    ended: PartialDate | None,
    window: Window,
    *,
    grade_before: float | None = None,
    grades_during: Sequence[float] = (),
) -> bool:
    """Whether an event is treatment-emergent (STUDY C.7.1): by days, and for partial dates by every day it could be.

    `grade_before` is the grade at the first dose of an event that began earlier, `grades_during` are the grades of its
    history inside the window. Of an unknown onset, and of an unknown grade before, the cautious reading is taken: it
    counts unless it was over before the first dose.
    """
    if ended is not None and ended.latest < window.first:
        return False
    if started is None:
        return True
    if started.latest < window.first:
        return any(grade_before is None or grade > grade_before for grade in grades_during)
    return started.earliest <= window.last

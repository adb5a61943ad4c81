"""What can never be true of two dates of one form, where either may be known in part.

The rule (STUDY B.2): two partial dates contradict each other only where no pair of possible days agrees. Cut to the
shorter of the two texts, the order of the texts is the order of what is known.
"""

from django.db.models import CheckConstraint, F, Q, TextField
from django.db.models.expressions import Func
from django.db.models.functions import Cast, Least, Length, Substr
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan

FULL_DATE = len("2014-03-12")


def in_order(first: str, second: str, *, name: str, says: str, may_be_same_day: bool = True) -> CheckConstraint:
    """The database's refusal of a `second` date that lies before the `first`, or on its day where that is impossible.

    Both name a `PartialDateField` or a `FullDateField`; a blank date contradicts nothing. `says` is for people.
    """
    earlier, later = _common_part(first, second), _common_part(second, first)
    condition = Q(GreaterThanOrEqual(later, earlier))
    if not may_be_same_day:
        day_unknown = Q(LessThan(_known_length(first, second), FULL_DATE))
        condition = Q(GreaterThan(later, earlier)) | (Q(Exact(later, earlier)) & day_unknown)
    return CheckConstraint(condition=condition, name=name, violation_error_message=says)


def _common_part(name: str, other: str) -> Func:
    return Substr(_text(name), 1, _known_length(name, other))


def _known_length(first: str, second: str) -> Func:
    return Least(Length(_text(first)), Length(_text(second)))


def _text(name: str) -> Func:
    return Cast(F(name), TextField())

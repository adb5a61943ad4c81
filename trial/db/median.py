"""The median in one statement, on both engines: PostgreSQL has an aggregate for it, SQLite is given one."""

from statistics import median
from typing import Any

from django.db.models import Aggregate, DurationField

SQLITE_NAME = "marrow_median"


class MedianDuration(Aggregate):
    """The median of durations; None of none."""

    template = "PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """The aggregate that each connection is given."""
        return super().as_sql(compiler, connection, template=f"{SQLITE_NAME}(%(expressions)s)", **extra)


class MedianOfNumbers:
    """What SQLite calls: a duration is a whole number of microseconds there."""

    def __init__(self) -> None:
        self.numbers: list[int] = []

    def step(self, number: int | None) -> None:
        """Take one number in."""
        if number is not None:
            self.numbers.append(number)

    def finalize(self) -> int | None:
        """The median of all of them."""
        return round(median(self.numbers)) if self.numbers else None

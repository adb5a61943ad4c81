"""Asking any instant: what the records of a model were."""

from datetime import datetime
from typing import Any

from django.db import models

from trial.audit.records import HistoryQuerySet


def rows_as_of(model: type[models.Model], instant: datetime) -> HistoryQuerySet:
    """The history rows that hold what each record of a tracked model was at an instant, that instant included.

    Deleted records are left out. Follow with `.values_list(...)`: the columns of the record are the columns of its history.
    """
    reader: Any = model.history  # type: ignore[attr-defined]  # every tracked model has one
    rows: HistoryQuerySet = reader.rows_as_of(instant)
    return rows

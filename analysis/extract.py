"""The one door from records to analysis: frames of the records, for this viewer, live or as of any instant (DESIGN 2, idea 3).

The rule: one query a form, whatever the number of patients, inside one snapshot. What a viewer may not see is not read.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Final

import numpy as np
import pandas as pd
from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import QuerySet

from analysis.catalogue import NotInCatalogue
from trial.access import Permission, Viewer, patients_visible_to, sees_all_patients
from trial.audit import rows_as_of, snapshot
from trial.fields import (
    CodesField,
    FullDateField,
    MomentField,
    NumberField,
    OffsetField,
    RatioField,
    WholeNumberField,
    YesNoField,
)
from trial.models import Patient, Site, Study
from trial.parameters import Parameters
from trial.records import PatientRecord, record_models


class Operator(Enum):
    """Who runs a command on the machine itself: whoever can do that can read the database anyway."""

    EVERYTHING = "every patient"


EVERYTHING: Final = Operator.EVERYTHING

# Of the tall table of results only what an output asks for: it is as large as all the others together.
TESTS_READ = ("NEUT", "PLAT", "BLAST", "BLASTLE", "WBC", "HGB")
ONLY = {"LBH.RESULT": ("sample_id", "test", "value", "value_text")}

ALL_SITES = "all sites"


@dataclass(frozen=True, eq=False)
class Extract:
    """The records of a study as they were at an instant, one frame a form, and what the report has to say of them.

    `as_of` is the settled instant (UTC) that the frames hold whole; `cutoff` the clinical cut-off that derivations apply;
    `scope` whose patients these are, in words. Frames have `patient`, `record`, then the columns of the form.
    """

    study: Study
    as_of: datetime
    cutoff: date
    frames: dict[str, pd.DataFrame]
    parameters: Parameters
    scope: str


def extract(
    viewer: Viewer | Operator,
    study: Study,
    *,
    as_of: datetime | None = None,
    cutoff: date | None = None,
    patients: Sequence[str] | None = None,
    forms: Collection[str] | None = None,
    permission: Permission = Permission.PATIENTS_VIEW,
) -> Extract:
    """Read the records of a study: those this viewer may see, live or as of an instant, of all patients and forms or of some.

    With a `permission`, those that the viewer's roles with that permission see.
    The cut-off is the earlier of the one asked for (else the study's) and the day of the instant (DESIGN 9). Raises
    `NotInCatalogue` for an instant that is not over yet, or at which the study was not there.
    """
    with snapshot() as settled:
        if as_of is not None and as_of > settled:
            raise NotInCatalogue(
                f"The instant {instant_text(as_of)} is not over yet. Give one up to {instant_text(settled)}.",
                status=400,
            )
        then = study if as_of is None else _study_at(study, as_of)
        scoped = _patients(viewer, study, permission, as_of)
        if patients is not None:
            scoped = scoped.filter(number__in=list(patients))
        subjects = _subjects(scoped, as_of)
        number_of = dict(zip(subjects["record"], subjects["patient"], strict=True))
        frames = {"SUBJ": subjects.drop(columns="record")}
        for model in record_models():
            if forms is not None and model.form.code not in forms:
                continue
            frames[model.form.code] = _frame(model, scoped, number_of, as_of)
        scope = _scope(viewer, study, permission, subjects)
    instant = as_of or settled
    return Extract(
        study=then,
        as_of=instant,
        cutoff=min(cutoff or then.data_cutoff, instant.astimezone(UTC).date()),
        frames=frames,
        parameters=then.parameters,
        scope=scope,
    )


def instant_text(instant: datetime) -> str:
    """An instant as the interfaces write it: `2017-03-01T09:00:00Z`, with the fraction of the second where there is one."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _study_at(study: Study, as_of: datetime) -> Study:
    """The study with its parameters as they were: a changed parameter does not change an old report."""
    row = rows_as_of(Study, as_of).filter(id=study.pk).first()
    if row is None:
        first = (
            Study.history.filter(id=study.pk).order_by("recording__at").values_list("recording__at", flat=True).first()
        )
        since = f" Give one from {instant_text(first)} on." if first else ""
        raise NotInCatalogue(f"At {instant_text(as_of)} {study} was not recorded yet.{since}", status=400)
    then: Study = row.instance
    return then


def _patients(
    viewer: Viewer | Operator, study: Study, permission: Permission, as_of: datetime | None
) -> "QuerySet[Any]":
    """The patients of the study whom the viewer may see, live or as rows of history."""
    rows: QuerySet[Any] = Patient.objects.all() if as_of is None else rows_as_of(Patient, as_of)
    rows = rows.filter(study_id=study.pk)
    if isinstance(viewer, Operator) or sees_all_patients(viewer, study, permission):
        return rows
    return rows.filter(id__in=patients_visible_to(viewer, permission).values("id"))


def _subjects(scoped: "QuerySet[Any]", as_of: datetime | None) -> pd.DataFrame:
    """A row a patient: number, record, and the site's number, country and region."""
    rows = list(scoped.order_by("number").values_list("number", "id", "site_id"))
    sites: Iterable[Any] = Site.objects.all() if as_of is None else rows_as_of(Site, as_of)
    by_id = {site.id: (site.number, site.country, _region(site.country)) for site in sites}
    found = [(number, key, *by_id[site]) for number, key, site in rows]
    return pd.DataFrame(found, columns=["patient", "record", "site", "country", "region"])


def _region(country: str) -> str:
    return Site(country=country).region


def _frame(
    model: type[PatientRecord], scoped: "QuerySet[Any]", number_of: dict[int, str], as_of: datetime | None
) -> pd.DataFrame:
    """The records of one form: `patient`, `record`, then its references and answers. Sorted by patient, then record."""
    code = model.form.code
    rows: QuerySet[Any] = model._default_manager.all() if as_of is None else rows_as_of(model, as_of)
    rows = rows.filter(patient_id__in=scoped.order_by().values("id"))
    if code == "LBH.RESULT":
        rows = rows.filter(test__in=TESTS_READ)
    fields = _columns(model)
    found = _fetch(
        rows.order_by("patient_id", "id").values_list("patient_id", "id", *(field.attname for field in fields))
    )
    if list(number_of) != sorted(number_of):  # the order of the numbers is not that of the keys
        place = {key: at for at, key in enumerate(number_of)}
        found.sort(key=lambda row: place[row[0]])

    by_column: list[Sequence[Any]] = list(zip(*found, strict=True)) or [()] * (len(fields) + 2)
    data: dict[str, Any] = {
        "patient": _objects([number_of[key] for key in by_column[0]]),
        "record": np.array(by_column[1], dtype="int64"),
    }
    for field, values in zip(fields, by_column[2:], strict=True):
        data[field.attname] = _array(field, values)
    return pd.DataFrame(data, copy=False)


def _fetch(rows: "QuerySet[Any]") -> list[tuple[Any, ...]]:
    """The rows of a query as the database gives them. Django would convert each value alone, at three times the price."""
    try:
        sql, parameters = rows.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def _columns(model: type[PatientRecord]) -> "list[models.Field[Any, Any]]":
    """The references to other records, then the answers, in the order of the form."""
    references: list[models.Field[Any, Any]] = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey) and field.name not in ("patient", "entry")
    ]
    columns = [*references, *model.answers()]
    wanted = ONLY.get(model.form.code)
    return [field for field in columns if wanted is None or field.attname in wanted]


def _array(field: "models.Field[Any, Any]", values: Sequence[Any]) -> "np.ndarray[Any, Any]":
    """The values of one column in the type that derivations expect: dates and moments as naive UTC, numbers as floats.

    SQLite gives days, moments and lists as text and yes or no as 1 or 0, PostgreSQL gives them as objects.
    """
    if isinstance(field, FullDateField):
        return np.array(values, dtype="datetime64[D]").astype("datetime64[ns]")
    if isinstance(field, MomentField):
        naive = [
            value.astimezone(UTC).replace(tzinfo=None) if isinstance(value, datetime) else value for value in values
        ]
        return np.array(naive, dtype="datetime64[us]").astype("datetime64[ns]")
    if isinstance(field, (NumberField, RatioField, WholeNumberField, OffsetField, models.ForeignKey)):
        return np.array(values, dtype="float64")
    if isinstance(field, YesNoField):
        return _objects([None if value is None else bool(value) for value in values])
    if isinstance(field, CodesField):
        read = {text: json.loads(text) for text in set(values) if isinstance(text, str)}
        return _objects([read[value] if isinstance(value, str) else value for value in values])
    return _objects(values)


def _objects(values: Sequence[Any]) -> "np.ndarray[Any, Any]":
    column = np.empty(len(values), dtype=object)  # not np.array(values): it would make a matrix of lists
    column[:] = values
    return column


def _scope(viewer: Viewer | Operator, study: Study, permission: Permission, subjects: pd.DataFrame) -> str:
    if isinstance(viewer, Operator) or sees_all_patients(viewer, study, permission):
        return ALL_SITES
    sites = sorted(set(subjects["site"]))
    return f"site {', '.join(sites)} only" if sites else "no site"

"""What the derivations read from each form: one class a form, its fields named like the columns of the frame.

A class is the whole declaration. `read` turns the rows of a frame into it, patient by patient; blank is None.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, get_type_hints

import numpy as np
import pandas as pd

from patients.exposure import Interval, site_time
from patients.measured import as_counted, split_qualifier
from patients.response import Count
from trial.partial_dates import PartialDate, parse

Frames = Mapping[str, pd.DataFrame]
R = TypeVar("R", bound=tuple[Any, ...])


class Enrolment(NamedTuple):
    record: int
    consented_on: date | None
    is_enrolled: bool | None
    enrolled_on: date | None
    cohort: str | None


class Demographics(NamedTuple):
    record: int
    born_on: PartialDate | None
    sex: str | None
    races: tuple[str, ...]
    ethnicity: str | None


class LeukemiaHistory(NamedTuple):
    record: int
    immunophenotype: str | None
    cytogenetics: tuple[str, ...]
    has_reached_cr: bool | None
    first_cr_on: PartialDate | None
    first_relapse_on: PartialDate | None
    relapses: float | None
    status: str | None
    had_extramedullary_disease: bool | None
    had_cns_disease: bool | None
    had_neurologic_events: bool | None


class PriorTherapy(NamedTuple):
    record: int
    kind: str | None
    timing_to_transplant: str | None
    started_on: PartialDate | None


class Transplant(NamedTuple):
    record: int
    number: float | None
    kind: str | None
    transplanted_on: PartialDate | None
    status: str | None
    donor: str | None
    hla_match: str | None
    graft: str | None
    conditioning: str | None
    conditioning_agents: str | None
    tbi: str | None
    gvhd_prophylaxis: tuple[str, ...]
    chimerism_percent: float | None
    had_lymphocyte_infusion: bool | None
    had_acute_gvhd: bool | None
    acute_gvhd_grade: str | None
    had_chronic_gvhd: bool | None
    chronic_gvhd_severity: str | None
    has_relapsed: bool | None
    relapsed_on: PartialDate | None


class BaselineDisease(NamedTuple):
    record: int
    marrow_id: float | None
    has_extramedullary_disease: bool | None


class Visit(NamedTuple):
    record: int
    visited_on: date | None
    is_missed: bool | None


class PerformanceStatus(NamedTuple):
    record: int
    assessed_on: date | None
    ecog: float | None
    weight_kg: float | None
    height_cm: float | None


class Marrow(NamedTuple):
    record: int
    sampled_on: date | None
    reader: str | None
    specimens: tuple[str, ...]
    is_adequate: bool | None
    blasts_percent: float | None
    blasts_qualifier: str | None


class MrdAssay(NamedTuple):
    record: int
    marrow_id: float | None
    method: str | None
    sensitivity: float | None
    quantitative_range: float | None
    result: str | None
    level: float | None


class ExtramedullaryAssessment(NamedTuple):
    record: int
    assessed_on: date | None
    status: str | None
    has_csf_blasts: bool | None


class ResponseAssessment(NamedTuple):
    record: int
    assessed_on: date | None
    assessor: str | None
    marrow_id: float | None
    response: str | None
    adjudicated_response: str | None


class Cycle(NamedTuple):
    record: int
    number: float | None
    kind: str | None


class Sample(NamedTuple):
    """A sample of which only the day matters here: its results are in no output."""

    record: int
    taken_at: datetime | None
    taken_at_offset: float | None

    @property
    def taken_on(self) -> date | None:
        """The day, by the site's clock."""
        return site_time(self.taken_at, self.taken_at_offset).date() if self.taken_at else None


class VitalSigns(NamedTuple):
    record: int
    measured_at: datetime | None
    measured_at_offset: float | None

    @property
    def measured_on(self) -> date | None:
        """The day, by the site's clock."""
        return site_time(self.measured_at, self.measured_at_offset).date() if self.measured_at else None


class Dexamethasone(NamedTuple):
    record: int
    given_at: datetime | None
    given_at_offset: float | None
    dose_mg: float | None
    frequency: str | None
    last_day: PartialDate | None
    event_number: float | None

    @property
    def given_on(self) -> date | None:
        """The day, by the site's clock."""
        return site_time(self.given_at, self.given_at_offset).date() if self.given_at else None


class LaterTransplant(NamedTuple):
    record: int
    transplanted_on: date | None
    had_other_therapy: bool | None


class LaterTherapy(NamedTuple):
    record: int
    started_on: PartialDate | None


class Relapse(NamedTuple):
    record: int
    relapsed_on: PartialDate | None
    site: str | None


class SurvivalContact(NamedTuple):
    record: int
    contacted_on: date | None
    status: str | None
    last_alive_on: PartialDate | None
    disease: str | None
    last_assessed_on: PartialDate | None


class Death(NamedTuple):
    record: int
    died_on: PartialDate | None
    primary_cause: str | None
    disease: str | None


class EndOfTreatment(NamedTuple):
    record: int
    reason: str | None


class EndOfStudy(NamedTuple):
    record: int
    ended_on: date | None
    reason: str | None


class AdverseEvent(NamedTuple):
    record: int
    number: float | None
    term: str | None
    coded_term: str | None
    started: PartialDate | None
    ended: PartialDate | None
    is_ongoing: bool | None
    grade: float | None
    grade_at_onset: float | None
    is_serious: bool | None
    is_fatal: bool | None
    is_life_threatening: bool | None
    led_to_hospital: bool | None
    relation: str | None
    action: str | None
    outcome: str | None
    special_interest: tuple[str, ...]
    was_present_before: bool | None


class EventGrade(NamedTuple):
    record: int
    event_id: float | None
    began: PartialDate | None
    grade: float | None


class CytokineRelease(NamedTuple):
    record: int
    event_id: float | None
    treatments: tuple[str, ...]


class NeurologicEvent(NamedTuple):
    record: int
    event_id: float | None
    had_dexamethasone: bool | None


class AcuteGvhd(NamedTuple):
    record: int
    event_id: float | None
    assessed_on: date | None
    led_to_hospital: bool | None


class ChronicGvhd(NamedTuple):
    record: int
    event_id: float | None
    assessed_on: date | None


class Hospitalisation(NamedTuple):
    record: int
    event_id: float | None
    admitted_on: PartialDate | None
    discharged_on: PartialDate | None
    reason: str | None


class BloodCount(NamedTuple):
    """A blood sample with its results in 10^9/L, haemoglobin in g/L, blasts also in percent of leukocytes."""

    record: int
    taken_at: datetime
    taken_on: date
    leukocytes: float | None
    neutrophils: float | None
    platelets: float | None
    haemoglobin: float | None
    blasts: float | None
    blasts_percent: float | None

    @property
    def as_count(self) -> Count:
        """What the response asks of it."""
        return Count(self.record, self.taken_on, self.neutrophils, self.platelets, self.blasts, self.blasts_percent)


TESTS = ("WBC", "NEUT", "PLAT", "HGB", "BLAST", "BLASTLE")


@dataclass(slots=True)
class Casebook:
    """The forms of one patient, each as the list of its rows in the order of the records."""

    patient: str
    site: str | None = None
    country: str | None = None
    region: str | None = None
    enrolments: list[Enrolment] = field(default_factory=list)
    demographics: list[Demographics] = field(default_factory=list)
    histories: list[LeukemiaHistory] = field(default_factory=list)
    therapies: list[PriorTherapy] = field(default_factory=list)
    transplants: list[Transplant] = field(default_factory=list)
    baselines: list[BaselineDisease] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    performance: list[PerformanceStatus] = field(default_factory=list)
    vital_signs: list[VitalSigns] = field(default_factory=list)
    counts: list[BloodCount] = field(default_factory=list)
    chemistry: list[Sample] = field(default_factory=list)
    coagulation: list[Sample] = field(default_factory=list)
    marrows: list[Marrow] = field(default_factory=list)
    assays: list[MrdAssay] = field(default_factory=list)
    extramedullary: list[ExtramedullaryAssessment] = field(default_factory=list)
    responses: list[ResponseAssessment] = field(default_factory=list)
    cycles: list[Cycle] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)
    dexamethasone: list[Dexamethasone] = field(default_factory=list)
    later_transplants: list[LaterTransplant] = field(default_factory=list)
    later_therapies: list[LaterTherapy] = field(default_factory=list)
    relapses: list[Relapse] = field(default_factory=list)
    contacts: list[SurvivalContact] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    ends_of_treatment: list[EndOfTreatment] = field(default_factory=list)
    ends_of_study: list[EndOfStudy] = field(default_factory=list)
    events: list[AdverseEvent] = field(default_factory=list)
    grades: list[EventGrade] = field(default_factory=list)
    cytokine_releases: list[CytokineRelease] = field(default_factory=list)
    neurologic_events: list[NeurologicEvent] = field(default_factory=list)
    acute_gvhd: list[AcuteGvhd] = field(default_factory=list)
    chronic_gvhd: list[ChronicGvhd] = field(default_factory=list)
    stays: list[Hospitalisation] = field(default_factory=list)


# The list of the casebook that each form fills, and the class of its rows.
FORMS: dict[str, tuple[str, type[Any]]] = {
    "ENR": ("enrolments", Enrolment),
    "DM": ("demographics", Demographics),
    "ALLH": ("histories", LeukemiaHistory),
    "PTX": ("therapies", PriorTherapy),
    "HSCT": ("transplants", Transplant),
    "BDIS": ("baselines", BaselineDisease),
    "SV": ("visits", Visit),
    "PS": ("performance", PerformanceStatus),
    "VS": ("vital_signs", VitalSigns),
    "LBC": ("chemistry", Sample),
    "LBO": ("coagulation", Sample),
    "BM": ("marrows", Marrow),
    "MRD": ("assays", MrdAssay),
    "EMD": ("extramedullary", ExtramedullaryAssessment),
    "RS": ("responses", ResponseAssessment),
    "CYC": ("cycles", Cycle),
    "EX": ("intervals", Interval),
    "DEX": ("dexamethasone", Dexamethasone),
    "NSCT": ("later_transplants", LaterTransplant),
    "NTX": ("later_therapies", LaterTherapy),
    "REL": ("relapses", Relapse),
    "SFU": ("contacts", SurvivalContact),
    "DTH": ("deaths", Death),
    "EOT": ("ends_of_treatment", EndOfTreatment),
    "EOS": ("ends_of_study", EndOfStudy),
    "AE": ("events", AdverseEvent),
    "AE.GRADE": ("grades", EventGrade),
    "CRS": ("cytokine_releases", CytokineRelease),
    "NEU": ("neurologic_events", NeurologicEvent),
    "GVA": ("acute_gvhd", AcuteGvhd),
    "GVC": ("chronic_gvhd", ChronicGvhd),
    "HO": ("stays", Hospitalisation),
}

# What the derivations read of a study's forms; the samples of blood counts are put together with their results.
FORMS_READ = frozenset({*FORMS, "LBH", "LBH.RESULT", "WDR"})


def read_casebooks(frames: Frames) -> list[Casebook]:
    """The casebook of every patient of `SUBJ`, in the order of their numbers. A form without rows is an empty list.

    An infusion interval without a start, and a blood sample without a moment, are left out: nobody can say when.
    """
    subjects = frames["SUBJ"]
    books = {
        patient: Casebook(patient, site, country, region)
        for patient, site, country, region in zip(
            *(subjects[name].tolist() for name in ("patient", "site", "country", "region")), strict=True
        )
    }
    for form, (name, row_type) in FORMS.items():
        frame = frames[form]
        if form == "EX":
            frame = frame[frame["started_at"].notna() & frame["cycle"].notna() & frame["dose_ug_per_day"].notna()]
        for patient, row in zip(frame["patient"].tolist(), read(frame, row_type), strict=True):
            getattr(books[patient], name).append(row)
    for patient, count in _blood_counts(frames["LBH"], frames["LBH.RESULT"]):
        books[patient].counts.append(count)
    return [books[patient] for patient in sorted(books)]


def read(frame: pd.DataFrame, row_type: type[R]) -> list[R]:
    """The rows of a frame as tuples of `row_type`, whose annotations say how each column is read."""
    columns = [_VALUES[hint](frame[name]) for name, hint in get_type_hints(row_type).items()]
    return list(map(row_type._make, zip(*columns, strict=True)))  # type: ignore[attr-defined]  # every row is a NamedTuple


def _blood_counts(samples: pd.DataFrame, results: pd.DataFrame) -> list[tuple[str, BloodCount]]:
    """The samples with their results beside them, in the order of their moments. `results` is tall, a row a result."""
    samples = samples[samples["taken_at"].notna()]
    wide = np.full((len(samples), len(TESTS)), np.nan)
    row = pd.Index(samples["record"]).get_indexer(results["sample_id"].to_numpy(dtype="float64"))
    column = pd.Index(TESTS).get_indexer(pd.Index(results["test"]))
    wanted = (row >= 0) & (column >= 0)
    wide[row[wanted], column[wanted]] = _counted(results)[wanted]
    offsets = np.nan_to_num(samples["taken_at_offset"].to_numpy(dtype="float64")).astype("timedelta64[m]")
    days = _days(samples["taken_at"] + offsets)
    values = (_numbers(pd.Series(wide[:, place])) for place in range(len(TESTS)))
    rows = map(
        BloodCount._make, zip(samples["record"].tolist(), _moments(samples["taken_at"]), days, *values, strict=True)
    )
    return sorted(
        zip(samples["patient"].tolist(), rows, strict=True), key=lambda pair: (pair[1].taken_at, pair[1].record)
    )


def _counted(results: pd.DataFrame) -> "np.ndarray[Any, Any]":
    """The number that each result stands for: of one beyond what can be measured its limit, or none (`as_counted`)."""
    values = results["value"].to_numpy(dtype="float64", copy=True)
    for at, (test, text) in enumerate(zip(results["test"], results["value_text"], strict=True)):
        qualifier = split_qualifier(text)[0] if isinstance(text, str) and not text[:1].isdigit() else ""
        if qualifier and values[at] == values[at]:
            values[at] = float(as_counted(test, Decimal(values[at]), qualifier))
    return values


def _numbers(column: pd.Series) -> list[float | None]:
    return [None if value != value else value for value in column.to_numpy(dtype="float64").tolist()]


def _whole_numbers(column: pd.Series) -> list[int]:
    return column.to_numpy(dtype="int64").tolist()


def _days(column: pd.Series) -> list[date | None]:
    return column.to_numpy().astype("datetime64[D]").tolist()


def _moments(column: pd.Series) -> list[Any]:
    return column.to_numpy().astype("datetime64[us]").tolist()


def _partial_dates(column: pd.Series) -> list[PartialDate | None]:
    return [parse(text) if text else None for text in _objects(column)]


def _codes(column: pd.Series) -> list[tuple[str, ...]]:
    return [tuple(codes) if codes else () for codes in _objects(column)]


def _objects(column: pd.Series) -> list[Any]:
    return [None if value is None or value != value else value for value in column.tolist()]


_VALUES: dict[Any, Callable[[pd.Series], list[Any]]] = {
    int: _whole_numbers,
    float: _numbers,
    float | None: _numbers,
    bool | None: _objects,
    str | None: _objects,
    date | None: _days,
    datetime: _moments,
    datetime | None: _moments,
    PartialDate | None: _partial_dates,
    tuple[str, ...]: _codes,
}

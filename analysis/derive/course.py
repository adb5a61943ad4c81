"""The anchors of one patient's course (STUDY C.1): doses, cycles, later therapy, relapses, last sign of life, death.

Whatever is dated after the clinical cut-off does not exist here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from analysis.derive.imputation import (
    impute_death,
    impute_later_therapy,
    impute_relapse,
    impute_start,
)
from analysis.derive.rows import AdverseEvent, Casebook, Death
from patients.exposure import CycleExposure, Exposure, Interval, derive_exposure
from trial.parameters import Parameters
from trial.partial_dates import PartialDate

ALIVE = frozenset({"ALIVE IN REMISSION", "ALIVE WITH DISEASE", "ALIVE STATUS UNKNOWN"})


class Evidence(NamedTuple):
    """A day, and the field of the record that says so. `latest` is the last day that it could be."""

    on: date
    form: str
    field: str
    record: int
    flag: str | None = None
    latest: date | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One patient's anchors at a cut-off. `starts` has the day on which each cycle began.

    `block` is the study treatment proper, without retreatment (STUDY F-30). `last_day` is that of observation: the
    cut-off, or the last day on which the patient can have lived.
    """

    cutoff: date
    exposure: Exposure
    starts: Mapping[int, date]
    block: Exposure
    first_dose_at: datetime | None
    first_dose_on: date | None
    last_dose_on: date | None
    later_transplants: tuple[Evidence, ...]
    new_therapy: Evidence | None
    other_therapy: Evidence | None
    relapses: tuple[Evidence, ...]
    last_alive: Evidence | None
    death: Evidence | None
    last_day: date

    @property
    def last_alive_on(self) -> date | None:
        """The day of the last sign of life."""
        return self.last_alive.on if self.last_alive else None

    def next_cycle(self, day: date) -> CycleExposure | None:
        """The first cycle after the first one that began on this day or later."""
        later = (cycle for cycle in self.exposure.cycles[1:] if cycle.started_on >= day)
        return min(later, key=lambda cycle: cycle.started_at, default=None)


def derive_course(book: Casebook, parameters: Parameters, cutoff: date) -> Course:
    """The anchors of one patient (STUDY C.1). A death of which only the month is known is dated last, by C.12."""
    death = _recorded_death(book, cutoff)
    life_ends = death.died_on.latest if death and death.died_on else None
    last_day = min(cutoff, life_ends or cutoff)
    exposure = derive_exposure(book.intervals, parameters, cutoff, life_ends)
    retreatment = {cycle.number for cycle in book.cycles if cycle.kind == "RETREATMENT"}
    first = min(exposure.cycles, key=lambda cycle: cycle.started_at, default=None)
    first_dose_on = first.started_on if first else None
    last_dose_on = max((cycle.ended_on for cycle in exposure.cycles), default=None)

    transplants = _after(first_dose_on, cutoff, _transplants(book))
    therapies = _after(first_dose_on, cutoff, _therapies(book, last_dose_on))
    relapses = [(evidence, site) for evidence, site in _relapses(book, life_ends) if evidence.on <= cutoff]
    signs = [
        *_signs_of_life(book, first_dose_on, last_day),
        *transplants,
        *therapies,
        *(evidence for evidence, _ in relapses),
    ]
    last_alive = max((sign for sign in signs if sign.on <= last_day), key=lambda sign: sign.on, default=None)
    return Course(
        cutoff=cutoff,
        exposure=exposure,
        starts={cycle.cycle: cycle.started_on for cycle in exposure.cycles},
        block=Exposure(tuple(cycle for cycle in exposure.cycles if cycle.cycle not in retreatment)),
        first_dose_at=first.started_at if first else None,
        first_dose_on=first_dose_on,
        last_dose_on=last_dose_on,
        later_transplants=tuple(transplants),
        new_therapy=min([*transplants, *therapies], default=None),
        other_therapy=min(therapies, default=None),
        relapses=tuple(evidence for evidence, site in relapses if site != "MOLECULAR ONLY"),
        last_alive=last_alive,
        death=_date_of_death(death, last_alive, cutoff),
        last_day=last_day,
    )


def _recorded_death(book: Casebook, cutoff: date) -> Death | None:
    """The death that could have happened by the cut-off."""
    recorded = (death for death in book.deaths if death.died_on and death.died_on.earliest <= cutoff)
    return next(recorded, None)


def _date_of_death(death: Death | None, last_alive: Evidence | None, cutoff: date) -> Evidence | None:
    if death is None or death.died_on is None:
        return None
    on, flag = impute_death(death.died_on, last_alive.on if last_alive else None, cutoff)
    return Evidence(on, "DTH", "DTHDAT", death.record, flag)


def _after(first_dose: date | None, cutoff: date, found: Iterator[Evidence]) -> list[Evidence]:
    """What came after the first dose, in order. Edit check EC-199 asks about what is said to be later and is not."""
    return sorted(each for each in found if first_dose is not None and first_dose < each.on <= cutoff)


def _transplants(book: Casebook) -> Iterator[Evidence]:
    for row in book.later_transplants:
        if row.transplanted_on:
            yield Evidence(row.transplanted_on, "NSCT", "NSDAT", row.record)


def _therapies(book: Casebook, last_dose: date | None) -> Iterator[Evidence]:
    for row in book.later_therapies:
        if row.started_on:
            on, flag = impute_later_therapy(row.started_on, last_dose)
            yield Evidence(on, "NTX", "NTSTDAT", row.record, flag)


def _relapses(book: Casebook, life_ends: date | None) -> Iterator[tuple[Evidence, str | None]]:
    for row in book.relapses:
        if row.relapsed_on:
            on, flag = impute_relapse(row.relapsed_on, life_ends)
            yield Evidence(on, "REL", "RELDAT", row.record, flag, row.relapsed_on.latest), row.site


def _signs_of_life(book: Casebook, first_dose: date | None, last_day: date) -> Iterator[Evidence]:
    """The last sign of life of each kind up to a day; relapse and later treatment are elsewhere."""
    for form, field, days in (
        ("SV", "SVSTDAT", [(row.visited_on, row.record) for row in book.visits if not row.is_missed]),
        ("PS", "PSDAT", [(row.assessed_on, row.record) for row in book.performance]),
        ("VS", "VSDTM", [(row.measured_on, row.record) for row in book.vital_signs]),
        ("LBH", "LBDTM", [(row.taken_on, row.record) for row in book.counts]),
        ("LBC", "LBDTM", [(row.taken_on, row.record) for row in book.chemistry]),
        ("LBO", "LBDTM", [(row.taken_on, row.record) for row in book.coagulation]),
        ("BM", "BMDAT", [(row.sampled_on, row.record) for row in book.marrows]),
        ("EMD", "EMDDAT", [(row.assessed_on, row.record) for row in book.extramedullary]),
        ("RS", "RSDAT", [(row.assessed_on, row.record) for row in book.responses]),
        ("DEX", "DEXDTM", [(row.given_on, row.record) for row in book.dexamethasone]),
        ("GVA", "GVDAT", [(row.assessed_on, row.record) for row in book.acute_gvhd]),
        ("GVC", "GVDAT", [(row.assessed_on, row.record) for row in book.chronic_gvhd]),
        ("HO", "HOADMDAT", [(_first_day(row.admitted_on), row.record) for row in book.stays]),
        ("HO", "HODISDAT", [(_first_day(row.discharged_on), row.record) for row in book.stays]),
        ("SFU", "SFUDAT", [(row.contacted_on, row.record) for row in book.contacts if row.status in ALIVE]),
        ("SFU", "LASTALIV", [(_first_day(row.last_alive_on), row.record) for row in book.contacts]),
        ("SFU", "LASTASS", [(_first_day(row.last_assessed_on), row.record) for row in book.contacts]),
        ("AE", "AESTDTM", [(_onset(event, first_dose), event.record) for event in book.events]),
        ("EX", "EXSTDTM", [(row.started_on, row.record) for row in book.intervals]),
        ("EX", "EXENDTM", [(_seen_until(row, last_day), row.record) for row in book.intervals]),
    ):
        last = max([(on, record) for on, record in days if on is not None and on <= last_day], default=None)
        if last is not None:
            yield Evidence(last[0], form, field, last[1])


def _first_day(known: PartialDate | None) -> date | None:
    """The first day that it could be: the careful reading of a sign of life (C.12)."""
    return known.earliest if known else None


def _onset(event: AdverseEvent, first_dose: date | None) -> date | None:
    return impute_start(event.started, event.ended, first_dose).on if event.started else None


def _seen_until(infusion: Interval, last_day: date) -> date | None:
    """The day on which an infusion ended; one that ran past the last day was seen to run on that day."""
    if infusion.ended_on is None or infusion.started_on > last_day:
        return None
    return min(infusion.ended_on, last_day)

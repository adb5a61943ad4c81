"""Response and MRD of one patient over time, and the best within the first cycles (STUDY C.2 to C.4).

The marrow decides. What an assessor wrote counts where it was adjudicated, or where no marrow can be read.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple, cast

from analysis.derive.course import Course
from analysis.derive.rows import Casebook, ExtramedullaryAssessment, Marrow, MrdAssay, ResponseAssessment
from patients.response import (
    CR,
    NE,
    RELAPSE,
    RESPONSES,
    STRENGTH,
    Before,
    Count,
    Extramedullary,
    Mrd,
    Reading,
    assess_with_counts,
    mrd_category,
    read_blasts,
    strongest,
)
from trial.parameters import Parameters
from trial.schedule import cycle_of

# An examination for extramedullary disease belongs to a marrow when it was at most so many days before it; afterwards,
# as long as a blood count does. STUDY gives no window; 14 days is the last cycle week and the one before it.
EXTRAMEDULLARY_DAYS_BEFORE = 14


class Source(NamedTuple):
    """A day on which the disease was assessed, and the field of the record that says so."""

    on: date
    form: str
    field: str
    record: int


class Assessment(NamedTuple):
    """One response assessment. `source` says whose word it is; the records are those it was derived from."""

    on: date
    cycle: int | None
    response: str
    source: str
    algorithm: str
    form: str
    record: int
    count_record: int | None
    extramedullary_record: int | None
    in_window: bool


class MrdSample(NamedTuple):
    """The MRD category of one marrow sample, with the methods used and the record of the first assay."""

    on: date
    cycle: int | None
    category: str
    methods: str
    record: int
    in_window: bool


@dataclass(frozen=True, slots=True)
class Baseline:
    """Disease at baseline: marrow blasts in percent, and blood blasts in 10^9/L."""

    marrow_blasts: float | None
    blood_blasts: float | None


@dataclass(frozen=True, slots=True)
class Responses:
    """All assessments of one patient in the order of their days, and what follows from them."""

    baseline: Baseline
    assessments: tuple[Assessment, ...]
    samples: tuple[MrdSample, ...]
    last_assessment: Source | None

    @property
    def in_window(self) -> list[Assessment]:
        """The assessments of the primary window."""
        return [each for each in self.assessments if each.in_window]

    @property
    def best(self) -> str:
        """The best response within the window; NE where there is no assessment (`BOR2`)."""
        return strongest(each.response for each in self.in_window)

    @property
    def response(self) -> Assessment | None:
        """The first CR or CRh in the window."""
        return next((each for each in self.in_window if each.response in RESPONSES), None)

    @property
    def complete_remission(self) -> Assessment | None:
        """The first CR in the window."""
        return next((each for each in self.in_window if each.response == CR), None)

    @property
    def best_assessment(self) -> Assessment | None:
        """The first assessment that shows the best response."""
        return max(self.in_window, key=lambda each: (STRENGTH[each.response], -each.on.toordinal()), default=None)

    @property
    def relapse(self) -> Assessment | None:
        """The first relapse that an assessment after the response shows."""
        first = self.response
        later = (each for each in self.assessments if first and each.on > first.on and each.response == RELAPSE)
        return next(later, None)

    @property
    def has_evaluable_mrd(self) -> bool:
        """Whether an MRD sample of the window can be evaluated."""
        return any(sample.in_window and sample.category != "NOT EVALUABLE" for sample in self.samples)

    def mrd_response(self, categories: Iterable[str]) -> MrdSample | None:
        """The first sample of the window, at or after the first CR or CRh, that is in one of these categories."""
        first, wanted = self.response, frozenset(categories)
        found = (
            sample
            for sample in self.samples
            if first and sample.in_window and sample.on >= first.on and sample.category in wanted
        )
        return next(found, None)


def derive_responses(book: Casebook, course: Course, parameters: Parameters) -> Responses:
    """The assessments after the first dose: one for each marrow, and one for each assessor's word without a marrow.

    A marrow of the day of first dose is of the baseline: it is taken before the infusion starts.
    """
    baseline = Baseline(derive_baseline_blasts(book, course), _baseline_blood_blasts(book, course))
    if course.first_dose_on is None:
        return Responses(baseline, (), (), None)
    assessor = _Assessor(book, course, parameters, window_end(course, parameters))
    assessments, readable = assessor.all(baseline)
    last = max([*readable, *assessor.without_marrow()], default=None)
    return Responses(baseline, tuple(assessments), tuple(assessor.mrd_samples()), last)


def window_end(course: Course, parameters: Parameters) -> date:
    """The first day after the primary window (STUDY C.4), for a patient who was treated.

    It is the start of the cycle after the window's cycles, else the planned end of the last one with the days of grace;
    in any case the start of other anticancer therapy.
    """
    first_dose = course.first_dose_on
    assert first_dose is not None  # the caller asks for treated patients only
    counted = [cycle for cycle in course.block.cycles if cycle.cycle <= parameters.response_cycles]
    beyond = [cycle.started_on for cycle in course.exposure.cycles if cycle not in counted]
    if beyond:
        end = min(beyond)
    else:
        last_start = max((cycle.started_on for cycle in counted), default=first_dose)
        days = parameters.days_on + parameters.days_off + parameters.response_grace_days
        end = last_start + timedelta(days=days)
    return min(end, course.new_therapy.on) if course.new_therapy else end


def derive_baseline_blasts(book: Casebook, course: Course) -> float | None:
    """The marrow blasts at baseline in percent: the central reading of the marrow that the site names as baseline.

    Without one it is the last central reading up to the day of first dose, and without that the last local one.
    """
    last = course.first_dose_on or course.cutoff
    marrows = [row for row in book.marrows if row.sampled_on and row.sampled_on <= last and _reading(row).is_readable]
    named = {row.marrow_id for row in book.baselines if row.marrow_id is not None}
    days = {row.sampled_on for row in book.marrows if row.record in named}
    for choice in (
        [row for row in marrows if row.reader == "CENTRAL" and row.sampled_on in days],
        [row for row in marrows if row.reader == "CENTRAL"],
        marrows,
    ):
        if choice:
            chosen = max(choice, key=lambda row: (row.sampled_on or last, row.record))
            return read_blasts(chosen.blasts_percent, chosen.blasts_qualifier)
    return None


def _baseline_blood_blasts(book: Casebook, course: Course) -> float | None:
    before = (
        count.blasts
        for count in reversed(book.counts)
        if count.blasts is not None
        and count.taken_on <= course.cutoff
        and (course.first_dose_at is None or count.taken_at < course.first_dose_at)
    )
    return next(before, None)


class _Assessor:
    """Reads one treated patient's marrows, counts, examinations and assays as assessments."""

    def __init__(self, book: Casebook, course: Course, parameters: Parameters, end: date) -> None:
        self.book, self.course, self.parameters, self.end = book, course, parameters, end
        self.counts = [count for count in book.counts if count.taken_on <= course.last_day]
        self.day_of = {row.record: row.sampled_on for row in book.marrows}

    def all(self, baseline: Baseline) -> tuple[list[Assessment], list[Source]]:
        """The assessments in the order of their days, and those at which the disease could be seen."""
        marrows: dict[date, list[Marrow]] = {}
        for row in self.book.marrows:
            if self.is_during_study(row.sampled_on):
                marrows.setdefault(cast(date, row.sampled_on), []).append(row)
        spoken: dict[date, list[ResponseAssessment]] = {}
        for word in self.book.responses:
            named = self.marrow_day(word.marrow_id)
            on = named or word.assessed_on
            if on is not None and self.is_during_study(on):
                about = named or self.nearest_marrow(on, marrows) or on
                spoken.setdefault(about, []).append(word)

        assessments: list[Assessment] = []
        readable: list[Source] = []
        best = NE
        for on in sorted({*marrows, *spoken}):
            before = Before(baseline.marrow_blasts, baseline.blood_blasts, best)
            marrow = _choose_marrow(marrows.get(on, []))
            assessment = self.assess(on, marrow, spoken.get(on, []), before)
            if assessment is None:
                continue
            assessments.append(assessment)
            best = max(best, assessment.response, key=STRENGTH.__getitem__)
            if marrow is not None and _reading(marrow).is_readable:
                readable.append(Source(on, "BM", "BMDAT", marrow.record))
            elif assessment.response != NE:
                readable.append(Source(on, assessment.form, "RSDAT", assessment.record))
        return assessments, readable

    def assess(
        self, on: date, marrow: Marrow | None, spoken: list[ResponseAssessment], before: Before
    ) -> Assessment | None:
        """The assessment of one day; None where there is neither a marrow nor a word that counts."""
        reading = _reading(marrow) if marrow else None
        outside = self.nearest_examination(on)
        algorithm, count = assess_with_counts(
            reading,
            on,
            self.counts_beside(on),
            Extramedullary(outside.status, outside.has_csf_blasts) if outside else None,
            before,
            uses_cri=self.parameters.uses_cri,
        )
        adjudicated = [row for row in spoken if row.adjudicated_response]
        investigators = [row for row in spoken if row.assessor == "LOCAL" and row.response]
        is_readable = reading is not None and reading.is_readable
        if adjudicated:
            word = adjudicated[-1]
            response, source, form, record = word.adjudicated_response or NE, "ADJUDICATED", "RS", word.record
        elif investigators and not is_readable:
            word = investigators[-1]
            response, source, form, record = word.response or NE, "INVESTIGATOR", "RS", word.record
        elif marrow is not None:
            response, source, form, record = algorithm, "ALGORITHM", "BM", marrow.record
        else:
            return None
        return Assessment(
            on=on,
            cycle=cycle_of(on, self.course.starts),
            response=response,
            source=source,
            algorithm=algorithm,
            form=form,
            record=record,
            count_record=count.record if count else None,
            extramedullary_record=outside.record if outside else None,
            in_window=on < self.end,
        )

    def counts_beside(self, on: date) -> list[Count]:
        """The blood counts that may be read with a marrow: inside the window, and before what would change them.

        That is the infusion of the next cycle, and other therapy that began after the marrow.
        """
        earliest = on - timedelta(days=self.parameters.count_window_before_days)
        latest = self.latest_beside(on)
        following = self.course.next_cycle(on)
        return [
            count.as_count
            for count in self.counts
            if earliest <= count.taken_on <= latest and (following is None or count.taken_at < following.started_at)
        ]

    def nearest_marrow(self, said_on: date, marrows: Iterable[date]) -> date | None:
        """The day of the marrow that an assessor's word is about which names none: the nearest, then the earlier one.

        The word is dated in the window of the blood counts around the marrow, and no cycle begins between the two.
        """
        before = timedelta(days=self.parameters.count_window_before_days)
        near = []
        for on in marrows:
            following = self.course.next_cycle(min(on, said_on))
            is_same_cycle = following is None or max(on, said_on) <= following.started_on
            if on - before <= said_on <= self.latest_beside(on) and is_same_cycle:
                near.append((abs((said_on - on).days), on))
        return min(near)[1] if near else None

    def nearest_examination(self, on: date) -> ExtramedullaryAssessment | None:
        """The examination for extramedullary disease that is nearest to a marrow; of two equally near, the earlier."""
        earliest, latest = on - timedelta(days=EXTRAMEDULLARY_DAYS_BEFORE), self.latest_beside(on)
        if following := self.course.next_cycle(on):
            latest = min(latest, max(on, following.started_on - timedelta(days=1)))
        near = [
            (abs((row.assessed_on - on).days), row.assessed_on, row.record, row)
            for row in self.book.extramedullary
            if row.assessed_on and earliest <= row.assessed_on <= latest and _was_examined(row)
        ]
        return min(near)[-1] if near else None

    def latest_beside(self, on: date) -> date:
        """The last day of what may be read with a marrow: inside the window, before other therapy, and observed."""
        latest = min(on + timedelta(days=self.parameters.count_window_after_days), self.course.last_day)
        therapy = self.course.new_therapy
        if therapy is not None and on < therapy.on:
            latest = min(latest, therapy.on - timedelta(days=1))
        return latest

    def mrd_samples(self) -> Iterator[MrdSample]:
        """The MRD category of each marrow sample. An assay without its marrow has no date, so it is no sample."""
        samples: dict[date, list[MrdAssay]] = {}
        for row in self.book.assays:
            on = self.marrow_day(row.marrow_id)
            if self.is_during_study(on):
                samples.setdefault(cast(date, on), []).append(row)
        for on, rows in sorted(samples.items()):
            assays = [Mrd(row.result, row.sensitivity, row.quantitative_range, row.level) for row in rows]
            yield MrdSample(
                on=on,
                cycle=cycle_of(on, self.course.starts),
                category=mrd_category(assays, cut=self.parameters.mrd_cut),
                methods="; ".join(sorted({row.method for row in rows if row.method})),
                record=rows[0].record,
                in_window=on < self.end,
            )

    def without_marrow(self) -> Iterator[Source]:
        """The disease assessments without a marrow (STUDY C.5).

        They are an examination with a blood count inside its window, and follow-up in remission.
        """
        before = timedelta(days=self.parameters.count_window_before_days)
        after = timedelta(days=self.parameters.count_window_after_days)
        for row in self.book.extramedullary:
            on = row.assessed_on
            if not on or not self.is_during_study(on) or not _was_examined(row):
                continue
            if any(on - before <= count.taken_on <= on + after for count in self.counts):
                yield Source(on, "EMD", "EMDDAT", row.record)
        for contact in self.book.contacts:
            said = contact.disease or ("REMISSION" if contact.status == "ALIVE IN REMISSION" else None)
            assessed = contact.last_assessed_on
            if said == "REMISSION" and assessed and assessed.earliest <= self.course.last_day:
                yield Source(assessed.earliest, "SFU", "LASTASS", contact.record)

    def is_during_study(self, on: date | None) -> bool:
        """Whether a day lies after the first dose, and neither after the cut-off nor after the death."""
        first_dose = self.course.first_dose_on
        return on is not None and first_dose is not None and first_dose < on <= self.course.last_day

    def marrow_day(self, record: float | None) -> date | None:
        """The day of the marrow that a record points to."""
        return None if record is None else self.day_of.get(int(record))


def _choose_marrow(rows: list[Marrow]) -> Marrow | None:
    """The reading of one sample that counts: the central one, and the local one where that cannot be read."""
    return min(rows, key=lambda row: (not _reading(row).is_readable, row.reader != "CENTRAL"), default=None)


def _reading(row: Marrow) -> Reading:
    return Reading(row.blasts_percent, row.blasts_qualifier, row.is_adequate, "BIOPSY" in row.specimens)


def _was_examined(row: ExtramedullaryAssessment) -> bool:
    return (row.status is not None and row.status != "NOT ASSESSED") or row.has_csf_blasts is not None

"""The edit checks on visits and laboratory (STUDY B.5.4), in the order of their numbers.

A result is an answer of its sample under the code of the test. Multiples of the upper limit of normal are of that sample's own.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from patients.anchors import (
    are_counted,
    as_partial,
    days_after,
    died_on,
    doses,
    first_dose_on,
    is_there_on,
    last_before_first_dose,
    measured,
    naming,
    reported,
    responded,
    samples,
    starts_and_steps,
    times_normal,
    value_of,
)
from patients.expected import course_of, expected_visits
from patients.laboratory_grades import LIMITS, Normal, laboratory_grade
from patients.response import BFHM, REMISSIONS
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import is_before

HARD, ERROR, WARNING, NOTE = Severity.HARD, Severity.ERROR, Severity.WARNING, Severity.NOTE
PANELS = ("LBH", "LBC", "LBO")
DIFFERENTIAL = ("NEUT", "LYM", "MONO", "EOS", "BLAST")
MOST_NAMED = 5  # laboratories in one question
FEVER_DAYS = 14  # after a start or a step
# Terms of the list of adverse events that say what a check looks for, where the site named no special interest.
FEVER_TERMS = ("Pyrexia", "Febrile neutropenia")
NEUTROPENIA_TERMS = ("Neutropenia", "Febrile neutropenia", "Leukopenia", "Pancytopenia")
LIVER_TERMS = (
    "Alanine aminotransferase increased",
    "Aspartate aminotransferase increased",
    "Hyperbilirubinaemia",
    "Hepatotoxicity",
    "Hepatic failure",
)
LOW_FLOW = ("NONE", "LOW-FLOW NC <=6 L/min OR BLOW-BY")
ICE = ("ice_orientation", "ice_naming", "ice_commands", "ice_writing", "ice_attention")
# The tests of which some grade cannot be told without the normal range.
NEED_RANGE = frozenset(test for (test, _, _), bounds in LIMITS.items() if any(bound.of_normal for bound in bounds))


def outside_window(record: Record, book: Casebook) -> Verdict:
    """EC-060."""
    course = course_of(book)
    if course is None or record.is_missed:
        return False
    for visit in expected_visits(course, book.asked_on):
        if visit.code == record.visit and not visit.opens <= record.visited_on <= visit.closes:
            early = visit.opens - record.visited_on
            days = max(early, record.visited_on - visit.closes).days
            return {"days": days, "opens": visit.opens, "closes": visit.closes}
    return False


def same_day_visit(record: Record, book: Casebook) -> Verdict:
    """EC-061."""
    for other in book.all("SV"):
        is_other = other.key < record.key and other.visit != record.visit and other.visited_on == record.visited_on
        if is_other and not any(visit.startswith("UNS") for visit in (other.visit, record.visit)):
            return {"code": other.visit}
    return False


def sample_after_death(day: date, book: Casebook) -> Verdict:
    """EC-062."""
    death = died_on(book)
    if death is None:
        return False
    return naming(is_before(death, as_partial(day)), day=day, died=death)


def far_from_visit(record: Record, book: Casebook) -> Verdict:
    """EC-063."""
    for visit in book.once(visits_by_code).get(record.visit, ()):
        if visit.visited_on and abs((record.taken_on - visit.visited_on).days) > 3:
            return {"visited": visit.visited_on, "sampled": record.taken_on}
    return False


def visits_by_code(book: Casebook) -> Mapping[str, Sequence[Record]]:
    """The visits by their code."""
    found = defaultdict(list)
    for visit in book.all("SV"):
        found[visit.visit].append(visit)
    return found


def differential_too_high(record: Record, book: Casebook) -> Verdict:
    """EC-064."""
    leukocytes, neutrophils = value_of(record, "WBC"), value_of(record, "NEUT")
    if leukocytes is None:
        return False
    total = sum((value_of(record, test) or Decimal(0) for test in DIFFERENTIAL), Decimal(0))
    is_more = neutrophils is not None and neutrophils > leukocytes
    values = {"leukocytes": leukocytes, "neutrophils": neutrophils, "total": total}
    return values if is_more or total > leukocytes * Decimal("1.05") else False


def is_below(record: Record, test: str, limit: int, unit: str = "") -> bool:
    """Whether a result is below a number, where `unit` is empty or the unit as typed."""
    value = value_of(record, test)
    return value is not None and value < limit and unit in ("", record.answers[test].unit_text)


def bilirubin_looks_wrong(record: Record, book: Casebook) -> Verdict:
    """EC-067."""
    is_low = is_below(record, "BILI", 2, "µmol/L")
    return is_low and (record.BILI.high or 0) > 3


def direct_above_total(record: Record, book: Casebook) -> Verdict:
    """EC-069."""
    direct, total = value_of(record, "BILDIR"), value_of(record, "BILI")
    if direct is None or total is None or direct <= total:
        return False
    return {"direct": direct, "total": total}


def earlier(record: Record, book: Casebook, days: int) -> list[Record]:
    """The samples of that form that were taken before this one, at most so many days, in their order."""
    rows = samples(book, record.form)
    begins = record.taken_at - timedelta(
        days=days + 2
    )  # a day at the site begins up to a day from that of another clock
    near = slice(*(bisect_left(rows, moment, key=lambda row: row.taken_at) for moment in (begins, record.taken_at)))
    first = days_after(record.taken_on, -days)
    return [row for row in rows[near] if first <= row.taken_on]


def transfused(book: Casebook, product: str, first: date, last: date) -> bool:
    """Whether that product was given from one day to another."""
    given = [row.given_on for row in book.all("TRF") if row.product == product and row.given_on]
    return any(first <= day <= last for day in given)


def jump(record: Record, book: Casebook, test: str, limit: int, days: int, product: str) -> Verdict:
    """EC-070 and EC-071: a change against an earlier sample that no transfusion between the two explains; a rise is positive."""
    value = value_of(record, test)
    for before in earlier(record, book, days):
        old = value_of(before, test)
        if value is None or old is None or transfused(book, product, before.taken_on, record.taken_on):
            continue
        if value - old > limit or (test == "HGB" and old - value > limit):
            return {"before": old, "now": value, "day": before.taken_on}
    return False


def neutrophil_grade(sample: Record) -> int | None:
    """The grade of the neutrophils; 1 for none as well, because grade 1 needs the normal range."""
    count = measured(sample, "NEUT")
    if count is None:
        return None
    return laboratory_grade("NEUT", count.number, "10^9/L", Normal(), qualifier=count.qualifier).grade or 1


def has_event(book: Casebook, interest: str, terms: tuple[str, ...], *days: date) -> bool:
    """Whether an event of that special interest, or with one of these terms, was there on any of the days."""
    return any(
        (interest in (event.special_interest or ()) or event.coded_term in terms) and is_there_on(event, day)
        for event in book.all("AE")
        for day in days
    )


def long_neutropenias(book: Casebook) -> Mapping[int, date]:
    """The sample at which a grade 4 is seen the third time in a row over a week, once an episode, and the first day of it.

    The episode ends when the grade is back at or below that of the last sample before the first dose.
    """
    first = first_dose_on(book)
    before = last_before_first_dose(book, "LBH")
    baseline = (neutrophil_grade(before) if before is not None else None) or 1
    found: dict[int, date] = {}
    if first is None or baseline == 4:
        return found
    run: list[Record] = []
    is_told = False
    for sample in samples(book, "LBH"):
        grade = neutrophil_grade(sample)
        if grade is None or sample.taken_on < first:
            continue
        run = [*run[:2], sample] if grade == 4 else []
        is_told = is_told and grade > baseline
        if len(run) == 3 and not is_told and (sample.taken_on - run[0].taken_on).days >= 7:
            is_told = True
            found[sample.key] = run[0].taken_on
    return found


def neutropenia_not_reported(record: Record, book: Casebook) -> Verdict:
    """EC-072."""
    since = book.once(long_neutropenias).get(record.key)
    if since is None or "not clinically significant" in (record.comment or "").lower():
        return False
    is_reported = has_event(book, "CYTOPENIA", NEUTROPENIA_TERMS, since, record.taken_on)
    return False if is_reported else {"since": since, "until": record.taken_on}


def exceeds(record: Record, test: str, limit: int) -> bool:
    """Whether a result is more than so many times the upper limit of normal."""
    times = times_normal(record, test)
    return times is not None and times.is_above(limit) is True


def infused_on_after(record: Record, book: Casebook) -> bool:
    """Whether the drug ran at the time of a sample and, without a gap, for more than a day after it."""
    reached = record.taken_at
    for row in doses(book):
        if row.started_at <= reached:
            reached = max(reached, row.ended_at or record.taken_at + timedelta(days=2))
    return reached > record.taken_at + timedelta(days=1)


def liver_without_interruption(record: Record, book: Casebook) -> Verdict:
    """EC-073."""
    high = [test for test, limit in (("ALT", 5), ("AST", 5), ("BILI", 3)) if exceeds(record, test, limit)]
    if not high or not infused_on_after(record, book):
        return False
    return {"tests": high} if not has_event(book, "ELEVATED LIVER ENZYMES", LIVER_TERMS, record.taken_on) else False


def may_be_hys_law(record: Record, book: Casebook) -> Verdict:
    """EC-074: told on the sample that completes the picture."""
    window = [record, *earlier(record, book, 3)]

    def is_transaminase(row: Record) -> bool:
        return exceeds(row, "ALT", 3) or exceeds(row, "AST", 3)

    phosphatase = [times for row in window if (times := times_normal(row, "ALP")) is not None]
    is_new = is_transaminase(record) or exceeds(record, "BILI", 2)
    has_both = any(map(is_transaminase, window)) and any(exceeds(row, "BILI", 2) for row in window)
    return is_new and has_both and any(times.is_below(2) for times in phosphatase)


def blasts_after_remission(record: Record, book: Casebook) -> Verdict:
    """EC-075."""
    before = responded(book, {*REMISSIONS, BFHM}, days_after(record.taken_on, -1))
    if not are_counted(record, "BLASTLE") or not before or book.all("REL"):
        return False
    return {"percent": measured(record, "BLASTLE"), "response": before[-1].response, "day": before[-1].assessed_on}


def known_laboratories(book: Casebook) -> str:
    """The first few laboratories of which the site has normal ranges."""
    names = book.laboratories()
    more = " and others" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more or "no laboratory"


def range_missing(record: Record, book: Casebook) -> Verdict:
    """EC-076: the range of the laboratory is copied onto the result when it is saved, so none there means there was none.

    What was not measured needs none.
    """
    results = (row for rows in record.rows.values() for row in rows if row.value_text)
    tests = [row.test for row in results if row.test in NEED_RANGE and row.low is None and row.high is None]
    return {"tests": tests, "known": book.once(known_laboratories)} if tests else False


def fever_without_event(record: Record, book: Casebook) -> Verdict:
    """EC-078."""
    day = record.measured_on
    near = [row for _, row in starts_and_steps(book) if 0 <= (day - row.started_on).days <= FEVER_DAYS]
    if record.temperature_c < 38 or not near:
        return False
    return not has_event(book, "CRS", FEVER_TERMS, day) and not has_event(book, "INFECTION", (), day)


def support_without_event(record: Record, book: Casebook) -> Verdict:
    """EC-079."""
    is_pressed = record.vasopressor not in (None, "NONE")
    if not is_pressed and (record.oxygen is None or record.oxygen in LOW_FLOW):
        return False
    return not any((event.grade or 0) >= 3 and is_there_on(event, record.measured_on) for event in book.all("AE"))


def ice_total(record: Record) -> int | None:
    """The ICE score; None where a part of it was not answered."""
    points = [getattr(record, name) for name in ICE]
    return None if None in points else sum(points)


def signs_without_event(record: Record, book: Casebook) -> Verdict:
    """EC-080."""
    total = ice_total(record)
    if record.writing not in ("MARKED CHANGE", "UNABLE") and (total is None or total == 10):
        return False
    events = {detail.event_id for detail in book.all("NEU")}
    known = any(event.key in events and is_there_on(event, record.assessed_on) for event in book.all("AE"))
    return False if known else {"total": total}


def last_weighed_before_first_dose(book: Casebook) -> Record | None:
    """The record of the last weight up to the first dose."""
    first = first_dose_on(book)
    before = [row for row in book.all("PS") if first and row.assessed_on and row.assessed_on <= first and row.weight_kg]
    return max(before, key=lambda row: row.assessed_on, default=None)


def light_at_first_dose(record: Record, book: Casebook) -> Verdict:
    """EC-082: the last weight up to the first dose."""
    first = first_dose_on(book)
    if first is None or record.weight_kg >= 45:
        return False
    last = book.once(last_weighed_before_first_dose)
    is_last = last is not None and last.key == record.key
    flat = {book.parameters.first_step_dose, book.parameters.full_dose}
    return is_last and any(row.dose_ug_per_day in flat for row in doses(book))


def urea_may_be_nitrogen(record: Record, book: Casebook) -> Verdict:
    """EC-083: at the first such result of the laboratory."""
    is_first = book.once(first_high_urea).get(record.laboratory) == record.key
    return {"urea": record.UREA.value_text} if is_first else False


def first_high_urea(book: Casebook) -> Mapping[str, int]:
    """For each laboratory the first sample with a high urea."""
    found: dict[str, int] = {}
    for sample in samples(book, "LBC"):
        if is_high_urea(sample):
            found.setdefault(sample.laboratory, sample.key)
    return found


def is_high_urea(sample: Record) -> bool:
    """Whether urea was reported above 20 mg/dL."""
    number = reported(sample.UREA) if sample.UREA is not None else None
    return number is not None and number > 20 and sample.UREA.unit_text == "mg/dL"


CHECKS = (
    EditCheck(
        "EC-060",
        "SV",
        "visited_on",
        "The visit on {visited_on} is {days} days outside of its window, {opens} to {closes}. Please confirm the date.",
        WARNING,
        outside_window,
        needs=("visited_on",),
        reads=("ENR", "EX", "EOT", "NSCT", "HSCT", "REL", "DTH", "EOS", "DEX", "WDR"),
    ),
    EditCheck(
        "EC-061",
        "SV",
        "visited_on",
        "The visit {code} has the same date, {visited_on}. Please check both.",
        WARNING,
        same_day_visit,
        needs=("visited_on",),
        reads=("SV",),
    ),
    *(
        EditCheck(
            "EC-062",
            form,
            "taken_at",
            "The sample of {day} was taken after the death on {died}. Check both dates.",
            ERROR,
            lambda record, book: sample_after_death(record.taken_on, book),
            needs=("taken_on",),
            reads=("DTH",),
        )
        for form in PANELS
    ),
    EditCheck(
        "EC-062",
        "BM",
        "sampled_on",
        "The sample of {day} was taken after the death on {died}. Check both dates.",
        ERROR,
        lambda record, book: sample_after_death(record.sampled_on, book),
        needs=("sampled_on",),
        reads=("DTH",),
    ),
    *(
        EditCheck(
            "EC-063",
            form,
            "taken_at",
            "The sample of {sampled} is more than 3 days from its visit on {visited}. Please check both dates.",
            WARNING,
            far_from_visit,
            needs=("taken_on",),
            reads=("SV",),
        )
        for form in PANELS
    ),
    EditCheck(
        "EC-064",
        "LBH",
        "taken_at",
        "Neutrophils {neutrophils}, or all cells counted ({total}), exceed the leukocytes ({leukocytes}). Please check.",
        ERROR,
        differential_too_high,
        by_record=True,
    ),
    EditCheck(
        "EC-065",
        "LBH",
        "taken_at",
        "Haemoglobin below 25 g/L looks like g/dL. Please check the unit.",
        ERROR,
        lambda record, book: is_below(record, "HGB", 25, "g/L"),
        by_record=True,
    ),
    EditCheck(
        "EC-066",
        "LBH",
        "taken_at",
        "Platelets are near zero. Check the unit and the sample for clots, or say in the comment that they are right.",
        ERROR,
        lambda record, book: is_below(record, "PLAT", 2) and not record.comment,
        by_record=True,
    ),
    EditCheck(
        "EC-067",
        "LBC",
        "taken_at",
        "Bilirubin below 2 µmol/L looks like mg/dL. Please check the unit.",
        ERROR,
        bilirubin_looks_wrong,
        by_record=True,
    ),
    EditCheck(
        "EC-068",
        "LBC",
        "taken_at",
        "Creatinine below 5 µmol/L looks like mg/dL. Please check the unit.",
        ERROR,
        lambda record, book: is_below(record, "CREAT", 5),
        by_record=True,
    ),
    EditCheck(
        "EC-069",
        "LBC",
        "taken_at",
        "Direct bilirubin {direct} exceeds total bilirubin {total}. Please check both.",
        ERROR,
        direct_above_total,
        by_record=True,
    ),
    EditCheck(
        "EC-070",
        "LBH",
        "taken_at",
        "Haemoglobin was {before} g/L on {day} and is {now}, without red cells given in between. Please confirm.",
        WARNING,
        lambda record, book: jump(record, book, "HGB", 40, 3, "RBC"),
        needs=("taken_at",),
        reads=("LBH", "TRF"),
    ),
    EditCheck(
        "EC-071",
        "LBH",
        "taken_at",
        "Platelets were {before} on {day} and are {now}, without platelets given in between. Please confirm.",
        WARNING,
        lambda record, book: jump(record, book, "PLAT", 100, 2, "PLATELETS"),
        needs=("taken_at",),
        reads=("LBH", "TRF"),
    ),
    EditCheck(
        "EC-072",
        "LBH",
        "taken_at",
        "Neutrophils were below 0.5 from {since} to {until}. Enter the adverse event, or say in the comment of this sample "
        "that it is not clinically significant.",
        WARNING,
        neutropenia_not_reported,
        needs=("taken_at",),
        reads=("LBH", "AE", "EX"),
    ),
    EditCheck(
        "EC-073",
        "LBC",
        "taken_at",
        "{tests} asks for an interruption, but the infusion went on and there is no adverse event. Please check.",
        WARNING,
        liver_without_interruption,
        needs=("taken_at",),
        reads=("EX", "AE"),
    ),
    EditCheck(
        "EC-074",
        "LBC",
        "taken_at",
        "Transaminases above 3 times and bilirubin above 2 times the limit without cholestasis: possibly Hy's law.",
        NOTE,
        may_be_hys_law,
        needs=("taken_at",),
        reads=("LBC",),
    ),
    EditCheck(
        "EC-075",
        "LBH",
        "taken_at",
        "{percent} % blasts in blood after {response} on {day}, and no relapse is entered. Please check.",
        ERROR,
        blasts_after_remission,
        needs=("taken_at",),
        reads=("RS", "REL"),
    ),
    *(
        EditCheck(
            "EC-076",
            form,
            "laboratory",
            "The laboratory {laboratory} has no normal range of {tests} on that day, so not every grade can be given. "
            "The site has ranges of {known}.",
            ERROR,
            range_missing,
            needs=("laboratory",),
            by_record=True,
        )
        for form in PANELS
    ),
    EditCheck(
        "EC-077",
        "VS",
        "diastolic_mmhg",
        "Diastolic {diastolic_mmhg} is not below systolic {systolic_mmhg}. Check both readings.",
        HARD,
        lambda systolic, diastolic: diastolic >= systolic,
        needs=("systolic_mmhg", "diastolic_mmhg"),
    ),
    EditCheck(
        "EC-078",
        "VS",
        "temperature_c",
        "{temperature_c} °C within two weeks of a start or a step: was there a cytokine release, an infection or a fever?",
        WARNING,
        fever_without_event,
        needs=("temperature_c", "measured_on"),
        reads=("EX", "AE"),
    ),
    EditCheck(
        "EC-079",
        "VS",
        "oxygen",
        "Vasopressor {vasopressor}, oxygen {oxygen}, but no adverse event of grade 3 or more on that day. Enter it.",
        ERROR,
        support_without_event,
        needs=("measured_on",),
        reads=("AE",),
    ),
    EditCheck(
        "EC-080",
        "PS",
        "writing",
        "Writing is {writing} and ICE {total}, but no neurologic event is entered for {assessed_on}. Please check.",
        WARNING,
        signs_without_event,
        needs=("assessed_on",),
        reads=("NEU", "AE"),
    ),
    EditCheck(
        "EC-081",
        "PS",
        "ecog",
        "ECOG 5 is death. Fill in the death form, or correct the ECOG.",
        ERROR,
        lambda record, book: record.ecog == 5 and not book.all("DTH"),
        needs=("ecog",),
        reads=("DTH",),
    ),
    EditCheck(
        "EC-082",
        "PS",
        "weight_kg",
        "{weight_kg} kg at the first dose: below 45 kg the label doses by body surface. Confirm the flat dose.",
        WARNING,
        light_at_first_dose,
        needs=("weight_kg", "assessed_on"),
        reads=(
            "PS",
            "EX",
        ),
    ),
    EditCheck(
        "EC-083",
        "LBC",
        "taken_at",
        "Urea of {urea} mg/dL from {laboratory}: is it urea, or urea nitrogen (BUN)? Confirm what is measured.",
        WARNING,
        urea_may_be_nitrogen,
        needs=("laboratory",),
        reads=("LBC",),
    ),
)

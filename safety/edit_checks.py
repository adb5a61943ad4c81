"""The edit checks on adverse events and their parts (STUDY B.5.7), in the order of their numbers."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from patients.anchors import (
    as_partial,
    days_after,
    differs,
    first_dose_on,
    is_after,
    is_infused_on,
    is_within,
    last_dose_on,
    may_overlap,
    measured,
    naming,
    samples,
    starts_and_steps,
    value_of,
)
from safety.grading import liver_stage, magic
from safety.staging import stages_of
from safety.terms import TERMS
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate, is_before

HARD, ERROR, WARNING, NOTE = Severity.HARD, Severity.ERROR, Severity.WARNING, Severity.NOTE
WINDOW_DAYS = 30  # after the last dose, in which events are collected
FINAL = ("RECOVERED/RESOLVED", "RECOVERED/RESOLVED WITH SEQUELAE", "FATAL")
CRITERIA = (
    "is_fatal",
    "is_life_threatening",
    "led_to_hospital",
    "is_disabling",
    "is_congenital",
    "is_medically_important",
)
VENTILATED = ("CPAP/BIPAP", "INTUBATION/MECHANICAL VENTILATION")
GVHD = ("GVHD ACUTE", "GVHD CHRONIC")
DETAILS = {"CRS": "CRS", "NEUROLOGIC": "NEU", "GVHD ACUTE": "GVA", "GVHD CHRONIC": "GVC", "INFECTION": "INF"}
ORGAN_SCORES = (
    "skin_surface_score",
    "skin_feature_score",
    "mouth_score",
    "eyes_score",
    "gut_score",
    "liver_score",
    "lung_symptom_score",
    "joints_score",
    "genital_score",
)
LESIONS = ("PRESENT STABLE/SMALLER", "PRESENT LARGER", "NEW LESION")
LATE_DAYS = 14  # after a start, a restart or a step, a cytokine release is unusual
# The terms that say the same as a laboratory result of high grade.
TERMS_OF_TESTS = {
    "NEUT": ("Neutropenia", "Febrile neutropenia", "Pancytopenia"),
    "WBC": ("Leukopenia", "Pancytopenia"),
    "LYM": ("Lymphopenia", "Pancytopenia"),
    "PLAT": ("Thrombocytopenia", "Pancytopenia"),
    "HGB": ("Anaemia", "Pancytopenia"),
    "ALT": ("Alanine aminotransferase increased", "Hepatotoxicity", "Hepatic failure"),
    "AST": ("Aspartate aminotransferase increased", "Hepatotoxicity", "Hepatic failure"),
    "GGT": ("Gamma-glutamyltransferase increased", "Hepatotoxicity"),
    "ALP": ("Alkaline phosphatase increased", "Hepatotoxicity"),
    "BILI": ("Hyperbilirubinaemia", "Hepatotoxicity", "Hepatic failure"),
    "CREAT": ("Blood creatinine increased", "Acute kidney injury"),
    "K": ("Hypokalaemia",),
    "MG": ("Hypomagnesaemia",),
    "CA": ("Hypocalcaemia",),
    "PHOS": ("Hypophosphataemia",),
    "GLUC": ("Hyperglycaemia",),
    "SODIUM": ("Hyponatraemia",),
}


def event_of(record: Record, book: Casebook) -> Record | None:
    """The adverse event that a detail belongs to."""
    return book.find("AE", record.event_id)


def on_the_event(fails: Callable[[Record, Record, Casebook], Verdict]) -> Callable[[Record, Casebook], Verdict]:
    """A condition on a detail and its event; a detail without its event is not asked about."""

    def asked(detail: Record, book: Casebook) -> Verdict:
        event = event_of(detail, book)
        return fails(detail, event, book) if event is not None else False

    return asked


def is_fatal(event: Record) -> bool:
    """Whether the event says that it ended in death."""
    return bool(event.outcome == "FATAL" or event.grade == 5)


def is_emergent(event: Record, book: Casebook) -> bool:
    """Whether the event may have begun from the first dose to 30 days after the last one."""
    first, last = first_dose_on(book), last_dose_on(book)
    if event.started is None or first is None or last is None:
        return False
    return is_within(event.started, first, days_after(last, WINDOW_DAYS)) is not False


def has_special(event: Record, *codes: str) -> bool:
    """Whether the event is of one of these kinds of special interest."""
    return bool(set(event.special_interest or ()) & set(codes))


def is_on(event: Record, day: date) -> bool:
    """Whether the event may have been there on a day."""
    return event.started is not None and may_overlap((event.started, event.ended), (as_partial(day), as_partial(day)))


def fatal_without_death(event: Record, book: Casebook) -> Verdict:
    """EC-144."""
    return is_fatal(event) and not book.all("DTH")


def cause_not_grade_5(death: Record, book: Casebook) -> Verdict:
    """EC-145."""
    event = next((event for event in book.all("AE") if event.number == death.event_number), None)
    return {"grade": event.grade} if event is not None and event.grade != 5 else False


def death_without_fatal_event(death: Record, book: Casebook) -> Verdict:
    """EC-146."""
    first, last = first_dose_on(book), last_dose_on(book)
    if first is None or last is None or death.primary_cause == "ALL / DISEASE PROGRESSION":
        return False
    if any(event.grade == 5 for event in book.all("AE")):
        return False
    return is_within(death.died_on, first, days_after(last, WINDOW_DAYS))


def fatal_end_is_not_death(event: Record, book: Casebook) -> Verdict:
    """EC-147."""
    death = book.one("DTH")
    if not is_fatal(event) or death is None or death.died_on is None:
        return False
    return naming(differs(event.ended, death.died_on), died=death.died_on)


def stay_missing(event: Record, book: Casebook) -> Verdict:
    """EC-151."""
    stays = [stay for stay in book.all("HO") if stay.reason in ("AE", "GVHD") and stay.admitted_on is not None]
    overlapping = (may_overlap((event.started, event.ended), (stay.admitted_on, stay.discharged_on)) for stay in stays)
    return event.led_to_hospital is True and not any(overlapping)


def late_report(report: Record, book: Casebook) -> Verdict:
    """EC-154."""
    late = report.reported_at - report.aware_at
    return {"hours": int(late.total_seconds() // 3600)} if late > timedelta(hours=24) else False


def grades_disagree(event: Record, book: Casebook) -> Verdict:
    """EC-155."""
    graded = [row.grade for row in event.rows.get("AE.GRADE", ()) if row.grade is not None]
    return {"highest": max(graded)} if graded and max(graded) != event.grade else False


def grade_not_of_term(event: Record, book: Casebook) -> Verdict:
    """EC-157."""
    term = TERMS.get(event.coded_term)
    return {"allowed": sorted(term.grades)} if term and event.grade not in term.grades else False


def is_duplicate(event: Record, book: Casebook) -> Verdict:
    """EC-158: a row of the same term, entered before this one, that overlaps it or lies next to it, be it earlier or later."""
    for other in book.all("AE"):
        if other.key >= event.key or other.coded_term != event.coded_term or other.started is None:
            continue
        if may_overlap((event.started, _day_after(event.ended)), (other.started, _day_after(other.ended))):
            return {"other": other.number}
    return False


def _day_after(end: PartialDate | None) -> PartialDate | None:
    return as_partial(days_after(end.latest, 1)) if end is not None else None


def is_late_event(event: Record, book: Casebook) -> Verdict:
    """EC-160. Infections and GVHD after a transplantation, before the study or later, are collected until the end of the study."""
    last = last_dose_on(book)
    if last is None or event.relation == "RELATED":
        return False
    if has_special(event, *GVHD, "INFECTION") and may_follow_graft(event, book):
        return False
    return is_after(event.started, days_after(last, WINDOW_DAYS))


def may_follow_graft(event: Record, book: Casebook) -> bool:
    """Whether an event began, or may have begun, on or after the day of a transplantation. Those before the study are earlier."""
    later = [as_partial(row.transplanted_on) for row in book.all("NSCT") if row.transplanted_on]
    return bool(book.all("HSCT")) or any(is_before(event.started, day) is not True for day in later)


def related_before_dose(event: Record, book: Casebook) -> Verdict:
    """EC-161."""
    first = first_dose_on(book)
    if first is None or event.relation != "RELATED":
        return False
    return is_before(event.started, as_partial(first))


def missing_details(event: Record, book: Casebook) -> Verdict:
    """EC-162."""
    wanted = [DETAILS[code] for code in event.special_interest if code in DETAILS]
    missing = [form for form in wanted if all(detail.event_id != event.key for detail in book.all(form))]
    return {"forms": missing} if missing else False


def late_release(detail: Record, event: Record, book: Casebook) -> Verdict:
    """EC-167: the latest start before the onset is more than two weeks old."""
    if event.started is None:
        return False
    before = [row.started_on for _, row in starts_and_steps(book) if row.started_on <= event.started.latest]
    if not before:
        return False
    days = (event.started.earliest - max(before)).days
    return {"days": days} if days > LATE_DAYS else False


def stop_expected(detail: Record, event: Record, book: Casebook) -> Verdict:
    """EC-170."""
    is_running = event.started is not None and is_infused_on(book, event.started)
    return bool(event.grade is not None and event.grade >= 3 and detail.stopped_infusion is False and is_running)


def leukaemia_without_record(detail: Record, book: Casebook) -> Verdict:
    """EC-171."""
    is_seen = any(row.status in LESIONS or row.has_csf_blasts for row in book.all("EMD"))
    has_relapsed = any(row.site in ("CNS", "EXTRAMEDULLARY", "COMBINED") for row in book.all("REL"))
    return detail.imaging_result == "CNS LEUKEMIA" and not is_seen and not has_relapsed


def gvhd_without_graft(event: Record, book: Casebook) -> Verdict:
    """EC-172."""
    if not has_special(event, *GVHD) or any(row.kind == "ALLOGENEIC" for row in book.all("HSCT")):
        return False
    later = [
        is_before(event.started, as_partial(row.transplanted_on)) for row in book.all("NSCT") if row.transplanted_on
    ]
    if any(verdict is False for verdict in later):
        return False
    return None if None in later else True


def gvhd_before_its_graft(staging: Record, book: Casebook) -> Verdict:
    """EC-173."""
    if staging.transplant_concerned != "POST-STUDY HSCT":
        return False
    days = [row.transplanted_on for row in book.all("NSCT") if row.transplanted_on]
    return {"transplanted": min(days)} if days and staging.assessed_on < min(days) else False


def gvhd_stay_missing(staging: Record, book: Casebook) -> Verdict:
    """EC-174, from the staging."""
    return staging.led_to_hospital is True and not any(stay.reason == "GVHD" for stay in book.all("HO"))


def gvhd_stay_denied(stay: Record, event: Record, book: Casebook) -> Verdict:
    """EC-174, from the stay."""
    return stay.reason == "GVHD" and event.led_to_hospital is False


def bilirubin_differs(staging: Record, book: Casebook) -> Verdict:
    """EC-175: an entered bilirubin that stages the liver, and is not that of the laboratory on the same day."""
    stage = liver_stage(staging.bilirubin_umol_per_l)
    values = [
        value
        for sample in book.all("LBC")
        if sample.taken_on == staging.assessed_on and (value := value_of(sample, "BILI")) is not None
    ]
    far = [value for value in values if abs(value - staging.bilirubin_umol_per_l) > value / 10]
    return {"laboratory": far[0]} if stage and far else False


def untreated_gvhd(staging: Record, book: Casebook) -> Verdict:
    """EC-177."""
    if staging.treatments != ["NONE"] or staging.comment:
        return False
    stages = stages_of(staging, book)
    grade = magic(stages).grade if stages is not None else None
    return {"magic": "0 I II III IV".split()[grade]} if grade is not None and grade >= 2 else False


def chronic_without_sign(scoring: Record, book: Casebook) -> Verdict:
    """EC-178."""
    has_score = any((getattr(scoring, name) or 0) >= 1 for name in ORGAN_SCORES)
    return has_score and scoring.is_diagnostic is False and scoring.has_overlap is False


def gvhd_after_later_graft(event: Record, book: Casebook) -> Verdict:
    """EC-179."""
    if not has_special(event, *GVHD) or not is_emergent(event, book):
        return False
    days = [row.transplanted_on for row in book.all("NSCT") if row.transplanted_on]
    return naming(is_after(event.started, min(days)), transplanted=min(days)) if days else False


def iv_treatment_at_grade_2(detail: Record, event: Record, book: Casebook) -> Verdict:
    """EC-181: grade 3 of most infections means intravenous treatment; a catheter's own is graded alike."""
    term = TERMS.get(event.coded_term)
    return bool(term and term.group == "Infections" and event.grade == 2 and detail.had_iv_treatment)


def febrile_neutropenia_missing(signs: Record, book: Casebook) -> Verdict:
    """EC-182."""
    if signs.temperature_c <= Decimal("38.3"):
        return False
    counts = [measured(sample, "NEUT") for sample in book.all("LBH") if sample.taken_on == signs.measured_on]
    low = [count for count in counts if count is not None and count.is_below(1)]
    known = any(
        is_on(event, signs.measured_on)
        and (event.coded_term == "Febrile neutropenia" or has_special(event, "INFECTION"))
        for event in book.all("AE")
    )
    return {"neutrophils": min(low, key=lambda count: count.number)} if low and not known else False


def cause_is_not_infection(death: Record, book: Casebook) -> Verdict:
    """EC-183."""
    fatal = [event for event in book.all("AE") if is_fatal(event) and has_special(event, "INFECTION")]
    return {"term": fatal[0].term} if fatal and death.primary_cause != "ADVERSE EVENT – INFECTION" else False


def emergent_after_new_therapy(event: Record, book: Casebook) -> Verdict:
    """EC-184."""
    if event.started is None or not is_emergent(event, book):
        return False
    days = [row.started_on for row in book.all("NTX") if row.started_on is not None]
    days += [as_partial(days_after(row.transplanted_on, 1)) for row in book.all("NSCT") if row.transplanted_on]
    hit = [day for day in days if may_overlap((event.started, event.ended), (day, day))]
    return {"therapy": hit[0]} if hit else False


def high_results(book: Casebook, panel: str) -> Mapping[int, Sequence[tuple[str, int]]]:
    """By sample, the tests and grades where an episode of grade 3 or more is seen for the second time in a row.

    An episode ends when the grade is back at or below that of the last sample before the first dose.
    """
    first = first_dose_on(book)
    found = defaultdict(list)
    for test in TERMS_OF_TESTS:
        baseline, seen, is_told = 0, 0, False
        for sample in samples(book, panel):
            result = sample.answers.get(test)
            if result is None or result.grade is None:
                continue
            if first is None or sample.taken_on < first:
                baseline = result.grade
                continue
            seen = seen + 1 if result.grade >= 3 and result.grade > baseline else 0
            is_told = is_told and result.grade > baseline
            if seen == 2 and not is_told:
                is_told = True
                found[sample.key].append((test, result.grade))
    return found


def result_without_event(panel: str) -> Callable[[Record, Casebook], Verdict]:
    """EC-185: no event of a matching term on that day, or one that is two grades milder than the laboratory."""

    def asked(sample: Record, book: Casebook) -> Verdict:
        for test, grade in book.once(high_results, panel).get(sample.key, ()):
            same = [e for e in book.all("AE") if e.coded_term in TERMS_OF_TESTS[test] and is_on(e, sample.taken_on)]
            if all(event.grade is None or grade - event.grade >= 2 for event in same):
                return {"test": test, "laboratory_grade": grade}
        return False

    return asked


def ends_before_onset(detail: Record, event: Record, book: Casebook) -> Verdict:
    """EC-186."""
    if event.started is None:
        return False
    return naming(is_before(detail.resolved, event.started), onset=event.started)


def check(
    code: str, form: str, field: str, severity: Severity, asks: str, fails: Callable[..., Verdict], **more: object
) -> EditCheck:
    """One row of the table below."""
    return EditCheck(code=code, form=form, field=field, severity=severity, asks=asks, fails=fails, **more)  # type: ignore[arg-type]


CHECKS = (
    check(
        "EC-140",
        "AE",
        "ended",
        HARD,
        "The event ends on {ended}, before its onset on {started}. Check both dates.",
        lambda started, ended: is_before(ended, started),
        needs=("started", "ended"),
    ),
    check(
        "EC-141",
        "AE",
        "is_ongoing",
        ERROR,
        "The event is ongoing, but its outcome is {outcome}. Correct one of them.",
        lambda is_ongoing, outcome: is_ongoing and outcome in FINAL,
        needs=("is_ongoing", "outcome"),
    ),
    check(
        "EC-142",
        "AE",
        "ended",
        ERROR,
        "The event has recovered. Enter the day on which it ended.",
        lambda record, book: record.outcome == "RECOVERED/RESOLVED" and record.ended is None,
        needs=("outcome",),
        by_record=True,
    ),
    check(
        "EC-143",
        "AE",
        "outcome",
        ERROR,
        "Grade {grade} and outcome {outcome} do not agree: grade 5 is a fatal event.",
        lambda grade, outcome: (outcome == "FATAL") != (grade == 5),
        needs=("grade", "outcome"),
    ),
    check(
        "EC-144",
        "AE",
        "outcome",
        ERROR,
        "The event is fatal. Fill in the death form, or correct the event.",
        fatal_without_death,
        reads=("DTH",),
    ),
    check(
        "EC-145",
        "DTH",
        "event_number",
        ERROR,
        "Event {event_number} is the cause of death, but its grade is {grade}. Check both.",
        cause_not_grade_5,
        needs=("event_number",),
        reads=("AE",),
    ),
    check(
        "EC-146",
        "DTH",
        "primary_cause",
        ERROR,
        "The patient died on {died_on}, during treatment or within 30 days of it. Enter the fatal adverse event.",
        death_without_fatal_event,
        needs=("died_on",),
        reads=("AE", "EX"),
    ),
    check(
        "EC-147",
        "AE",
        "ended",
        ERROR,
        "The fatal event ended on {ended}, but the patient died on {died}. Check both dates.",
        fatal_end_is_not_death,
        needs=("ended",),
        reads=("DTH",),
    ),
    check(
        "EC-148",
        "AE",
        "is_serious",
        ERROR,
        "The event is serious. Say by which criterion.",
        lambda record, book: record.is_serious and not any(getattr(record, name) for name in CRITERIA),
        needs=("is_serious",),
        by_record=True,
    ),
    check(
        "EC-149",
        "AE",
        "is_fatal",
        ERROR,
        "The event is serious because of death, but its outcome is {outcome}. Correct one of them.",
        lambda is_fatal, outcome: is_fatal and outcome != "FATAL",
        needs=("is_fatal", "outcome"),
    ),
    check(
        "EC-150",
        "AE",
        "is_serious",
        WARNING,
        "A grade {grade} event that is not serious: please confirm, as for a laboratory finding.",
        lambda grade, is_serious: grade >= 4 and not is_serious,
        needs=("grade", "is_serious"),
    ),
    check(
        "EC-151",
        "AE",
        "led_to_hospital",
        ERROR,
        "The event led to hospital. Enter the stay on the hospitalisation form.",
        stay_missing,
        needs=("led_to_hospital", "started"),
        reads=("HO",),
    ),
    check(
        "EC-152",
        "HO",
        "reason",
        ERROR,
        "The stay is for an adverse event that is not serious. Correct one of them.",
        on_the_event(lambda stay, event, book: stay.reason == "AE" and event.is_serious is False),
        reads=("AE",),
    ),
    check(
        "EC-153",
        "AE",
        "is_serious",
        ERROR,
        "The event is serious. Its report is missing.",
        lambda record, book: record.is_serious and all(row.event_id != record.key for row in book.all("SAE")),
        needs=("is_serious",),
        reads=("SAE",),
    ),
    check(
        "EC-154",
        "SAE",
        "reported_at",
        WARNING,
        "The sponsor was told {hours} hours after the site knew. More than 24 is a deviation: confirm.",
        late_report,
        needs=("aware_at", "reported_at"),
        by_record=True,
        proposes_deviation="SAFETY REPORTING",
    ),
    check(
        "EC-155",
        "AE",
        "grade",
        ERROR,
        "The highest grade is {grade}, but the grade history goes to {highest}. Correct one of them.",
        grades_disagree,
        needs=("grade",),
        by_record=True,
    ),
    check(
        "EC-156",
        "AE",
        "grade_at_onset",
        HARD,
        "The grade at onset, {grade_at_onset}, is above the highest grade, {grade}.",
        lambda at_onset, highest: at_onset > highest,
        needs=("grade_at_onset", "grade"),
    ),
    check(
        "EC-157",
        "AE",
        "grade",
        ERROR,
        "CTCAE v4.03 has no grade {grade} for {coded_term}. It has {allowed}.",
        grade_not_of_term,
        needs=("coded_term", "grade"),
        by_record=True,
    ),
    check(
        "EC-158",
        "AE",
        "coded_term",
        WARNING,
        "Event {other} is the same term and overlaps or adjoins. Is this the same event?",
        is_duplicate,
        needs=("coded_term", "started"),
        reads=("AE",),
    ),
    check(
        "EC-159",
        "AE",
        "started",
        ERROR,
        "The onset is {started}. A serious event or one of special interest needs the day.",
        lambda record, book: (
            record.started.precision in ("year", "month")
            and (record.is_serious or bool(set(record.special_interest or ()) - {"NONE"}))
        ),
        needs=("started",),
        by_record=True,
    ),
    check(
        "EC-160",
        "AE",
        "started",
        NOTE,
        "The event began on {started}, more than 30 days after the last dose, and is not related.",
        is_late_event,
        needs=("started",),
        reads=("EX", "HSCT", "NSCT"),
    ),
    check(
        "EC-161",
        "AE",
        "relation",
        ERROR,
        "The event began on {started}, before the first dose, and cannot be related to it.",
        related_before_dose,
        needs=("started", "relation"),
        reads=("EX",),
    ),
    check(
        "EC-162",
        "AE",
        "special_interest",
        ERROR,
        "The event is of special interest. Fill in its form: {forms}.",
        missing_details,
        needs=("special_interest",),
        reads=tuple(DETAILS.values()),
    ),
    check(
        "EC-164",
        "CRS",
        "vasopressor",
        ERROR,
        "Vasopressor or ventilation is grade 4 in CTCAE v4.03. Check the grade of the event.",
        on_the_event(
            lambda detail, event, book: (
                (detail.vasopressor not in (None, "NONE") or detail.oxygen in VENTILATED)
                and event.grade is not None
                and event.grade < 4
            )
        ),
        reads=("AE",),
    ),
    check(
        "EC-165",
        "CRS",
        "temperature_c",
        WARNING,
        "No fever ({temperature_c} °C), none masked, no hypotension: is this a cytokine release?",
        lambda temperature, masked, hypotension: temperature < 38 and not masked and not hypotension,
        needs=("temperature_c", "fever_is_masked", "had_hypotension"),
    ),
    check(
        "EC-166",
        "CRS",
        "stopped_infusion",
        ERROR,
        "Grade 3 or more: an interruption of the infusion is expected. Please check.",
        on_the_event(
            lambda detail, event, book: (
                event.grade is not None and event.grade >= 3 and detail.stopped_infusion is False
            )
        ),
        reads=("AE",),
    ),
    check(
        "EC-167",
        "CRS",
        "event",
        WARNING,
        "The cytokine release began {days} days after the infusion was last started or stepped up. Another cause?",
        on_the_event(late_release),
        reads=("AE", "EX"),
    ),
    check(
        "EC-169",
        "NEU",
        "seizure",
        ERROR,
        "The manifestations and the answer on seizures ({seizure}) do not agree. Correct one of them.",
        lambda signs, seizure: ("SEIZURE" in signs) != (seizure != "NONE"),
        needs=("signs", "seizure"),
    ),
    check(
        "EC-170",
        "NEU",
        "stopped_infusion",
        ERROR,
        "Grade 3 or more during the infusion: an interruption is expected. Please check.",
        on_the_event(stop_expected),
        reads=("AE", "EX"),
    ),
    check(
        "EC-171",
        "NEU",
        "imaging_result",
        ERROR,
        "Leukaemia of the central nervous system was seen. Enter it as extramedullary disease or relapse.",
        leukaemia_without_record,
        needs=("imaging_result",),
        reads=("EMD", "REL"),
    ),
    check(
        "EC-172",
        "AE",
        "special_interest",
        ERROR,
        "GVHD, but no allogeneic transplantation is recorded before {started}. Check both.",
        gvhd_without_graft,
        needs=("special_interest", "started"),
        reads=("HSCT", "NSCT"),
    ),
    check(
        "EC-173",
        "GVA",
        "assessed_on",
        ERROR,
        "The staging of {assessed_on} is before the transplantation it concerns, on {transplanted}.",
        gvhd_before_its_graft,
        needs=("assessed_on",),
        reads=("NSCT",),
    ),
    check(
        "EC-174",
        "GVA",
        "led_to_hospital",
        ERROR,
        "GVHD led to hospital. Enter the stay with the reason GVHD.",
        gvhd_stay_missing,
        needs=("led_to_hospital",),
        reads=("HO",),
    ),
    check(
        "EC-174",
        "HO",
        "reason",
        ERROR,
        "The stay is for GVHD, but its event did not lead to hospital. Correct one of them.",
        on_the_event(gvhd_stay_denied),
        reads=("AE",),
    ),
    check(
        "EC-175",
        "GVA",
        "bilirubin_umol_per_l",
        WARNING,
        "Bilirubin {bilirubin_umol_per_l} µmol/L stages the liver, but the laboratory found {laboratory} that day. Confirm.",
        bilirubin_differs,
        needs=("assessed_on", "bilirubin_umol_per_l"),
        reads=("LBC",),
    ),
    check(
        "EC-176",
        "GVA",
        "stool_ml_per_day",
        ERROR,
        "Enter the stool volume, or the number of episodes.",
        lambda record, book: record.has_signs and record.stool_ml_per_day is None and record.stool_episodes is None,
        needs=("has_signs",),
        by_record=True,
    ),
    check(
        "EC-177",
        "GVA",
        "treatments",
        WARNING,
        "Acute GVHD of MAGIC grade {magic} without treatment: confirm, and say why in the comment.",
        untreated_gvhd,
        needs=("treatments",),
        reads=("LBC",),
    ),
    check(
        "EC-178",
        "GVC",
        "is_diagnostic",
        ERROR,
        "Chronic GVHD needs a diagnostic sign, or a distinctive one that was confirmed. Please check.",
        chronic_without_sign,
        by_record=True,
    ),
    check(
        "EC-179",
        "AE",
        "started",
        NOTE,
        "GVHD after the transplantation of {transplanted}: not counted as GVHD during the study.",
        gvhd_after_later_graft,
        needs=("started", "special_interest"),
        reads=("NSCT", "EX"),
    ),
    check(
        "EC-180",
        "INF",
        "documentation",
        WARNING,
        "{organism} is named, but the infection is only suspected. Was it found?",
        lambda pathogen, documentation, organism: pathogen != "PATHOGEN UNSPECIFIED" and documentation == "SUSPECTED",
        needs=("pathogen", "documentation", "organism"),
    ),
    check(
        "EC-181",
        "INF",
        "had_iv_treatment",
        WARNING,
        "Intravenous treatment suggests grade 3, and the event is grade 2. Please confirm the grade.",
        on_the_event(iv_treatment_at_grade_2),
        needs=("had_iv_treatment",),
        reads=("AE",),
    ),
    check(
        "EC-182",
        "VS",
        "temperature_c",
        WARNING,
        "{temperature_c} °C with neutrophils {neutrophils} ×10^9/L: was there febrile neutropenia or an infection?",
        febrile_neutropenia_missing,
        needs=("temperature_c", "measured_on"),
        reads=("LBH", "AE"),
    ),
    check(
        "EC-183",
        "DTH",
        "primary_cause",
        ERROR,
        "The fatal event is an infection ({term}), but the cause of death is {primary_cause}.",
        cause_is_not_infection,
        needs=("primary_cause",),
        reads=("AE",),
    ),
    check(
        "EC-184",
        "AE",
        "started",
        NOTE,
        "The event overlaps the therapy that began on {therapy}. Confirm what it is attributed to.",
        emergent_after_new_therapy,
        needs=("started",),
        reads=("NTX", "NSCT", "EX"),
    ),
    *(
        check(
            "EC-185",
            panel,
            "taken_at",
            WARNING,
            "{test} is grade {laboratory_grade} for the second time in a row. Is there an adverse event of that grade?",
            result_without_event(panel),
            needs=("taken_at",),
            reads=(panel, "AE", "EX"),
        )
        for panel in ("LBH", "LBC")
    ),
    *(
        check(
            "EC-186",
            form,
            "resolved",
            ERROR,
            "Resolved on {resolved}, before the onset of its event on {onset}. Check both dates.",
            on_the_event(ends_before_onset),
            needs=("resolved",),
            reads=("AE",),
        )
        for form in ("CRS", "NEU")
    ),
)

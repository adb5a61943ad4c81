"""The edit checks on the disease at baseline (STUDY B.5.3), in the order of their numbers."""

from decimal import Decimal

from patients.anchors import (
    baseline_marrow,
    blasts_of,
    days_after,
    first_dose_on,
    is_treated,
    last_before_first_dose,
    measured,
    times_normal,
    value_of,
)
from patients.edit_checks.enrolment import ages_at_consent
from patients.expected import earlier_screenings, screening_visit
from patients.units import creatinine_clearance
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict

ERROR, WARNING = Severity.ERROR, Severity.WARNING
# From how many times the upper limit of normal on a result excludes (EX13).
EXCLUDING = {
    "ALT": Decimal(5),
    "AST": Decimal(5),
    "ALP": Decimal(5),
    "BILI": Decimal("1.5"),
    "CREAT": Decimal("1.5"),
}
LEAST_CLEARANCE = 50  # mL/min


def was_refused(book: Casebook) -> bool:
    """Whether the patient was not enrolled: then what excludes was heeded."""
    return any(row.is_enrolled is False for row in book.all("ENR"))


def last_screening(book: Casebook) -> str:
    """The code of the visit of the screening that decides: those before it failed."""
    enrolment = book.one("ENR")
    return screening_visit(len(earlier_screenings(enrolment, book)) if enrolment is not None else 0)


def few_blasts(record: Record, book: Casebook) -> Verdict:
    """EC-050."""
    blasts = blasts_of(baseline_marrow(book))
    return {"blasts": blasts} if blasts is not None and blasts < 10 and is_treated(book) else False


def marrow_outside_window(record: Record, book: Casebook) -> Verdict:
    """EC-054."""
    marrow, first = baseline_marrow(book), first_dose_on(book)
    if marrow is None or first is None or days_after(first, -28) <= marrow.sampled_on <= first:
        return False
    return {"sampled": marrow.sampled_on, "first_dose": first}


def is_pre_phase_indicated(book: Casebook) -> bool:
    """Whether marrow or blood blasts ask for a pre-phase (STUDY A.2). A rising LDH has no number there, and is left out."""
    marrow = blasts_of(baseline_marrow(book))
    blood = measured(last_before_first_dose(book, "LBH"), "BLAST")
    return (marrow is not None and marrow > 50) or (blood is not None and blood.is_below(15) is False)


def pre_phase_missing(record: Record, book: Casebook) -> Verdict:
    """EC-055."""
    first = first_dose_on(book)
    if first is None or not is_pre_phase_indicated(book):
        return False
    given = [row.given_on for row in book.all("DEX") if row.purpose == "PRE-PHASE" and row.given_on]
    return not any(days_after(first, -7) <= day < first for day in given)


def clearances(sample: Record, book: Casebook) -> tuple[Decimal, Decimal] | None:
    """The creatinine clearance of a sample (Cockcroft and Gault; STUDY C.11): the least and the most that it can be by the age.

    With the last weight up to the sample. None where age, sex or weight is not known.
    """
    person, creatinine = book.one("DM"), value_of(sample, "CREAT")
    ages = ages_at_consent(person.born_on, book) if person is not None and person.born_on is not None else None
    weighed = [
        row
        for row in book.all("PS")
        if row.weight_kg and row.assessed_on and sample.taken_on and row.assessed_on <= sample.taken_on
    ]
    if not creatinine or ages is None or not weighed or person is None or person.sex not in ("M", "F"):
        return None
    weight = max(weighed, key=lambda row: row.assessed_on).weight_kg
    youngest, oldest = (creatinine_clearance(age, weight, person.sex == "F", creatinine) for age in ages)
    return oldest, youngest


def excluding_results(record: Record, book: Casebook) -> Verdict:
    """EC-057, on the last sample before the first dose."""
    last = last_before_first_dose(book, "LBC")
    if last is None or last.key != record.key:
        return False
    found = []
    for test, limit in EXCLUDING.items():
        times = times_normal(record, test)
        if times is not None and times.is_below(limit) is False:
            found.append(f"{test} {times.qualifier}{times.number:.1f} times the upper limit of normal")
    cleared = clearances(record, book)
    if cleared is not None and max(cleared) < LEAST_CLEARANCE:
        found.append(f"creatinine clearance {max(cleared):.1f} mL/min")
    return {"results": found} if found else False


def history_denies_disease(record: Record, book: Casebook) -> Verdict:
    """EC-058."""
    history = book.one("ALLH")
    is_denied = history is not None and history.had_extramedullary_disease is False
    return record.has_extramedullary_disease is True and is_denied


CHECKS = (
    EditCheck(
        "EC-050",
        "BDIS",
        "marrow",
        "The baseline marrow has {blasts} % blasts, below 10 % (IN04), and the patient was treated. Please check.",
        ERROR,
        few_blasts,
        reads=("BDIS", "BM", "EX"),
    ),
    *(
        EditCheck(
            "EC-051",
            form,
            "philadelphia",
            "The disease is Philadelphia-positive (EX01), and the patient was treated. Please check.",
            ERROR,
            lambda record, book: record.philadelphia == "POSITIVE" and is_treated(book),
            needs=("philadelphia",),
            reads=("EX",),
        )
        for form in ("BDIS", "ALLH")
    ),
    EditCheck(
        "EC-052",
        "BDIS",
        "cns_status",
        "Leukaemia of the central nervous system was active (EX03), and the patient was treated. Please check.",
        ERROR,
        lambda record, book: record.cns_status == "CNS3" and is_treated(book),
        needs=("cns_status",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-053",
        "BDIS",
        "extramedullary_sites",
        "There is extramedullary disease. Enter its sites.",
        ERROR,
        lambda record, book: record.has_extramedullary_disease is True and not record.extramedullary_sites,
        needs=("has_extramedullary_disease",),
        by_record=True,
    ),
    EditCheck(
        "EC-054",
        "BDIS",
        "marrow",
        "The baseline marrow of {sampled} is not from the 28 days up to the first dose on {first_dose}.",
        ERROR,
        marrow_outside_window,
        reads=("BDIS", "BM", "EX"),
    ),
    EditCheck(
        "EC-055",
        "BDIS",
        "marrow",
        "The blasts ask for dexamethasone in a pre-phase, and none is entered in the 7 days before the first dose.",
        WARNING,
        pre_phase_missing,
        reads=("BDIS", "BM", "LBH", "DEX", "EX"),
    ),
    EditCheck(
        "EC-056",
        "PS",
        "ecog",
        "ECOG {ecog} at screening is above 2 (IN05). Please check.",
        ERROR,
        lambda record, book: record.visit == last_screening(book) and record.ecog > 2 and not was_refused(book),
        needs=("ecog",),
        reads=("ENR",),
    ),
    EditCheck(
        "EC-057",
        "LBC",
        "taken_at",
        "The last sample before the first dose excludes (EX13): {results}. Please check.",
        ERROR,
        excluding_results,
        needs=("taken_at",),
        reads=("LBC", "EX", "DM", "ENR", "PS"),
    ),
    EditCheck(
        "EC-058",
        "BDIS",
        "has_extramedullary_disease",
        "Extramedullary disease at screening contradicts the ALL history, which says never. Correct one of them.",
        ERROR,
        history_denies_disease,
        needs=("has_extramedullary_disease",),
        reads=("ALLH",),
    ),
)

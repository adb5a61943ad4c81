"""The edit checks on consent, eligibility and demographics (STUDY B.5.1), in the order of their numbers."""

from collections.abc import Callable
from datetime import timedelta

from patients.anchors import first_dose_on, is_after, is_longer, is_treated, naming
from patients.expected import is_screening_over
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate
from trial.schedule import DAYS_PER_MONTH, whole_years

HARD, ERROR, WARNING = Severity.HARD, Severity.ERROR, Severity.WARNING
OLDEST = 80  # years; beyond the published range
SCREENING_DAYS = 28
EARLY_RELAPSE_DAYS = 12 * DAYS_PER_MONTH


def something_before_consent(record: Record, book: Casebook) -> Verdict:
    """EC-001."""
    days = [record.screened_on]
    days += [visit.visited_on for visit in book.all("SV")]
    days += [sample.taken_on for form in ("LBH", "LBC", "LBO") for sample in book.all(form)]
    days += [marrow.sampled_on for marrow in book.all("BM")]
    early = [day for day in days if day and day < record.consented_on]
    return {"day": min(early)} if early else False


def ages_at_consent(born: PartialDate, book: Casebook) -> tuple[int, int] | None:
    """The lowest and the highest age that the patient can have had."""
    enrolment = book.one("ENR")
    if enrolment is None or enrolment.consented_on is None:
        return None
    return whole_years(born.latest, enrolment.consented_on), whole_years(born.earliest, enrolment.consented_on)


def is_under_age(record: Record, book: Casebook) -> Verdict:
    """EC-003."""
    ages = ages_at_consent(record.born_on, book)
    if ages is None:
        return False
    lowest, highest = ages
    enrolment = book.one("ENR")
    consent = enrolment.consented_on if enrolment else None
    return naming(highest < 18 or (None if lowest < 18 else False), age=lowest, day=consent)


def is_beyond_the_range(record: Record, book: Casebook) -> Verdict:
    """EC-004."""
    ages = ages_at_consent(record.born_on, book)
    if ages is None:
        return False
    lowest, highest = ages
    return naming(lowest > OLDEST or (None if highest > OLDEST else False), age=highest)


def is_enrolled(book: Casebook) -> bool:
    """Whether the site says that the patient was enrolled."""
    return any(row.is_enrolled for row in book.all("ENR"))


def violated_criteria(record: Record, book: Casebook) -> Verdict:
    """EC-005: of several screenings the last one counts, the earlier ones failed."""
    if record.key != book.all("IE")[-1].key or not is_enrolled(book) or record.has_waiver:
        return False
    criteria = [
        row.criterion
        for row in record.rows.get("IE.CRITERION", ())
        if row.criterion and row.is_met is row.criterion.startswith("EX")
    ]
    return {"criteria": criteria} if criteria else False


def has_deviation(book: Casebook, kind: str) -> bool:
    """Whether a protocol deviation of that class is recorded."""
    return any(row.kind == kind for row in book.all("DV"))


def needs_allograft(record: Record, book: Casebook) -> Verdict:
    """EC-008: once the log of transplantations is answered, or the screening in which it is asked for is over."""
    is_claimed = "RELAPSE <=12 MO AFTER ALLOHSCT" in record.qualifying_features
    if not is_claimed or any(row.kind == "ALLOGENEIC" for row in book.all("HSCT")):
        return False
    return bool(book.all("HSCT")) or book.gates.get("HSCT") is not None or is_screening_over(book)


def refractory_after_remission(record: Record, book: Casebook) -> Verdict:
    """EC-009."""
    history = book.one("ALLH")
    is_claimed = "PRIMARY REFRACTORY" in record.qualifying_features
    return is_claimed and history is not None and history.has_reached_cr is True


def first_relapse_not_supported(record: Record, book: Casebook) -> Verdict:
    """EC-010."""
    history = book.one("ALLH")
    if "FIRST RELAPSE <=12 MO" not in record.qualifying_features or history is None:
        return False
    values = {"relapses": history.relapses, "remission": history.first_cr_on, "relapse": history.first_relapse_on}
    if history.relapses not in (None, 1):
        return values
    if history.first_cr_on is None or history.first_relapse_on is None:
        return False
    return naming(is_longer(history.first_cr_on, history.first_relapse_on, EARLY_RELAPSE_DAYS), **values)


def no_salvage_before(record: Record, book: Casebook) -> Verdict:
    """EC-011."""
    history = book.one("ALLH")
    return ">= SECOND SALVAGE" in record.qualifying_features and history is not None and history.salvage_therapies == 0


def treated_without_pregnancy_test(record: Record, book: Casebook) -> Verdict:
    """EC-013."""
    return record.may_become_pregnant is True and record.pregnancy_test != "NEG" and is_treated(book)


def late_first_dose(record: Record, book: Casebook) -> Verdict:
    """EC-014."""
    first = first_dose_on(book)
    if first is None or first - record.consented_on <= timedelta(days=SCREENING_DAYS):
        return False
    return {"first_dose": first, "days": (first - record.consented_on).days}


def eligibility_not_signed(record: Record, book: Casebook) -> Verdict:
    """EC-015. Silent where there are no signatures at all: a casebook that has them names the form, signed or not."""
    first = first_dose_on(book)
    if first is None or "SIGN" not in book.records:
        return False
    signed = [row.signed_on for row in book.all("SIGN") if row.scope == "ELIGIBILITY" and row.signed_on]
    return {"first_dose": first} if all(day > first for day in signed) else False


def started_after_consent(name: str) -> Callable[[Record, Casebook], Verdict]:
    """EC-017, for the answer of that name."""

    def asked(record: Record, book: Casebook) -> Verdict:
        enrolment = book.one("ENR")
        if enrolment is None or enrolment.consented_on is None:
            return False
        return naming(is_after(getattr(record, name), enrolment.consented_on), consented=enrolment.consented_on)

    return asked


CHECKS = (
    EditCheck(
        "EC-001",
        "ENR",
        "consented_on",
        "Something was done on {day}, before consent on {consented_on}. Please check both dates.",
        ERROR,
        something_before_consent,
        needs=("consented_on",),
        reads=("SV", "LBH", "LBC", "LBO", "BM"),
        proposes_deviation="CONSENT",
    ),
    EditCheck(
        "EC-002",
        "ENR",
        "enrolled_on",
        "Enrolment on {enrolled_on} is before consent on {consented_on}. Please check both dates.",
        ERROR,
        lambda enrolled, consented: enrolled < consented,
        needs=("enrolled_on", "consented_on"),
        proposes_deviation="CONSENT",
    ),
    EditCheck(
        "EC-003",
        "DM",
        "born_on",
        "Born on {born_on}, the patient was {age} years old at consent. Check both dates.",
        ERROR,
        is_under_age,
        needs=("born_on",),
        reads=("ENR",),
        proposes_deviation="ELIGIBILITY",
    ),
    EditCheck(
        "EC-004",
        "DM",
        "born_on",
        "Born on {born_on}, the patient was {age} years old at consent, above the published range of 18 to 79. Confirm.",
        WARNING,
        is_beyond_the_range,
        needs=("born_on",),
        reads=("ENR",),
    ),
    EditCheck(
        "EC-005",
        "IE",
        "has_waiver",
        "The patient was enrolled although {criteria} is violated and no waiver was granted. Check the criterion.",
        ERROR,
        violated_criteria,
        reads=(
            "IE",
            "ENR",
        ),
    ),
    EditCheck(
        "EC-006",
        "IE",
        "has_waiver",
        "A waiver was granted. Enter the protocol deviation of class eligibility.",
        ERROR,
        lambda record, book: record.has_waiver is True and not has_deviation(book, "ELIGIBILITY"),
        needs=("has_waiver",),
        reads=("DV",),
    ),
    EditCheck(
        "EC-007",
        "ENR",
        "screen_failure",
        "The patient was not enrolled. Enter the reason of the screening failure.",
        ERROR,
        lambda record, book: record.is_enrolled is False and record.screen_failure is None,
        needs=("is_enrolled",),
        by_record=True,
    ),
    EditCheck(
        "EC-008",
        "IE",
        "qualifying_features",
        "A relapse after an allogeneic transplantation qualifies the patient. Enter that transplantation.",
        ERROR,
        needs_allograft,
        needs=("qualifying_features",),
        reads=("HSCT", "ENR", "EX"),
    ),
    EditCheck(
        "EC-009",
        "IE",
        "qualifying_features",
        "Primary refractory contradicts the first remission of the ALL history. Correct one of them.",
        ERROR,
        refractory_after_remission,
        needs=("qualifying_features",),
        reads=("ALLH",),
    ),
    EditCheck(
        "EC-010",
        "IE",
        "qualifying_features",
        "First relapse within 12 months is not what the history says: {relapses} relapses, first remission {remission}, "
        "first relapse {relapse}.",
        ERROR,
        first_relapse_not_supported,
        needs=("qualifying_features",),
        reads=("ALLH",),
    ),
    EditCheck(
        "EC-011",
        "IE",
        "qualifying_features",
        "Second or later salvage needs an earlier salvage therapy, and the history has none. Correct one of them.",
        ERROR,
        no_salvage_before,
        needs=("qualifying_features",),
        reads=("ALLH",),
    ),
    EditCheck(
        "EC-012",
        "DM",
        "may_become_pregnant",
        "The questions on pregnancy are not for a man. Leave them empty.",
        HARD,
        lambda record, book: (
            record.sex == "M" and (record.may_become_pregnant is not None or record.pregnancy_test is not None)
        ),
        needs=("sex",),
        by_record=True,
    ),
    EditCheck(
        "EC-013",
        "DM",
        "pregnancy_test",
        "The patient was treated, and the pregnancy test is {pregnancy_test}. Check the test.",
        ERROR,
        treated_without_pregnancy_test,
        needs=("may_become_pregnant",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-014",
        "ENR",
        "consented_on",
        "The first dose on {first_dose} was {days} days after consent. Is the screening still valid?",
        WARNING,
        late_first_dose,
        needs=("consented_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-015",
        "IE",
        "",
        "Eligibility was not signed before the first dose on {first_dose}.",
        ERROR,
        eligibility_not_signed,
        reads=("SIGN", "EX"),
    ),
    EditCheck(
        "EC-016",
        "ENR",
        "cohort",
        "The patient was treated and is of the cohort {cohort}. Only the main cohort belongs to the analysis. Check it.",
        ERROR,
        lambda record, book: record.cohort != "MAIN" and is_treated(book),
        needs=("cohort",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-017",
        "MH",
        "started",
        "The condition began on {started}, after consent on {consented}. A new condition is an adverse event.",
        ERROR,
        started_after_consent("started"),
        needs=("started",),
        reads=("ENR",),
    ),
    EditCheck(
        "EC-017",
        "ALLH",
        "diagnosed_on",
        "The diagnosis on {diagnosed_on} is after consent on {consented}. Check both dates.",
        ERROR,
        started_after_consent("diagnosed_on"),
        needs=("diagnosed_on",),
        reads=("ENR",),
    ),
)

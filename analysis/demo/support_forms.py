"""What goes along with the treatment: medical history, medication, transfusions, procedures, bags and deviations.

The rule: a medication against an event names the event, and a transfusion follows a count that was low.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.harm import Event
from analysis.demo.plan import Plan

# Condition, category, how often (in 55), whether it goes on.
_CONDITIONS = (
    ("Hypertension", "CARDIAC", 18, True),
    ("Type 2 diabetes mellitus", "GENERAL", 9, True),
    ("Hypothyroidism", "GENERAL", 7, True),
    ("Gastro-oesophageal reflux", "GENERAL", 12, True),
    ("Steroid-induced osteoporosis", "GENERAL", 6, True),
    ("Penicillin allergy", "ALLERGY", 8, True),
    ("Appendectomy", "GENERAL", 10, False),
    ("Invasive aspergillosis", "INFECTION", 9, False),
    ("Catheter-related thrombosis", "GENERAL", 8, False),
    ("Depression", "GENERAL", 7, True),
)
# Drug, category, dose, unit, route, chance in percent: given from screening on to prevent.
_PREVENTION = (
    ("Aciclovir", "ANTIINFECTIVE", 400, "mg", "ORAL", 85),
    ("Trimethoprim/sulfamethoxazole", "ANTIINFECTIVE", 960, "mg", "ORAL", 65),
    ("Posaconazole", "ANTIINFECTIVE", 300, "mg", "ORAL", 45),
    ("Pantoprazole", "OTHER", 40, "mg", "ORAL", 70),
    ("Allopurinol", "OTHER", 300, "mg", "ORAL", 35),
)
# The treatment of an event by its term: drug, category, dose, unit, route.
_AGAINST: dict[str, tuple[str, str, int, str, str]] = {
    "Pyrexia": ("Paracetamol", "OTHER", 1000, "mg", "ORAL"),
    "Headache": ("Paracetamol", "OTHER", 500, "mg", "ORAL"),
    "Nausea": ("Ondansetron", "OTHER", 8, "mg", "INTRAVENOUS"),
    "Vomiting": ("Ondansetron", "OTHER", 8, "mg", "INTRAVENOUS"),
    "Hypokalaemia": ("Potassium chloride", "OTHER", 40, "mL", "INTRAVENOUS"),
    "Hypomagnesaemia": ("Magnesium sulfate", "OTHER", 2, "g", "INTRAVENOUS"),
    "Constipation": ("Macrogol", "OTHER", 13, "g", "ORAL"),
    "Diarrhoea": ("Loperamide", "OTHER", 2, "mg", "ORAL"),
    "Seizure": ("Levetiracetam", "ANTICONVULSANT", 500, "mg", "INTRAVENOUS"),
    "Hyperglycaemia": ("Insulin", "OTHER", 8, "IU", "SUBCUTANEOUS"),
    "Peripheral oedema": ("Furosemide", "OTHER", 20, "mg", "ORAL"),
    "Hypogammaglobulinaemia": ("Immunoglobulins", "OTHER", 30, "g", "INTRAVENOUS"),
}
_ANTIINFECTIVES = {
    "FUNGAL": ("Liposomal amphotericin B", "ANTIINFECTIVE", 250, "mg", "INTRAVENOUS"),
    "VIRAL": ("Ganciclovir", "ANTIINFECTIVE", 350, "mg", "INTRAVENOUS"),
    "SEVERE": ("Piperacillin/tazobactam", "ANTIINFECTIVE", 4, "g", "INTRAVENOUS"),
    "MILD": ("Levofloxacin", "ANTIINFECTIVE", 500, "mg", "ORAL"),
}
_LOW_HAEMOGLOBIN, _LOW_PLATELETS = 80, 15
_MISSED = "Performance status was not assessed at {visit}."


def fill_support(book: Casebook) -> None:
    """Everything of a treated patient that goes along with the treatment."""
    _history(book)
    _medication(book)
    _transfusions(book)
    _procedures(book)
    _bags(book)
    _deviations(book)


def _history(book: Casebook) -> None:
    """Conditions before the study: each from a year before that of consent, so that their order is never in doubt."""
    plan, rng = book.plan, book.numbers("medical history")
    neurologic = next(row for row in book.rows if row.form == "ALLH").values["had_neurologic_events"]
    found = [one for one in _CONDITIONS if rng.random() * 55 < one[2]]
    if neurologic:
        found.append(("Vincristine neuropathy", "NEUROLOGIC", 100, True))
    if any(t.get("had_chronic_gvhd") for t in plan.transplants):
        found.append(("Dry eyes after chronic GVHD", "GVHD-RELATED", 100, True))
    for term, category, _, goes_on in found:
        latest = plan.consented_on.year - 1
        started = rng.randint(max(plan.born_on.year + 12, latest - 9), latest)
        book.add(
            "MH",
            plan.consented_on,
            term=term,
            started=str(started),
            ended=None if goes_on else str(rng.randint(started, latest)),
            is_ongoing=goes_on,
            grade=rng.choice((1, 1, 2)) if goes_on else None,
            category=category,
        )


def _last_known(plan: Plan) -> int:
    """The last study day on which medication is collected: 30 days after the last dose, or the end before it."""
    return min(plan.last_dose_day + 30, plan.last_observed_day)


def _medication(book: Casebook) -> None:
    plan, rng = book.plan, book.numbers("medication")
    last = _last_known(plan)
    for drug, category, dose, unit, route, chance in _PREVENTION:
        if rng.random() * 100 >= chance:
            continue
        goes_on = rng.random() < 0.6 and plan.course.death_day is None
        shown = plan.consented_on + timedelta(days=rng.randint(0, 4))
        _give(book, (drug, category, dose, unit, route), shown, None if goes_on else plan.on(last), "PROPHYLAXIS")
    for event in plan.events:
        treatment = _treatment(event)
        if treatment is None or event.grade < 2 or event.start < 1 or event.start > last:
            continue
        ends = None if event.end is None else plan.on(max(event.start, min(event.end, plan.last_observed_day)))
        _give(book, treatment, plan.on(event.start), ends, "AE", event.number)
    for event in plan.events:
        if event.baskets & {"GVHD ACUTE", "GVHD CHRONIC"} and event.grade >= 2:
            ends = None if event.end is None else plan.on(event.end)
            _give(book, ("Prednisolone", "STEROID", 40, "mg", "ORAL"), plan.on(event.start), ends, "GVHD")


def _treatment(event: Event) -> tuple[str, str, int, str, str] | None:
    """What is given against an event, if anything."""
    if "INFECTION" in event.baskets or event.term == "Febrile neutropenia":
        is_fungal = any(word in event.term for word in ("Fungal", "Candida", "Aspergill", "candidiasis"))
        is_viral = any(word in event.term for word in ("Cytomegalo", "Herpes"))
        if event.grade < 3:
            return _ANTIINFECTIVES["MILD"]
        return _ANTIINFECTIVES["FUNGAL" if is_fungal else "VIRAL" if is_viral else "SEVERE"]
    return _AGAINST.get(event.term)


def _give(
    book: Casebook,
    treatment: tuple[str, str, int, str, str],
    began: date,
    ended: date | None,
    indication: str,
    event_number: int | None = None,
) -> None:
    drug, category, dose, unit, route = treatment
    book.add(
        "CM",
        began,
        drug=drug,
        category=category,
        dose=Decimal(dose),
        dose_unit=unit,
        route=route,
        started=began.isoformat(),
        ended=None if ended is None else max(began, ended).isoformat(),
        is_ongoing=ended is None,
        indication=indication,
        event_number=event_number,
    )


def _transfusions(book: Casebook) -> None:
    """Red cells and platelets on the day of a low count, while the patient is on the study's treatment.

    None in the week before a marrow in remission: its counts would be read as the platelets of a donor.
    """
    plan, rng = book.plan, book.numbers("transfusions")
    last = _last_known(plan)
    remissions = [
        r.values["assessed_on"] for r in book.rows if r.form == "RS" and r.values["response"] in ("CR", "CRh")
    ]
    for row in [row for row in book.rows if row.form == "LBH.RESULT"]:
        on, value = row.on, row.values["value"]
        if plan.day(on) > last or any(0 <= (day - on).days <= 8 for day in remissions):
            continue
        if row.values["test"] == "HGB" and value < _LOW_HAEMOGLOBIN:
            book.add("TRF", on, product="RBC", given_on=on, units=2)
        if row.values["test"] == "PLAT" and value < _LOW_PLATELETS:
            book.add("TRF", on, product="PLATELETS", given_on=on, units=rng.choice((1, 1, 2)))


def _procedures(book: Casebook) -> None:
    """A line, intrathecal prophylaxis at screening and after each cycle, and images of lesions."""
    plan, rng = book.plan, book.numbers("procedures")
    placed = max(plan.consented_on, plan.on(-rng.randint(1, 4)))
    book.add("PR", placed, procedure="LINE PLACEMENT", done_on=placed.isoformat(), indication="Continuous infusion")
    days = [plan.consented_on + timedelta(days=1)]
    days += [row.values["visited_on"] for row in book.rows if row.form == "SV" and row.visit.endswith("EOC")]
    for on in days:
        book.add(
            "PR",
            on,
            procedure="LUMBAR PUNCTURE + IT THERAPY",
            done_on=on.isoformat(),
            intrathecal_drugs=["ARA-C", "MTX", "STEROID"] if rng.random() < 0.6 else ["MTX"],
            indication="Prophylaxis",
        )
    if plan.has_lesions:
        on = plan.consented_on + timedelta(days=1)
        book.add("PR", on, procedure="IMAGING", done_on=on.isoformat(), indication="Extramedullary disease")


def _bags(book: Casebook) -> None:
    """At one site in eight the bags of the first interval are recorded, each hung for two days."""
    if int(book.plan.site.number) % 8:
        return
    first = next(row for row in book.rows if row.form == "EX")
    began, ended = first.values["started_at"], first.values["ended_at"]
    hung, count = began, 0
    while hung < ended:
        count += 1
        offset = hung.astimezone(book.zone).utcoffset() or timedelta()
        book.add(
            "EX.BAG",
            first.on,
            part_of=first,
            interval=first,
            bag=f"BL-{book.plan.number[-3:]}-{count:02}",
            hung_at=hung,
            hung_at_offset=int(offset.total_seconds() // 60),
        )
        hung += timedelta(hours=48)


def _deviations(book: Casebook) -> None:
    """What the protocol asked for and was not done: late reports, and assessments that were missed."""
    for row in [row for row in book.rows if row.form == "SAE"]:
        late = row.values["reported_at"] - row.values["aware_at"]
        if late > timedelta(hours=24):
            hours = int(late.total_seconds() // 3600)
            on = row.values["aware_at"].astimezone(book.zone).date() + timedelta(days=1)
            _deviate(
                book,
                on,
                kind="SAFETY REPORTING",
                importance="MAJOR",
                description=f"A serious event was reported {hours} hours after the site knew of it.",
                action="The site was trained again in reporting within 24 hours.",
                concerns=f"Adverse event {row.values['event'].values['number']}",
            )
    for gate in book.gates:
        if gate.form == "PS" and gate.not_done_reason == "Overlooked at the visit.":
            _deviate(
                book,
                gate.on,
                kind="PROCEDURE/ASSESSMENT MISSED",
                importance="MINOR",
                description=_MISSED.format(visit=gate.visit),
                concerns=f"Visit {gate.visit}",
            )


def _deviate(book: Casebook, on: date, **values: Any) -> Row:
    """A deviation, found by the monitor some weeks later or when the patient's last day came."""
    rng = book.numbers(f"deviation {on}")
    found = min(on + timedelta(days=rng.randint(3, 40)), book.plan.died_on or book.plan.on(book.plan.last_observed_day))
    return book.add("DV", max(found, on), deviated_on=on.isoformat(), discovered_on=max(found, on), **values)

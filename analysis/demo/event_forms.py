"""The forms of safety: adverse events with their grade history, the details of special events, and stays in hospital."""

from datetime import time, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.harm import Event
from analysis.demo.plan import Plan
from safety.terms import NARROW_NEUROLOGIC

_SIGNS = {
    "Encephalopathy": "ENCEPHALOPATHY",
    "Seizure": "SEIZURE",
    "Aphasia": "APHASIA/SPEECH",
    "Tremor": "TREMOR",
    "Ataxia": "ATAXIA/COORDINATION",
    "Confusional state": "CONFUSION/DISORIENTATION",
    "Delirium": "CONFUSION/DISORIENTATION",
    "Somnolence": "SOMNOLENCE",
    "Headache": "HEADACHE",
    "Dizziness": "DIZZINESS",
    "Insomnia": "PSYCHIATRIC",
    "Anxiety": "PSYCHIATRIC",
    "Agitation": "PSYCHIATRIC",
}
_PATHOGENS = {
    "Fungal pneumonia": ("FUNGAL", "LUNG"),
    "Candida sepsis": ("FUNGAL", "BLOODSTREAM"),
    "Aspergillosis": ("FUNGAL", "LUNG"),
    "Oral candidiasis": ("FUNGAL", "ENT/SINUS"),
    "Cytomegalovirus infection": ("VIRAL", "DISSEMINATED"),
    "Herpes simplex": ("VIRAL", "SKIN/SOFT TISSUE"),
    "Herpes zoster": ("VIRAL", "SKIN/SOFT TISSUE"),
    "Upper respiratory tract infection": ("PATHOGEN UNSPECIFIED", "UPPER RESPIRATORY"),
    "Sinusitis": ("PATHOGEN UNSPECIFIED", "ENT/SINUS"),
    "Pneumonia": ("PATHOGEN UNSPECIFIED", "LUNG"),
    "Clostridium difficile colitis": ("BACTERIAL", "GI"),
    "Catheter related infection": ("BACTERIAL", "CATHETER-RELATED"),
    "Cellulitis": ("BACTERIAL", "SKIN/SOFT TISSUE"),
}
_WORDS = {
    "Alanine aminotransferase increased": "ALT increased",
    "Aspartate aminotransferase increased": "AST increased",
    "Pyrexia": "Fever",
    "Febrile neutropenia": "Neutropenic fever",
    "Confusional state": "Confusion",
    "Peripheral oedema": "Swollen ankles",
}

_CRITERIA_IN_WORDS = {
    "death": "death",
    "life": "life-threatening",
    "hospital": "stay in hospital",
    "important": "medically important",
}
LATE_REPORTS = 0.03  # reported later than 24 hours after the site knew


def fill_events(book: Casebook) -> None:
    """Every event of the plan, and the hospital stays that the protocol or an event made necessary."""
    plan = book.plan
    for event in plan.events:
        _event(book, event)
    for cycle in plan.cycles[:2]:
        days = 9 if cycle.number == 1 else 2
        out = min(cycle.start_day + days, plan.last_observed_day)
        book.add(
            "HO",
            plan.on(out),
            admitted_on=plan.on(cycle.start_day if cycle.number > 1 else -1).isoformat(),
            discharged_on=plan.on(out).isoformat(),
            reason="PROTOCOL-REQUIRED",
        )
    if plan.course.transplant_day:
        day = plan.course.transplant_day
        out = min(day + 28, plan.last_observed_day)
        book.add(
            "HO",
            plan.on(out),
            admitted_on=plan.on(day - 8).isoformat(),
            discharged_on=plan.on(out).isoformat(),
            reason="HSCT",
        )


def _event(book: Casebook, event: Event) -> None:
    plan, rng = book.plan, book.plan.rng
    ended = None if event.end is None else plan.on(event.end)
    started = plan.on(event.start).isoformat()
    is_mild = event.start > 15 and event.grade <= 2 and not event.baskets and not event.serious and event.end is None
    # A month in which the patient died, or treatment began, would leave their order in doubt.
    partial = is_mild and (plan.died_on is None or started[:7] != plan.died_on.isoformat()[:7])
    special = sorted(event.baskets - {NARROW_NEUROLOGIC})
    is_attributed = event.details.get("transplant") == "PRIOR HSCT"
    known = plan.on(max(event.start, 1)) if event.end is None else ended
    row = book.add(
        "AE",
        known or plan.on(1),
        number=event.number,
        term=_WORDS.get(event.term, event.term),
        coded_term=event.term,
        started=started[:7] if partial else started,
        ended=None if ended is None else ended.isoformat(),
        is_ongoing=ended is None,
        grade=event.grade,
        grade_at_onset=event.steps[0][1],
        is_serious=bool(event.serious),
        is_fatal="death" in event.serious if event.serious else None,
        is_life_threatening="life" in event.serious if event.serious else None,
        led_to_hospital="hospital" in event.serious if event.serious else None,
        is_medically_important="important" in event.serious if event.serious else None,
        relation="RELATED" if event.related else "NOT RELATED",
        other_causes=["PRIOR HSCT/GVHD"] if is_attributed else None if event.related else ["DISEASE"],
        action=_action(plan, event),
        other_actions=["MEDICATION"] if event.grade >= 2 else ["NONE"],
        outcome=_outcome(event),
        is_treated=event.grade >= 2,
        special_interest=special or ["NONE"],
        is_attributed_to_transplant=True if is_attributed else None,
        was_present_before=event.start < 1,
        pattern=rng.choice(("CONTINUOUS", "CONTINUOUS", "INTERMITTENT")) if event.grade < 5 else None,
    )
    if not partial:
        for day, grade in event.steps:
            book.add("AE.GRADE", row.on, part_of=row, event=row, began=plan.on(day).isoformat(), grade=grade)
    _details(book, event, row)
    if event.serious:
        _report(book, event, row)
    if "hospital" in event.serious:
        book.add(
            "HO",
            row.on,
            admitted_on=plan.on(max(1, event.start)).isoformat(),
            discharged_on=None if ended is None else ended.isoformat(),
            reason="AE",
            event=row,
        )


def _report(book: Casebook, event: Event, row: Row) -> None:
    """The report to the sponsor, within a day of the site's knowledge but for a few; and to the authorities where it is a SUSAR."""
    plan, rng = book.plan, book.numbers(f"report {event.number}")
    last = plan.died_on or plan.on(plan.last_observed_day)
    known_on = min(plan.on(event.start) + timedelta(days=rng.choice((0, 0, 1))), last)
    aware_at, offset = book.moment(known_on, time(rng.randint(7, 20), rng.randint(0, 59)))
    is_late = rng.random() < LATE_REPORTS
    reported_at = aware_at + timedelta(hours=rng.randint(30, 90) if is_late else rng.randint(2, 22))
    is_expected = not event.related or rng.random() < 0.94
    is_urgent = bool(event.serious & {"death", "life"})
    local = reported_at.astimezone(book.zone)
    shift = local.utcoffset() or timedelta()
    submitted = local.date() + timedelta(days=rng.randint(3, 6) if is_urgent else rng.randint(6, 13))
    words = ", ".join(_CRITERIA_IN_WORDS[criterion] for criterion in sorted(event.serious))
    ending = (
        "It was fatal." if event.is_fatal else "It has resolved." if event.end else "It had not resolved at the report."
    )
    book.add(
        "SAE",
        row.on,
        by="investigator",
        event=row,
        kind="INITIAL",
        aware_at=aware_at,
        aware_at_offset=offset,
        reported_at=reported_at,
        reported_at_offset=int(shift.total_seconds() // 60),
        narrative=f"{event.term} of CTCAE grade {event.grade} on study day {event.start}; serious: {words}. {ending}",
        is_expected=is_expected,
        submitted_on=None if is_expected else submitted,
    )


def _action(plan: Plan, event: Event) -> str:
    """What was done with the infusion. After the last dose, or before the first, nothing could be."""
    if event.action == "DOSE NOT CHANGED" and not 1 <= event.start <= plan.last_dose_day:
        return "NOT APPLICABLE"
    return event.action


def _outcome(event: Event) -> str:
    if event.is_fatal:
        return "FATAL"
    return "NOT RECOVERED/NOT RESOLVED" if event.end is None else "RECOVERED/RESOLVED"


def _details(book: Casebook, event: Event, row: Row) -> None:
    """The detail form of an event of special interest."""
    resolved = None if event.end is None or event.is_fatal else book.plan.on(event.end).isoformat()
    if "CRS" in event.baskets:
        _release(book, event, row, resolved)
    elif "NEUROLOGIC" in event.baskets:
        _neurologic(book, event, row, resolved)
    elif "INFECTION" in event.baskets:
        _infection(book, event, row, resolved)
    elif "GVHD ACUTE" in event.baskets:
        _acute(book, event, row)
    elif "GVHD CHRONIC" in event.baskets:
        _chronic(book, event, row)


def _release(book: Casebook, event: Event, row: Row, resolved: str | None) -> None:
    rng, severe = book.plan.rng, event.grade >= 3
    treatments = ["ANTIPYRETIC"] if event.grade == 1 else ["ANTIPYRETIC", "FLUIDS", "STEROID"]
    tocilizumab = severe and rng.random() < 0.5
    book.add(
        "CRS",
        row.on,
        event=row,
        resolved=resolved,
        temperature_c=Decimal(str(round(rng.uniform(38.3, 40.2), 1))),
        had_hypotension=event.grade >= 2,
        vasopressor="NONE",  # a vasopressor is grade 4 in CTCAE v4.03 (STUDY C.7.3)
        oxygen="FACEMASK" if severe else "LOW-FLOW NC <=6 L/min OR BLOW-BY" if event.grade >= 2 else "NONE",
        organs=["HEPATIC"] if severe else ["NONE"],
        fever_is_masked=event.grade >= 2,
        treatments=[*treatments, "OXYGEN", *(["TOCILIZUMAB"] if tocilizumab else [])] if severe else treatments,
        stopped_infusion=event.action in ("DRUG INTERRUPTED", "DRUG WITHDRAWN"),
    )


def _neurologic(book: Casebook, event: Event, row: Row, resolved: str | None) -> None:
    is_seizure = event.term == "Seizure"
    severe = event.grade >= 3
    drowsy = event.term in ("Encephalopathy", "Somnolence")
    book.add(
        "NEU",
        row.on,
        event=row,
        signs=[_SIGNS.get(event.term, "OTHER")],
        resolved=resolved,
        consciousness="AWAKENS TO VOICE" if severe and drowsy else "NORMAL",
        seizure="SINGLE SEIZURE RESOLVED RAPIDLY" if is_seizure else "NONE",
        seizures_to_date=1 if is_seizure else 0,
        has_motor_weakness=False,
        pressure="NONE",
        imaging=["CT", "MRI"] if severe else ["NONE"],
        imaging_result="NORMAL" if severe else None,
        alternative_cause="NONE",
        ice_total=max(0, 10 - 2 * event.grade) if severe else None,
        had_dexamethasone=severe,
        stopped_infusion=event.action in ("DRUG INTERRUPTED", "DRUG WITHDRAWN"),
    )


def _infection(book: Casebook, event: Event, row: Row, resolved: str | None) -> None:
    pathogen, site = _PATHOGENS.get(event.term, ("BACTERIAL", "BLOODSTREAM"))
    organisms = {"BACTERIAL": "Staphylococcus epidermidis", "FUNGAL": "Candida species", "VIRAL": "Herpesvirus"}
    book.add(
        "INF",
        row.on,
        event=row,
        pathogen=pathogen,
        organism=organisms.get(pathogen),
        documentation="MICROBIOLOGICAL" if pathogen != "PATHOGEN UNSPECIFIED" else "CLINICAL/RADIOLOGICAL",
        sites=[site],
        is_catheter_related=site == "CATHETER-RELATED",
        had_iv_treatment=event.grade >= 3,
        needed_intensive_care=event.grade >= 4,
        resolved=resolved,
    )


def _acute(book: Casebook, event: Event, row: Row) -> None:
    plan = book.plan
    gut = event.term.endswith("gut")
    shared: dict[str, Any] = {
        "transplant_concerned": event.details.get("transplant", "PRIOR HSCT"),
        "bilirubin_umol_per_l": Decimal(12),
        "has_bullae": False,
        "has_severe_pain": False,
        "has_bloody_stool": False,
        "alternatives": None,
        "biopsy": "SUPPORTS" if event.grade >= 2 else "NOT DONE",
        "confidence": "CONFIRMED" if event.grade >= 2 else "PROBABLE",
        "treatments": ["TOPICAL"] if event.grade < 3 else ["SYSTEMIC STEROID"],
        "led_to_hospital": False,
        "action": "DOSE NOT CHANGED",
    }
    book.add(
        "GVA",
        row.on,
        event=row,
        assessed_on=plan.on(event.start),
        has_signs=True,
        rash_percent=0 if gut else 15 * event.grade,
        has_upper_gut_signs=gut,
        stool_ml_per_day=300 + 200 * event.grade if gut else 0,
        **shared,
    )


def _chronic(book: Casebook, event: Event, row: Row) -> None:
    plan = book.plan
    mouth = event.term.endswith("mouth")
    score = min(3, event.grade)
    book.add(
        "GVC",
        row.on,
        event=row,
        assessed_on=plan.on(event.start),
        has_signs=True,
        is_diagnostic=True,
        skin_surface_score=0 if mouth else score,
        skin_feature_score=0,
        mouth_score=score if mouth else 0,
        eyes_score=0,
        gut_score=0,
        liver_score=0,
        lung_symptom_score=0,
        joints_score=0,
        genital_score=0,
        has_overlap=False,
        treatments=["STEROID"] if event.grade >= 2 else ["NONE"],
    )

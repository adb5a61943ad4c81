"""Vital signs of a patient at each visit; around a first dose and a step several times a day (STUDY A.5).

The rule: a fever, a low pressure or a fast pulse is an event of the plan.
"""

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from analysis.demo.casebook import Casebook
from analysis.demo.harm import Event

_HOURS = {"C1D1": (1, 2, 4, 8), "C1D8": (1, 2, 4)}
_FEVERS = ("Pyrexia", "Febrile neutropenia", "Cytokine release syndrome")


class VitalSigns:
    """What is usual for one patient, and the forms that are filled from it."""

    def __init__(self, book: Casebook) -> None:
        self.book = book
        self.rng = rng = book.numbers("vital signs")
        self.systolic = min(145.0, max(105.0, rng.gauss(122, 9)))
        self.pulse = min(100.0, max(62.0, rng.gauss(82, 8)))
        # Starts and steps by day: what is measured before and after the dose is timed by them.
        self.doses = {
            row.values["started_at"].astimezone(book.zone).date(): row.values["started_at"]
            for row in book.rows
            if row.form == "EX" and row.values["change"] in ("START", "STEP-UP")
        }
        self.shown: set[int] = set()

    def fill(self, visit: str, on: date) -> None:
        """Add the measurements of one visit."""
        dose = self.doses.get(on)
        if dose is None or not visit.endswith(("D1", "D8")):
            at = self.book.moment(on, time(self.rng.randint(8, 11), self.rng.randint(0, 59)))[0]
            self._measure(visit, on, at, "OTHER")
            return
        self._measure(visit, on, dose - timedelta(minutes=self.rng.randint(20, 50)), "PRE-DOSE")
        for hours in _HOURS.get(visit, ()):
            at = dose + timedelta(hours=hours, minutes=self.rng.randint(-5, 5))
            self._measure(visit, on, at, f"+{hours} H")

    def _measure(self, visit: str, on: date, at: datetime, time_point: str) -> None:
        book, rng = self.book, self.rng
        day = book.plan.day(on)
        there = [event for event in book.plan.events if event.start <= day <= (event.end or day)]
        terms = {event.term: event.grade for event in there}
        systolic = self.systolic + rng.gauss(0, 6)
        if "Hypotension" in terms:
            systolic = rng.uniform(91, 99) if terms["Hypotension"] < 3 else rng.uniform(80, 88)
        if "Hypertension" in terms:
            systolic = rng.uniform(146, 172)
        pulse = rng.uniform(104, 118) if "Tachycardia" in terms else self.pulse + rng.gauss(0, 5)
        is_short_of_breath = max(terms.get("Dyspnoea", 0), terms.get("Hypoxia", 0)) >= 2
        offset = at.astimezone(book.zone).utcoffset() or timedelta()
        book.add(
            "VS",
            on,
            visit,
            measured_at=at,
            measured_at_offset=int(offset.total_seconds() // 60),
            time_point=time_point,
            temperature_c=Decimal(f"{self._temperature(there):.1f}"),
            temperature_site="TYMPANIC",
            systolic_mmhg=round(systolic),
            diastolic_mmhg=max(51, round(systolic * 0.62 + rng.gauss(0, 4))),
            heart_rate=round(pulse),
            respiratory_rate=rng.randint(13, 19),
            oxygen_saturation=rng.randint(92, 94) if is_short_of_breath else rng.randint(96, 99),
            oxygen="LOW-FLOW NC <=6 L/min OR BLOW-BY" if is_short_of_breath else "NONE",
            vasopressor="NONE",
        )

    def _temperature(self, there: list[Event]) -> float:
        """Warm once in an event that brings fever: an antipyretic is given, and the next reading is lower."""
        rng = self.rng
        fevers = [e for e in there if e.number not in self.shown and (e.term in _FEVERS or _is_infection(e))]
        if fevers and rng.random() < 0.5:
            fever = fevers[0]
            self.shown.add(fever.number)
            is_high = fever.grade >= 3 and (_is_infection(fever) or fever.term == "Febrile neutropenia")
            return rng.uniform(38.4, 39.6) if is_high else rng.uniform(38.0, 38.3)
        return min(37.4, max(35.9, rng.gauss(36.7, 0.25)))


def _is_infection(event: Event) -> bool:
    return "INFECTION" in event.baskets

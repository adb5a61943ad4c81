"""Chemistry, coagulation and immunology of a patient: a level of their own for each test, moved by disease, drug and events.

The rule: a laboratory event of the plan is seen in the results of its days with about its grade, and no result of grade 3
or more is without such an event.
"""

from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal

from analysis.demo.casebook import Casebook
from analysis.demo.harm import Event
from analysis.demo.laboratory import add_result, printed, standard_range

# The tests of a sample in the order of the form, those that every visit has first.
_CHEMISTRY = tuple("ALT AST GGT ALP BILI CREAT UREA URATE K SODIUM CA PHOS MG LDH ALB GLUC CRP".split())
_COAGULATION = ("INR", "APTT", "FIBRINO", "IGG")
_NOW_AND_THEN = ("DDIMER", "FERRITIN", "TGL", "CD3", "CD19")
# Where a healthy level lies between the limits of normal (0 low, 1 high), lowest and highest for a patient, and how far a
# single result strays from it (share of the level).
_LEVELS: Mapping[str, tuple[float, float, float]] = {
    "ALT": (0.3, 1.2, 0.22),
    "AST": (0.3, 1.1, 0.2),
    "GGT": (0.3, 1.4, 0.2),
    "ALP": (0.2, 1.0, 0.1),
    "BILI": (0.2, 0.8, 0.18),
    "CREAT": (0.1, 0.7, 0.08),
    "UREA": (0.2, 0.9, 0.15),
    "URATE": (0.1, 0.8, 0.12),
    "K": (0.25, 0.7, 0.05),
    "SODIUM": (0.3, 0.7, 0.01),
    "CA": (0.3, 0.7, 0.025),
    "PHOS": (0.35, 0.8, 0.08),
    "MG": (0.35, 0.8, 0.06),
    "LDH": (0.5, 1.6, 0.2),
    "ALB": (0.0, 0.5, 0.05),
    "GLUC": (0.5, 1.3, 0.12),
    "CRP": (0.5, 3.0, 0.4),
    "INR": (0.3, 0.8, 0.06),
    "APTT": (0.3, 0.8, 0.07),
    "FIBRINO": (0.3, 0.9, 0.12),
    "IGG": (-0.2, 0.2, 0.08),
    "DDIMER": (0.4, 1.6, 0.3),
    "FERRITIN": (1.0, 6.0, 0.2),
    "TGL": (0.4, 1.1, 0.2),
    "CD3": (-0.3, 0.3, 0.2),
    "CD19": (-0.2, 0.1, 0.2),
    "AMYLASE": (0.2, 0.8, 0.1),
    "LIPASE": (0.2, 0.8, 0.1),
}
# What a result is on the days of a laboratory event, by its grade: times the limit of normal (xN), or in the standard unit.
_MARKED: Mapping[str, tuple[str, tuple[str, str, str, str]]] = {
    "Alanine aminotransferase increased": ("ALT", ("x1.5-2.6", "x3.3-4.6", "x6-14", "x21-26")),
    "Aspartate aminotransferase increased": ("AST", ("x1.5-2.6", "x3.3-4.6", "x6-14", "x21-26")),
    "Gamma-glutamyltransferase increased": ("GGT", ("x1.4-2.2", "x2.8-4.6", "x6-14", "x21-26")),
    "Alkaline phosphatase increased": ("ALP", ("x1.4-2.2", "x2.8-4.6", "x6-14", "x21-26")),
    "Hyperbilirubinaemia": ("BILI", ("x1.15-1.4", "x1.7-2.7", "x3.3-7", "x11-13")),
    "Blood creatinine increased": ("CREAT", ("x1.1-1.4", "x1.6-2.7", "x3.3-5", "x6.3-7")),
    "Acute kidney injury": ("CREAT", ("x1.1-1.4", "x1.6-2.7", "x3.3-5", "x6.3-7")),
    "Hypokalaemia": ("K", ("3.1-3.4", "3.1-3.4", "2.6-2.9", "2.2-2.4")),
    "Hyponatraemia": ("SODIUM", ("131-134", "131-134", "122-129", "116-119")),
    "Hypomagnesaemia": ("MG", ("0.54-0.66", "0.42-0.48", "0.32-0.38", "0.22-0.28")),
    "Hypocalcaemia": ("CA", ("2.03-2.11", "1.80-1.96", "1.55-1.72", "1.35-1.48")),
    "Hypophosphataemia": ("PHOS", ("0.72-0.78", "0.65-0.76", "0.36-0.56", "0.20-0.27")),
    "Hyperglycaemia": ("GLUC", ("6.6-8.6", "9.3-13.4", "14.5-22", "28.5-31")),
    "C-reactive protein increased": ("CRP", ("15-40", "30-70", "60-95", "60-95")),
    "Tumour lysis syndrome": ("URATE", ("430-560", "430-560", "430-560", "430-560")),
}
_INFLAMED = ("Pyrexia", "Febrile neutropenia", "Cytokine release syndrome")


class Chemistry:
    """The levels of one patient, and the samples that are filled from them."""

    def __init__(self, book: Casebook) -> None:
        self.book = book
        self.rng = book.numbers("chemistry")
        plan = book.plan
        self.levels: dict[str, float] = {}
        for test, (least, most, _) in _LEVELS.items():
            low, high = map(float, standard_range(plan.site, plan.sex, test))
            self.levels[test] = low + self.rng.uniform(least, most) * (high - low)
        # Whoever was enrolled cleared creatinine well enough (Cockcroft and Gault, 50 mL/min; EX13).
        weight = (1.04 if plan.sex == "F" else 1.23) * plan.weight
        self.levels["CREAT"] = min(self.levels["CREAT"], 0.8 * (140 - plan.age) * weight / 50)
        self.albumin = Decimal(40)

    def fill(self, form: str, visit: str, on: date) -> None:
        """Add the sample of one visit with its results."""
        book = self.book
        taken_at, offset = book.moment(on, time(7 if visit == "C1D1" else 8, self.rng.randint(0, 45)))
        sample = book.add(
            form, on, visit, taken_at=taken_at, taken_at_offset=offset, laboratory=book.plan.site.laboratory
        )
        day = book.plan.day(on)
        if form == "LBO":
            is_full = visit == "SCR" or visit.endswith("EOC")
            tests: tuple[str, ...] = (*_COAGULATION, *_NOW_AND_THEN) if is_full else _COAGULATION
            if visit in ("SCR", "SFUP30"):
                sample.values["antibody"] = "NEG"
        else:
            tests = (*_CHEMISTRY, "AMYLASE", "LIPASE") if visit == "SCR" else _CHEMISTRY
        values = {test: self._value(test, day) for test in tests}
        if "ALB" in values:
            self.albumin = printed(book.plan.site, book.plan.sex, "ALB", values["ALB"]).value
            values["CA"] -= 0.02 * (40 - float(self.albumin))  # the level is that corrected for albumin
        for test in tests:
            add_result(book, sample, test, values[test], self.albumin if test == "CA" else None)
        if form == "LBC" and values["BILI"] > 30:
            add_result(book, sample, "BILDIR", values["BILI"] * self.rng.uniform(0.3, 0.6))

    def _value(self, test: str, day: int) -> float:
        """A result of that day in the standard unit."""
        plan, level = self.book.plan, self.levels[test]
        value = level * max(0.5, self.rng.gauss(1, _LEVELS[test][2]))
        events = [event for event in plan.events if _is_on(event, day)]
        marked = [event for event in events if event.term in _MARKED and _MARKED[event.term][0] == test]
        if marked:
            return self._marked(max(marked, key=lambda event: event.grade), test, day)
        if test == "CRP" and any(event.term in _INFLAMED or "INFECTION" in event.baskets for event in events):
            return self.rng.uniform(20, 95)
        if test == "LDH" and day <= 2:
            value *= 1 + plan.blasts / 60
        if test == "CD19" and day > 2:
            value = self.rng.uniform(0, 3)
        return self._kept_mild(test, value)

    def _kept_mild(self, test: str, value: float) -> float:
        """What no event tells stays inside the limits of normal by and large."""
        plan = self.book.plan
        low, high = map(float, standard_range(plan.site, plan.sex, test))
        most = {"ALT": 2.4, "AST": 2.4, "GGT": 2.2, "LDH": 6, "CRP": 4, "FERRITIN": 15, "GLUC": 1.4, "DDIMER": 4}
        least = {"IGG": 0.62, "ALB": 0.88, "CD3": 0.1, "CD19": 0, "FIBRINO": 0.9}
        return min(max(value, low * least.get(test, 1.01)), high * most.get(test, 0.99))

    def _marked(self, event: Event, test: str, day: int) -> float:
        """A result that the event explains, of the grade that it has on the day."""
        grade = [grade for began, grade in event.steps if began <= day][-1]
        text = _MARKED[event.term][1][max(grade, 1) - 1]
        least, most = map(float, text.removeprefix("x").split("-"))
        value = self.rng.uniform(least, most)
        return value * self._limit(test) if text.startswith("x") else value

    def _limit(self, test: str) -> float:
        plan = self.book.plan
        return float(standard_range(plan.site, plan.sex, test)[1])


def _is_on(event: Event, day: int) -> bool:
    """Whether the event is seen on the day. The blood of day 1 is drawn before the first dose, and what began after it is not."""
    return event.start <= day <= (event.end or day) and not event.start == day == 1

"""The forms of the visits: visit, performance status, blood counts; marrow, MRD, extramedullary disease and response.

The rule: a category is produced by raw values (blasts, neutrophils, platelets), which every blood count near the marrow shares.
"""

from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from analysis.demo.casebook import Casebook, Row
from analysis.demo.laboratory import add_result
from analysis.demo.plan import Plan
from safety.edit_checks import TERMS_OF_TESTS

# Neutrophils and platelets (10^9/L, lowest and highest) that go with a category; CRh misses CR by one of the two.
_COUNTS = {
    "CR": ((1.2, 4.6), (112.0, 270.0)),
    "CRh": ((0.55, 0.97), (56.0, 190.0)),
    "CRh by platelets": ((1.1, 3.0), (54.0, 97.0)),
    "BFHM": ((0.05, 0.44), (8.0, 44.0)),
    "PR": ((0.3, 1.5), (25.0, 110.0)),
    "NR": ((0.1, 1.2), (10.0, 70.0)),
    "PD": ((0.1, 1.2), (10.0, 60.0)),
    "RELAPSE": ((0.3, 1.6), (20.0, 90.0)),
    "baseline": ((0.1, 2.4), (12.0, 140.0)),
    "nadir": ((0.05, 0.9), (10.0, 60.0)),
}
# Below these two bounds a result is of CTCAE grade 3, and of grade 4 (10^9/L; haemoglobin in g/L, which has no grade 4).
_SEVERE = {"NEUT": (1.0, 0.5), "LYM": (0.5, 0.2), "HGB": (80, 0), "PLAT": (50, 25), "WBC": (2.0, 1.0)}
_DRUG_DAYS = {"D1": 1, "D2": 2, "D3": 3, "D8": 8, "D15": 15, "D22": 22}
_LATER_MONTHS = (3, 6, 9, 12, 18, 24)


@dataclass(frozen=True, slots=True)
class Sample:
    """A marrow on a study day, with the category that its values give. `ends` is the cycle that it concludes, 0 for none."""

    day: int
    category: str
    visit: str
    ends: int = 0


def marrow_samples(plan: Plan) -> list[Sample]:
    """The marrows after the first dose: at the end of each cycle, in follow-up while in remission, and at relapse."""
    course = plan.course
    last = min(plan.last_observed_day, (course.transplant_day or 9999) - 2)
    found: list[Sample] = []
    if course.response == "NE":
        return found
    for cycle in plan.cycles:
        day = course.marrow_days[cycle.number - 1] if cycle.number <= 2 else cycle.start_day + 28
        if day <= last and day < (course.relapse_day or 9999) - 2:
            found.append(Sample(day, _category_after(plan, cycle.number), f"C{cycle.number}EOC", cycle.number))
    if course.responds:
        for month in _LATER_MONTHS:
            day = round(month * 30.4375) + plan.rng.randint(-6, 6)
            stays = day < min((course.relapse_day or 9999) - 7, plan.last_observed_day + 1)
            if stays and day > plan.last_dose_day + 20 and all(abs(day - s.day) > 20 for s in found):
                category = "CR" if day > plan.primary_end_day + 10 else course.response
                found.append(Sample(day, category, f"EFU{month}"))
        if course.relapse_day is not None:
            found.append(Sample(course.relapse_day, "RELAPSE", "UNS"))
    return found


def _category_after(plan: Plan, cycle: int) -> str:
    """The category at the end of a cycle. Before a late response, and beside a best response reached later, it is weaker."""
    course = plan.course
    if not course.responds:
        stays = course.response in ("BFHM", "PD")  # blasts that came back would be a relapse
        return course.response if cycle == 1 or stays else "NR"
    if cycle < course.response_cycle:
        return "NR"
    if plan.upgrades and cycle == 1:
        return "CRh"
    return course.response if cycle <= 2 else "CR"


def visit_days(plan: Plan) -> list[tuple[str, int]]:
    """The visits that took place, with their study days."""
    course = plan.course
    last = plan.last_observed_day
    found = [("SCR", _screening_day(plan))]
    for cycle in plan.cycles:
        names = _DRUG_DAYS if cycle.number == 1 else {k: v for k, v in _DRUG_DAYS.items() if k != "D3"}
        end = min(cycle.end_day, last)
        found += [
            (f"C{cycle.number}{name}", cycle.start_day + d - 1)
            for name, d in names.items()
            if cycle.start_day + d - 1 <= end
        ]
    end_of_follow_up = min(last, (course.transplant_day or 9999) - 1)
    safety = plan.last_dose_day + 30
    if safety <= end_of_follow_up:
        found.append(("SFUP30", safety))
    return found


def fill_visits(book: Casebook) -> Row:
    """All visits with their forms. Give back the central reading of the baseline marrow."""
    plan = book.plan
    samples = marrow_samples(plan)
    baseline = _disease_at_screening(book)
    visits = {day: visit for visit, day in reversed(visit_days(plan))}
    for sample in samples:
        same = next((day for day in visits if abs(day - sample.day) <= 2 and not visits[day].startswith("C")), None)
        if same is not None:
            del visits[same]
        visits[sample.day] = sample.visit
    levels = Levels(plan, samples)
    used: set[str] = set()
    by_day = {sample.day: sample for sample in samples}
    for day in sorted(visits):
        visit = visits[day]
        if visit in used:
            visit = f"UNS{day}"
        used.add(visit)
        count = _visit(book, visit, day, levels)
        if day in by_day:
            _assessment(book, by_day[day], visit, count)
    if plan.course.response == "NE" and plan.rng.random() < 0.5:
        day = min(plan.last_dose_day, plan.last_observed_day)
        book.add(
            "RS", plan.on(day), by="investigator", assessed_on=plan.on(day), cycle=1, assessor="LOCAL", response="NE"
        )
    return baseline


def fill_only_visit(book: Casebook) -> None:
    """The visit of a patient who was screened and not enrolled."""
    plan = book.plan
    _disease_at_screening(book)
    _visit(book, "SCR", _screening_day(plan), Levels(plan, []))


def _disease_at_screening(book: Casebook) -> Row:
    """Marrow and extramedullary disease before treatment. Give back the central reading of the marrow."""
    plan = book.plan
    baseline = _marrow(book, plan.day(plan.consented_on) + 1, "SCR", plan.blasts, "baseline")
    screened = plan.on(_screening_day(plan))
    book.add(
        "EMD",
        screened,
        "SCR",
        assessed_on=screened,
        methods=["CT"] if plan.has_lesions else ["EXAM"],
        status="PRESENT STABLE/SMALLER" if plan.has_lesions else "NO EVIDENCE",
        lesions_mm=45 if plan.has_lesions else None,
    )
    return baseline


def _screening_day(plan: Plan) -> int:
    return plan.day(plan.consented_on) + 1 if (plan.first_dose - plan.consented_on).days > 3 else -1


class Levels:
    """Which blood counts a patient has on a day: those of the marrow nearby, else those of the phase of treatment."""

    def __init__(self, plan: Plan, samples: list[Sample]) -> None:
        self.plan = plan
        self.samples = samples
        self.by_platelets = plan.rng.random() < 0.5

        self.baseline: dict[str, int] = {}
        self.last: tuple[int, str, dict[str, float]] = (-99, "", {})

    def near_the_last(self, values: dict[str, float], day: int, category: str) -> dict[str, float]:
        """The counts of a day; a few days after another sample, haemoglobin and platelets are still near to those of it."""
        before, phase, known = self.last
        found = dict(values)
        if day - before <= 3:
            for test in ("HGB", "PLAT") if phase == category else ("HGB",):
                found[test] = round(known[test] + (values[test] - known[test]) / 5)
        self.last = (day, category, found)
        return found

    def bear(self, values: dict[str, float], day: int) -> dict[str, float]:
        """The counts of a day, of which none is graver than at baseline unless an event or a marrow nearby says why.

        At baseline the leukaemia has displaced the healthy cells: whoever is treated has low counts.
        """
        if day < 1:
            low = {"NEUT": 0.5, "PLAT": 0.53, "LYM": 0.28}
            found = {test: round(value * low.get(test, 1), 2) for test, value in values.items()}
            self.baseline |= {test: _severity(test, value) for test, value in found.items()}
            return found
        is_near_marrow = any(s.day - 3 <= day <= s.day + 7 for s in self.samples)
        return {
            test: value
            if _severity(test, value) <= self.baseline[test]
            or (is_near_marrow and test in ("NEUT", "PLAT"))
            or self._is_explained(test, value, day)
            else _eased(test, value, self.baseline[test])
            for test, value in values.items()
        }

    def _is_explained(self, test: str, value: float, day: int) -> bool:
        """Whether an event of about that grade says the same as the result."""
        return any(
            event.term in TERMS_OF_TESTS[test]
            and event.grade >= _severity(test, value) - 1
            and event.start <= day <= (event.end or day)
            for event in self.plan.events
        )

    def category(self, day: int) -> str:
        """The category of the day; around a marrow (3 days before to 7 after) its own."""
        near = [s for s in self.samples if s.day - 3 <= day <= s.day + 7]
        if near:
            return min(near, key=lambda s: abs(s.day - day)).category
        course = self.plan.course
        if day < 1:
            return "baseline"
        if course.responds and day > course.response_day:
            if day >= (course.relapse_day or 9999):
                return "RELAPSE"
            return "CR" if self.plan.last_dose_day < day else course.response
        return "nadir" if course.response in ("CR", "CRh", "BFHM") else "NR"

    def blood_blasts(self, day: int, category: str) -> float:
        """Blasts in blood (10^9/L): none in remission, fewer soon after the first dose, never so many more as to be progression."""
        at_baseline, rng = self.plan.blood_blasts, self.plan.rng
        if day <= 1:
            return at_baseline
        if category in ("CR", "CRh", "BFHM", "PR", "nadir"):
            return round(at_baseline * 0.3, 2) if day <= 3 else 0.0
        if category == "RELAPSE":
            return round(rng.uniform(0.05, 2.5), 2)
        return round(rng.uniform(0, min(at_baseline, 6) + 1.5), 2)


def _severity(test: str, value: float) -> int:
    """The CTCAE grade from 3 on, 2 for all that is milder."""
    third, fourth = _SEVERE[test]
    return 4 if value < fourth else 3 if value < third else 2


def _eased(test: str, value: float, grade: int) -> float:
    """A value just milder than the bound above the grade, the lower ones the nearest to it."""
    bound = _SEVERE[test][grade - 2]
    return round(bound * (1.01 + 0.4 * value / (value + bound)), 0 if test in ("HGB", "PLAT") else 2)


def _visit(book: Casebook, visit: str, day: int, levels: Levels) -> Row:
    """The visit, performance status and blood count of one day. Give back the blood sample."""
    plan, rng = book.plan, book.plan.rng
    on = plan.on(day)
    in_hospital = (visit.startswith("C1") and day <= 10) or visit == "C2D1"
    book.add("SV", on, visit, visited_on=on, contact="ON SITE", is_missed=False, is_inpatient=in_hospital)
    needs_status = not visit.endswith(("D2", "D3"))
    if needs_status and rng.random() < 0.015:
        book.not_done("PS", on, visit, rng.choice(("The patient felt too unwell.", "Overlooked at the visit.")))
    elif needs_status:
        writes = rng.random() < 0.96
        book.add(
            "PS",
            on,
            visit,
            missing={} if visit == "SCR" or writes else {"writing": "ND"},
            assessed_on=on,
            ecog=plan.ecog if day < 1 else max(0, min(3, plan.ecog + rng.choice((-1, 0, 0, 0, 1)))),
            weight_kg=Decimal(str(round(plan.weight + (0 if day < 1 else rng.gauss(-0.5, 1.4)), 1))),
            height_cm=plan.height if visit == "SCR" else None,
            did_writing_test=writes,
            writing="UNCHANGED" if writes else None,
        )
    return _blood(book, visit, day, levels)


def _blood(book: Casebook, visit: str, day: int, levels: Levels) -> Row:
    plan, rng = book.plan, book.plan.rng
    category = levels.category(day)
    by_platelets = category == "CRh" and levels.by_platelets
    neutrophils, platelets = _COUNTS["CRh by platelets" if by_platelets else category]
    blasts = levels.blood_blasts(day, category)
    neut = round(rng.uniform(*neutrophils), 2)
    lymphocytes = round(0.02 if 1 < day < 5 else rng.uniform(0.2, 1.6), 2)
    leukocytes = neut + lymphocytes + blasts + rng.uniform(0.02, 0.5)
    haemoglobin = max(62, round(rng.gauss(122 if category == "CR" else 96, 10)))
    drawn = {"NEUT": neut, "LYM": lymphocytes, "HGB": haemoglobin, "PLAT": round(rng.uniform(*platelets))}
    values = levels.bear(levels.near_the_last(drawn, day, category), day)
    leukocytes = max(leukocytes, values["NEUT"] + values["LYM"] + blasts + 0.02)
    values |= levels.bear({"WBC": round(leukocytes, 2)}, day)
    values |= {"BLAST": blasts, "BLASTLE": round(100 * blasts / values["WBC"], 1)}
    clock = time(8, rng.randint(0, 45)) if day != 1 else time(7, rng.randint(0, 50))
    taken_at, offset = book.moment(plan.on(day), clock)
    sample = book.add(
        "LBH", plan.on(day), visit, taken_at=taken_at, taken_at_offset=offset, laboratory=plan.site.laboratory
    )
    for test in ("WBC", "NEUT", "LYM", "BLAST", "BLASTLE", "HGB", "PLAT"):
        add_result(book, sample, test, values[test])
    return sample


def _blasts(plan: Plan, category: str) -> float:
    """Marrow blasts in percent that give the category."""
    rng, base = plan.rng, plan.blasts
    if category in ("CR", "CRh", "BFHM"):
        seen = round(rng.choice((0, 1, 1, 2, 2, 3, 4)) + rng.choice((0, 0, 0.5)), 1)
        return max(1.0, seen) if plan.mrd == "positive" else seen  # an assay finds no more than the marrow holds
    if category == "PR":
        return float(rng.randint(6, max(6, min(25, int(base / 2)))))
    if category == "PD":
        return min(99.0, base + rng.randint(25, 30)) if base <= 70 else min(99.0, base + rng.randint(0, 4))
    if category == "RELAPSE":
        return float(rng.randint(12, 92))
    return (
        float(rng.randint(max(26, int(base * 0.6)), int(min(98, base + 20))))
        if base >= 40
        else float(rng.randint(int(base * 0.6) + 1, int(base) + 15))
    )


def _marrow(book: Casebook, day: int, visit: str, blasts: float, category: str) -> Row:
    """The local and the central reading of one marrow. Give back the central one."""
    plan, rng = book.plan, book.plan.rng
    on = plan.on(day)
    cellularity = "HYPOCELLULAR" if category == "BFHM" else "NORMOCELLULAR" if blasts <= 5 else "HYPERCELLULAR"
    shared: dict[str, Any] = {
        "sampled_on": on,
        "specimens": ["ASPIRATE"],
        "is_adequate": True,
        "cellularity": cellularity,
    }
    local = min(100.0, max(0.0, round(blasts + rng.choice((-1, 0, 0, 1)), 1))) if blasts >= 30 else blasts
    book.add("BM", on, visit, reader="LOCAL", blasts_percent=Decimal(str(local)), blasts_qualifier="=", **shared)
    return book.add(
        "BM",
        on + timedelta(days=4),
        visit,
        reader="CENTRAL",
        blasts_percent=Decimal(str(blasts)),
        blasts_qualifier="=",
        residual_cd19="POSITIVE" if blasts > 5 else None,
        **shared,
    )


def _assessment(book: Casebook, sample: Sample, visit: str, count: Row) -> None:
    """Marrow, MRD, extramedullary disease and the response as investigator and central reviewer saw them."""
    plan, rng = book.plan, book.plan.rng
    on = plan.on(sample.day)
    blasts = _blasts(plan, sample.category)
    central = _marrow(book, sample.day, visit, blasts, sample.category)
    outside = book.add("EMD", on, visit, assessed_on=on, methods=["EXAM"], status=_outside(plan, sample, blasts))
    if sample.category in ("CR", "CRh"):
        _mrd(book, sample, central, on)
    cycle = max((c.number for c in plan.cycles if c.start_day <= sample.day), default=1)
    seen = sample.category
    differs = sample.category == "CR" and rng.random() < 0.01
    book.add(
        "RS",
        on + timedelta(days=1),
        visit,
        by="investigator",
        assessed_on=on,
        cycle=cycle,
        assessor="LOCAL",
        marrow=central,
        count=count,
        extramedullary=outside,
        response="CRh" if differs else seen,
        adjudicated_response=seen if differs else None,
        adjudication_reason="Counts of the day meet the criteria of CR." if differs else None,
    )
    if sample.ends:
        book.add(
            "RS",
            on + timedelta(days=9),
            visit,
            by="investigator",
            assessed_on=on,
            cycle=cycle,
            assessor="CENTRAL",
            marrow=central,
            count=count,
            extramedullary=outside,
            response=seen,
        )


def _outside(plan: Plan, sample: Sample, blasts: float) -> str:
    """What is seen outside the marrow. Progression that the marrow cannot show is a new lesion."""
    if sample.category == "PD" and blasts < plan.blasts + 25:
        return "NEW LESION"
    if plan.has_lesions and sample.category in ("NR", "PD", "PR"):
        return "PRESENT STABLE/SMALLER"
    return "RESOLVED" if plan.has_lesions else "NO EVIDENCE"


def _mrd(book: Casebook, sample: Sample, marrow: Row, on: date) -> None:
    """The MRD assays of a remission marrow, one or two markers, in line with what the plan says of the patient."""
    plan, rng = book.plan, book.plan.rng
    laboratory, method = "CENTRAL-MRD", rng.choice(("PCR IG/TR", "PCR IG/TR", "PCR IG/TR", "FLOW"))
    known: dict[str, Any] = {"marrow": marrow, "method": method, "laboratory": laboratory}
    reported = on + timedelta(days=12)
    if plan.mrd == "not evaluable":
        result = rng.choice(("NO MARKER", "SAMPLE INADEQUATE"))
        book.add("MRD", reported, marker=1, sensitivity=1e-4, result=result, **known)
        return
    if plan.mrd == "positive":
        level = round(rng.uniform(1.2, 9), 1) * 10 ** -rng.choice((2, 3, 3, 4))
        book.add(
            "MRD", reported, marker=1, sensitivity=1e-5, quantitative_range=1e-4, result="POSITIVE QUANTIFIED",
            level=min(level, 0.01), **known,
        )  # fmt: skip
        return
    if plan.mrd == "detectable":
        book.add(
            "MRD",
            reported,
            marker=1,
            sensitivity=1e-5,
            quantitative_range=1e-4,
            result="POSITIVE NOT QUANTIFIABLE",
            **known,
        )
        return
    for marker in range(1, rng.choice((1, 2, 2)) + 1):
        sensitivity = rng.choice((1e-4, 1e-5, 1e-5))
        book.add(
            "MRD", reported, marker=marker, sensitivity=sensitivity, quantitative_range=1e-4, result="NEGATIVE", **known
        )

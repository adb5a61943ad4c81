"""What was before the study, of one patient: earlier transplants, their relapse, salvage therapy (STUDY C.9, A.3, F-01)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from analysis.derive.datasets import flag, join
from analysis.derive.imputation import impute_order
from analysis.derive.rows import Casebook, PriorTherapy, Transplant
from trial.partial_dates import PartialDate, is_before, parse
from trial.schedule import months_between

REMISSIONS = frozenset({"CR1", "CR2", "CR3+"})
DONOR_GROUPS = {
    "MATCHED SIBLING": "MATCHED SIBLING",
    "MATCHED UNRELATED": "UNRELATED",
    "MISMATCHED UNRELATED": "UNRELATED",
    "UNKNOWN": None,
    None: None,
}
ACUTE_GRADES = ("UNK", "I", "II", "III", "IV")
CHRONIC_GRADES = ("UNK", "LIMITED", "MILD", "MODERATE", "EXTENSIVE", "SEVERE")


@dataclass(frozen=True, slots=True)
class Transplants:
    """The allogeneic transplants that could have been before the first dose, in order. The last one defines the cohort."""

    rows: tuple[Transplant, ...]

    @property
    def last(self) -> Transplant | None:
        """The last of them by date; one without a date is the last if its number is the highest, or if none has a date."""
        dated = [row for row in self.rows if row.transplanted_on]
        undated = [row for row in self.rows if not row.transplanted_on]
        if not dated or (undated and (undated[-1].number or 0) > max(row.number or 0 for row in dated)):
            return undated[-1] if undated else None
        return dated[-1]

    @property
    def has_relapsed(self) -> bool:
        """Whether the disease came back after the last one.

        Who was in remission at the transplant and entered this study has relapsed, whether or not the form says so (F-01).
        """
        last = self.last
        return last is not None and bool(last.has_relapsed or last.relapsed_on or last.status in REMISSIONS)


def select_transplants(book: Casebook, first_dose: date | None) -> Transplants:
    """The allogeneic transplants before the first dose, by date and number. One without a date is counted as earlier.

    So is one that is known in part and could be, as its month is that of the first dose.
    """

    def is_earlier(transplanted: PartialDate | None) -> bool:
        if transplanted is None or first_dose is None:
            return True
        return transplanted.earliest < first_dose or (transplanted.earliest == first_dose < transplanted.latest)

    rows = [row for row in book.transplants if row.kind == "ALLOGENEIC" and is_earlier(row.transplanted_on)]

    def when(row: Transplant) -> tuple[date, float]:
        return (row.transplanted_on.earliest if row.transplanted_on else date.min, row.number or 0)

    return Transplants(tuple(sorted(rows, key=when)))


def derive_transplant_variables(transplants: Transplants, book: Casebook, first_dose: date | None) -> dict[str, Any]:
    """The variables of ADSL on earlier transplants. Donor and the like are the last one's, GVHD the worst after any."""
    last, rows = transplants.last, transplants.rows
    donor = last.donor if last else None
    transplanted_on, relapsed_on = (last.transplanted_on, last.relapsed_on) if last else (None, None)
    return {
        "NALLO": len(rows),
        "DONOR": donor,
        "DONORGR": DONOR_GROUPS.get(donor, "OTHER"),
        "HLA": last.hla_match if last else None,
        "GRAFT": last.graft if last else None,
        "CONDINT": last.conditioning if last else None,
        "CONDREG": last.conditioning_agents if last else None,
        "TBI": last.tbi if last else None,
        "GVPX": join(last.gvhd_prophylaxis) if last else None,
        "DLIFL": flag(_any(row.had_lymphocyte_infusion for row in rows)),
        "PRAGVFL": flag(_any(row.had_acute_gvhd for row in rows)),
        "PRAGVGR": _worst(ACUTE_GRADES, (row.acute_gvhd_grade for row in rows)),
        "PRCGVFL": flag(_any(row.had_chronic_gvhd for row in rows)),
        "PRCGVSEV": _worst(CHRONIC_GRADES, (row.chronic_gvhd_severity for row in rows)),
        "CHIM": last.chimerism_percent if last else None,
        "TTRELHS": _months(transplanted_on, relapsed_on),
        "TTDOSE": _months(transplanted_on, first_dose),
        "TTRELDOS": _months(relapsed_on, first_dose),
        "SALVHSFL": flag(_had_salvage_after(book.therapies, last) if last else None),
    }


def derive_disease_variables(book: Casebook) -> dict[str, Any]:
    """The variables of ADSL on the disease before the study. Salvage therapies are counted from their rows (F-03)."""
    history = book.histories[0] if book.histories else None
    salvage = sum(row.kind == "SALVAGE" for row in book.therapies)
    baseline = book.baselines[0] if book.baselines else None
    return {
        "NSALV": salvage,
        "NSALVGR": str(salvage) if salvage < 4 else ">=4",
        "DISSTAT": history.status if history else None,
        "IMMUNO": history.immunophenotype if history else None,
        "CYTODX": join(history.cytogenetics) if history else None,
        "PRIMREFL": flag(not history.has_reached_cr if history and history.has_reached_cr is not None else None),
        "NREL": history.relapses if history else None,
        "CR1DUR": _months(history.first_cr_on, history.first_relapse_on) if history else None,
        "EMDEVFL": flag(history.had_extramedullary_disease if history else None),
        "EMDBLFL": flag(baseline.has_extramedullary_disease if baseline else None),
        "CNSEVFL": flag(history.had_cns_disease if history else None),
        "PRNEUFL": flag(history.had_neurologic_events if history else None),
    }


def _months(earlier: PartialDate | None, later: PartialDate | date | None) -> float | None:
    """Months from one day to another; None where one is not known to the month, or where the two contradict each other."""
    days = impute_order(earlier, parse(later.isoformat()) if isinstance(later, date) else later)
    return months_between(*days) if days and days[0] <= days[1] else None


def _had_salvage_after(therapies: list[PriorTherapy], last: Transplant) -> bool | None:
    """Whether salvage was given between the transplant and the first dose: as the site says, else by the dates.

    None where the transplant has no date, and the site does not say it of some dated therapy.
    """
    salvage = [row for row in therapies if row.kind == "SALVAGE"]
    if any(row.timing_to_transplant == "AFTER" for row in salvage):
        return True
    undecided = [row.started_on for row in salvage if row.timing_to_transplant is None and row.started_on]
    transplanted = last.transplanted_on
    if transplanted is None:
        return None if undecided else False
    return any(is_before(transplanted, started) for started in undecided)


def _any(answers: Iterable[bool | None]) -> bool | None:
    """Yes if any says yes, no if all say no, else unknown. None where nobody was asked."""
    said = list(answers)
    if any(said):
        return True
    return False if said and None not in said else None


def _worst(order: tuple[str, ...], found: Iterable[str | None]) -> str | None:
    return max((code for code in found if code), key=order.index, default=None)

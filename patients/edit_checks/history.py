"""The edit checks on the history of the disease, earlier therapy and transplantation (STUDY B.5.2), in order.

Wash-out times are whole days before the first dose: less than two weeks is up to 13 days. Nothing is imputed for them.
"""

import re

from patients.anchors import (
    allografts,
    as_partial,
    baseline_marrow,
    blasts_of,
    days_after,
    either,
    first_dose_on,
    is_after,
    is_longer,
    is_treated,
    is_within,
    isnt,
    naming,
)
from patients.edit_checks.enrolment import is_enrolled
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate, is_before

HARD, ERROR, WARNING = Severity.HARD, Severity.ERROR, Severity.WARNING
CYTOTOXIC = ("INDUCTION", "CONSOLIDATION", "MAINTENANCE", "SALVAGE", "CONDITIONING", "RADIOTHERAPY")
LINES = ("INDUCTION", "SALVAGE")
ALKYLATOR = re.compile(
    r"busul|treosul|melphal|cyclophosph|thiotep|carmust|bendamust|\b(?:bu|cy|mel|bcnu|tt)\b", re.IGNORECASE
)


def is_before_birth(day: PartialDate, book: Casebook) -> Verdict:
    """EC-021."""
    person = book.one("DM")
    if person is None or person.born_on is None:
        return False
    return naming(is_before(day, person.born_on), born=person.born_on)


def salvage_count_differs(record: Record, book: Casebook) -> Verdict:
    """EC-023."""
    listed = sum(row.kind == "SALVAGE" for row in book.all("PTX"))
    return {"listed": listed} if listed != record.salvage_therapies else False


def lines_overlap(record: Record, book: Casebook) -> Verdict:
    """EC-025: with a line of a lower number. What month alone is known of is read as the least that they share."""
    for other in book.all("PTX"):
        if (
            other.kind not in LINES
            or record.kind not in LINES
            or None in (other.line, other.started_on, other.ended_on)
        ):
            continue
        starts = max(record.started_on.latest, other.started_on.latest)
        shared = (min(record.ended_on.earliest, other.ended_on.earliest) - starts).days
        if other.line < record.line and shared > 7:
            return {"other": other.line, "days": shared}
    return False


def washout_too_short(record: Record, book: Casebook) -> Verdict:
    """EC-026."""
    return record.kind in CYTOTOXIC and ended_within(record.ended_on, 13, book)


def ended_within(day: PartialDate, days: int, book: Casebook) -> Verdict:
    """Whether a day lies in so many days before the first dose."""
    first = first_dose_on(book)
    if first is None:
        return False
    return naming(is_within(day, days_after(first, -days), days_after(first, -1)), first_dose=first)


def contradicts_the_gate(record: Record, book: Casebook) -> Verdict:
    """EC-028: a row where the form says that there is none. A gate that says yes without rows is an incomplete form."""
    return book.gates.get("HSCT") is False


def transplant_out_of_order(record: Record, book: Casebook) -> Verdict:
    """EC-029."""
    first, history = first_dose_on(book), book.one("ALLH")
    diagnosed = history.diagnosed_on if history is not None else None
    day = record.transplanted_on
    verdicts = [isnt(is_before(day, as_partial(first)))] if first is not None else []
    verdicts += [is_before(day, diagnosed)] if diagnosed is not None else []
    return naming(either(*verdicts), diagnosed=diagnosed, first_dose=first)


def last_allograft_without_relapse(record: Record, book: Casebook) -> Verdict:
    """EC-033."""
    rows = allografts(book)
    return record.has_relapsed is False and bool(rows) and rows[-1].key == record.key and is_treated(book)


def donor_does_not_fit(record: Record, book: Casebook) -> Verdict:
    """EC-034."""
    return (record.kind == "AUTOLOGOUS" and record.donor is not None) or (
        record.kind == "ALLOGENEIC" and record.donor is None
    )


def immunosuppressed(record: Record, book: Casebook) -> Verdict:
    """EC-039."""
    first = first_dose_on(book)
    if record.is_immunosuppressed:
        return {"said": "is ongoing at screening"}
    if first is None or record.last_immunosuppression_on is None:
        return False
    recent = is_after(record.last_immunosuppression_on, days_after(first, -14))
    return naming(recent, said=f"was given last on {record.last_immunosuppression_on}")


def relapse_after_first_dose(record: Record, book: Casebook) -> Verdict:
    """EC-041: from the transplantation it is longer to the relapse than to the first dose."""
    first = first_dose_on(book)
    return naming(is_after(record.relapsed_on, first), first_dose=first) if first is not None else False


def numbering_is_wrong(record: Record, book: Casebook) -> Verdict:
    """EC-042: the number before is missing, is there twice, or has the later date."""
    others = [row for row in book.all("HSCT") if row.key != record.key]
    previous = [row for row in others if row.number == record.number - 1]
    if any(row.number == record.number for row in others) or (record.number > 1 and not previous):
        return True
    return any(row.transplanted_on and is_before(record.transplanted_on, row.transplanted_on) for row in previous)


def current_relapse_differs(record: Record, book: Casebook) -> Verdict:
    """EC-043: the answer is given only where the site overwrites what is shown from the transplantation."""
    relapses = [row.relapsed_on for row in allografts(book) if row.relapsed_on]
    if not relapses:
        return False
    shown, said = relapses[-1], record.last_relapse_on
    later = [row.relapsed_on for row in book.all("PTX") if row.relapsed_on]
    if any(is_before(shown, day) is not False for day in later):
        return False
    return naming(either(is_longer(shown, said, 31), is_longer(said, shown, 31)), shown=shown)


def conditioning_contradicts_dose(record: Record, book: Casebook) -> Verdict:
    """EC-044."""
    if record.conditioning == "REDUCED INTENSITY":
        return record.tbi == ">=8 Gy"
    is_low = record.conditioning == "MYELOABLATIVE" and record.tbi == "<=2 Gy"
    return is_low and not ALKYLATOR.search(record.conditioning_agents or "")


def chimerism_with_leukaemia(record: Record, book: Casebook) -> Verdict:
    """EC-045."""
    marrow = baseline_marrow(book)
    blasts = blasts_of(marrow)
    if record.chimerism_percent < 95 or marrow is None or blasts is None or blasts < 50:
        return False
    first, last = days_after(marrow.sampled_on, -14), days_after(marrow.sampled_on, 14)
    return naming(is_within(record.chimerism_on, first, last), blasts=blasts, sampled=marrow.sampled_on)


def recent_transplant(kind: str, days: int, record: Record, book: Casebook) -> Verdict:
    """EC-030 and EC-031."""
    return record.kind == kind and ended_within(record.transplanted_on, days - 1, book)


CHECKS = (
    EditCheck(
        "EC-020",
        "ALLH",
        "first_cr_on",
        "The first CR on {first_cr_on} is before the diagnosis on {diagnosed_on}. Check both dates.",
        HARD,
        lambda remitted, diagnosed: is_before(remitted, diagnosed),
        needs=("first_cr_on", "diagnosed_on"),
    ),
    EditCheck(
        "EC-020",
        "ALLH",
        "first_relapse_on",
        "The first relapse on {first_relapse_on} is before the first CR on {first_cr_on}. Check both dates.",
        HARD,
        lambda relapsed, remitted: is_before(relapsed, remitted),
        needs=("first_relapse_on", "first_cr_on"),
    ),
    EditCheck(
        "EC-021",
        "ALLH",
        "diagnosed_on",
        "The diagnosis on {diagnosed_on} is before the birth on {born}. Check both dates.",
        ERROR,
        lambda record, book: is_before_birth(record.diagnosed_on, book),
        needs=("diagnosed_on",),
        reads=("DM",),
    ),
    EditCheck(
        "EC-021",
        "PTX",
        "started_on",
        "The therapy began on {started_on}, before the birth on {born}. Check both dates.",
        ERROR,
        lambda record, book: is_before_birth(record.started_on, book),
        needs=("started_on",),
        reads=("DM",),
    ),
    EditCheck(
        "EC-022",
        "ALLH",
        "has_reached_cr",
        "No remission was ever reached, but a first remission or relapse is dated. Correct one of them.",
        ERROR,
        lambda record, book: (
            record.has_reached_cr is False and (record.first_cr_on is not None or record.first_relapse_on is not None)
        ),
        needs=("has_reached_cr",),
        by_record=True,
    ),
    EditCheck(
        "EC-023",
        "ALLH",
        "salvage_therapies",
        "There were {salvage_therapies} salvage therapies, but {listed} are listed. Correct the number or the list.",
        ERROR,
        salvage_count_differs,
        needs=("salvage_therapies",),
        reads=("PTX",),
    ),
    EditCheck(
        "EC-024",
        "PTX",
        "ended_on",
        "The therapy ends on {ended_on}, before its start on {started_on}. Check both dates.",
        HARD,
        lambda ended, started: is_before(ended, started),
        needs=("ended_on", "started_on"),
    ),
    EditCheck(
        "EC-025",
        "PTX",
        "started_on",
        "This line overlaps line {other} by {days} days. Please check the dates of both.",
        WARNING,
        lines_overlap,
        needs=("kind", "line", "started_on", "ended_on"),
        reads=("PTX",),
    ),
    EditCheck(
        "EC-026",
        "PTX",
        "ended_on",
        "The therapy ended on {ended_on}, less than two weeks before the first dose on {first_dose} (EX09).",
        ERROR,
        washout_too_short,
        needs=("kind", "ended_on"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-027",
        "PTX",
        "is_blinatumomab",
        "Blinatumomab was given before the study (EX16). Please check.",
        ERROR,
        lambda is_blinatumomab: is_blinatumomab,
        needs=("is_blinatumomab",),
    ),
    EditCheck(
        "EC-028",
        "HSCT",
        "number",
        "The form says that there was no earlier transplantation. Correct that, or remove this one.",
        HARD,
        contradicts_the_gate,
        by_record=True,
    ),
    EditCheck(
        "EC-029",
        "HSCT",
        "transplanted_on",
        "The transplantation on {transplanted_on} is before the diagnosis ({diagnosed}), or not before the first dose "
        "({first_dose}), and then it is a later transplantation.",
        ERROR,
        transplant_out_of_order,
        needs=("transplanted_on",),
        reads=("ALLH", "EX"),
    ),
    EditCheck(
        "EC-030",
        "HSCT",
        "transplanted_on",
        "The allogeneic transplantation on {transplanted_on} is less than 90 days before the first dose on {first_dose} "
        "(EX06).",
        ERROR,
        lambda record, book: recent_transplant("ALLOGENEIC", 90, record, book),
        needs=("kind", "transplanted_on"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-031",
        "HSCT",
        "transplanted_on",
        "The autologous transplantation on {transplanted_on} is less than 42 days before the first dose on {first_dose} "
        "(EX05).",
        ERROR,
        lambda record, book: recent_transplant("AUTOLOGOUS", 42, record, book),
        needs=("kind", "transplanted_on"),
        reads=("EX",),
    ),
    EditCheck(
        "EC-032",
        "HSCT",
        "relapsed_on",
        "The relapse on {relapsed_on} is not after the transplantation on {transplanted_on}. Check both dates.",
        HARD,
        lambda transplanted, relapsed: isnt(is_before(transplanted, relapsed)),
        needs=("transplanted_on", "relapsed_on"),
    ),
    EditCheck(
        "EC-033",
        "HSCT",
        "has_relapsed",
        "No relapse after the last allogeneic transplantation, but the patient was treated. Please check.",
        ERROR,
        last_allograft_without_relapse,
        needs=("has_relapsed",),
        reads=(
            "HSCT",
            "EX",
        ),
    ),
    EditCheck(
        "EC-034",
        "HSCT",
        "donor",
        "The donor ({donor}) does not fit the kind of transplantation ({kind}). Correct one of them.",
        ERROR,
        donor_does_not_fit,
        needs=("kind",),
        by_record=True,
    ),
    EditCheck(
        "EC-035",
        "HSCT",
        "graft",
        "The donor is {donor}, but the source of the stem cells is {graft}. Correct one of them.",
        ERROR,
        lambda donor, graft: (donor == "CORD BLOOD") != (graft == "CORD BLOOD"),
        needs=("donor", "graft"),
    ),
    EditCheck(
        "EC-036",
        "HSCT",
        "hla_match",
        "A matched sibling with an HLA match of {hla_match}: please confirm.",
        WARNING,
        lambda donor, match: donor == "MATCHED SIBLING" and match not in ("10/10", "8/8", "UNKNOWN"),
        needs=("donor", "hla_match"),
    ),
    EditCheck(
        "EC-037",
        "HSCT",
        "acute_gvhd_grade",
        "There was acute GVHD. Enter its highest grade.",
        ERROR,
        lambda record, book: record.had_acute_gvhd is True and record.acute_gvhd_grade is None,
        needs=("had_acute_gvhd",),
        by_record=True,
    ),
    EditCheck(
        "EC-037",
        "HSCT",
        "chronic_gvhd_severity",
        "There was chronic GVHD. Enter its highest severity.",
        ERROR,
        lambda record, book: record.had_chronic_gvhd is True and record.chronic_gvhd_severity is None,
        needs=("had_chronic_gvhd",),
        by_record=True,
    ),
    EditCheck(
        "EC-038",
        "HSCT",
        "active_gvhd",
        "GVHD was active at screening ({active_gvhd}), and the patient was enrolled (EX07). Please check.",
        ERROR,
        lambda record, book: record.active_gvhd != "NONE" and is_enrolled(book),
        needs=("active_gvhd",),
        reads=("ENR",),
    ),
    EditCheck(
        "EC-039",
        "HSCT",
        "last_immunosuppression_on",
        "Systemic immunosuppression {said}: within two weeks of the first dose (EX08). Please check.",
        ERROR,
        immunosuppressed,
        reads=("EX",),
    ),
    EditCheck(
        "EC-040",
        "HSCT",
        "last_lymphocyte_infusion_on",
        "Donor lymphocytes on {last_lymphocyte_infusion_on}, within 28 days before the first dose on {first_dose} (EX10): "
        "please confirm.",
        WARNING,
        lambda record, book: ended_within(record.last_lymphocyte_infusion_on, 28, book),
        needs=("last_lymphocyte_infusion_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-041",
        "HSCT",
        "relapsed_on",
        "The relapse on {relapsed_on} is after the first dose on {first_dose}. Check both dates.",
        ERROR,
        relapse_after_first_dose,
        needs=("relapsed_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-042",
        "HSCT",
        "number",
        "Transplantation {number} on {transplanted_on}: the numbers do not follow the dates one by one. Check them.",
        ERROR,
        numbering_is_wrong,
        needs=("number", "transplanted_on"),
        reads=("HSCT",),
    ),
    EditCheck(
        "EC-043",
        "ALLH",
        "last_relapse_on",
        "The current relapse ({last_relapse_on}) is not that after the last transplantation ({shown}). Please confirm.",
        WARNING,
        current_relapse_differs,
        needs=("last_relapse_on",),
        reads=("HSCT", "PTX"),
    ),
    EditCheck(
        "EC-044",
        "HSCT",
        "conditioning",
        "{conditioning} conditioning with total body irradiation of {tbi} and {conditioning_agents} as agents: please "
        "confirm.",
        WARNING,
        conditioning_contradicts_dose,
        needs=("conditioning", "tbi"),
        by_record=True,
    ),
    EditCheck(
        "EC-045",
        "HSCT",
        "chimerism_percent",
        "Chimerism of {chimerism_percent} % with {blasts} % blasts in the marrow of {sampled}: check the specimen.",
        WARNING,
        chimerism_with_leukaemia,
        needs=("chimerism_percent", "chimerism_on"),
        reads=("BDIS", "BM"),
    ),
)

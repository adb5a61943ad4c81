"""The edit checks on follow-up, death and end of study (STUDY B.5.8), in the order of their numbers."""

from collections.abc import Iterator
from datetime import date, timedelta

from patients.anchors import (
    as_partial,
    died_on,
    doses,
    either,
    first_dose_on,
    had_allograft,
    is_after,
    last_dose_on,
    naming,
    relapsed,
    responded,
)
from patients.response import REMISSIONS, RESPONSES
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import PartialDate, is_before
from trial.schedule import DAYS_PER_MONTH

HARD, ERROR, WARNING = Severity.HARD, Severity.ERROR, Severity.WARNING
CONTACT_DAYS = 120
END_OF_TREATMENT_DAYS = 30
BY_TRANSPLANT = ("GVHD", "TRANSPLANT COMPLICATION (NON-GVHD)")


def status_inconsistent(record: Record, book: Casebook) -> Verdict:
    """EC-190."""
    death = died_on(book)
    if record.status == "DEAD" or death is None:
        return {"died": death} if record.status == "DEAD" and not book.all("DTH") else False
    if not record.status.startswith("ALIVE"):
        return False
    return naming(is_before(death, as_partial(record.contacted_on)), died=death)


def dated(book: Casebook) -> Iterator[tuple[str, PartialDate]]:
    """What was done or began on which day, by the code of its form."""
    days = {
        "ENR": "consented_on",
        "SV": "visited_on",
        "PS": "assessed_on",
        "VS": "measured_on",
        "LBH": "taken_on",
        "LBC": "taken_on",
        "LBO": "taken_on",
        "BM": "sampled_on",
        "EX": "started_on",
    }
    for form, name in days.items():
        yield from ((form, as_partial(getattr(row, name))) for row in book.all(form) if getattr(row, name))
    yield from (("AE", row.started) for row in book.all("AE") if row.started)


def data_after_death(record: Record, book: Casebook) -> Verdict:
    """EC-192."""
    verdicts = [(form, day, is_before(record.died_on, day)) for form, day in dated(book)]
    wanted = True if any(verdict for _, _, verdict in verdicts) else None
    late = [(form, day) for form, day, verdict in verdicts if verdict is wanted]
    if not late:
        return False
    return naming(wanted, forms=sorted({form for form, _ in late}), last=max((day for _, day in late), key=latest_of))


def latest_of(day: PartialDate) -> date:
    """The last day that it can be."""
    return day.latest


def contact_overdue(record: Record, book: Casebook) -> Verdict:
    """EC-193: since the last contact, or the last dose where that is later."""
    last_dose = last_dose_on(book)
    is_over = bool(book.all("DTH") or book.all("EOS")) or book.asked_on > book.parameters.data_cutoff
    if last_dose is None or is_over or record.agrees_to_survival_follow_up is False:
        return False
    last = max([last_dose, *(row.contacted_on for row in book.all("SFU") if row.contacted_on)])
    days = (book.asked_on - last).days
    return {"last": last, "days": days} if days > CONTACT_DAYS else False


def transplant_death_without_transplant(record: Record, book: Casebook) -> Verdict:
    """EC-194."""
    return record.primary_cause in BY_TRANSPLANT and not had_allograft(book)


def remission_regained(relapse: Record, book: Casebook) -> bool:
    """Whether a remission is recorded that may be later than the relapse."""
    later = [as_partial(row.assessed_on) for row in responded(book, REMISSIONS)]
    later += [
        as_partial(row.contacted_on) for row in book.all("SFU") if row.disease == "REMISSION" and row.contacted_on
    ]
    later += [row.started_on for row in book.all("NTX") if row.best_response in ("CR", "CRi") and row.started_on]
    later += [
        as_partial(row.transplanted_on)
        for row in book.all("NSCT")
        if (row.status or "").startswith("CR") and row.transplanted_on
    ]
    return any(is_before(relapse.relapsed_on, day) is not False for day in later)


def relapse_contradicts_death(record: Record, book: Casebook) -> Verdict:
    """EC-195: a molecular relapse leaves the patient in haematological remission."""
    before = [
        row
        for row in relapsed(book)
        if row.site != "MOLECULAR ONLY" and is_before(record.died_on, row.relapsed_on) is not True
    ]
    if record.disease != "REMISSION" or not before or remission_regained(before[-1], book):
        return False
    return {"relapse": before[-1].relapsed_on}


def remission_not_supported(record: Record, book: Casebook) -> Verdict:
    """EC-197."""
    if record.status != "CR/CRh AFTER BLINATUMOMAB":
        return False
    if record.had_other_therapy:
        return {"said": "other therapy was given before it"}
    if not responded(book, RESPONSES, record.transplanted_on):
        return {"said": "no CR or CRh is entered before it"}
    day = as_partial(record.transplanted_on)
    verdict = either(*(is_before(row.relapsed_on, day) for row in relapsed(book)))
    return naming(verdict, said="a relapse is entered before it")


def wrong_number(record: Record, book: Casebook) -> Verdict:
    """EC-198."""
    rows = sorted((row for row in book.all("NSCT") if row.transplanted_on), key=lambda row: row.transplanted_on)
    rank = next(place for place, row in enumerate(rows, start=1) if row.key == record.key)
    expected = len(book.all("HSCT")) + rank
    return {"expected": expected} if expected != record.number_in_life else False


def therapy_before_last_dose(record: Record, book: Casebook) -> Verdict:
    """EC-199, of a therapy."""
    last = last_dose_on(book)
    if last is None or record.kind == "BLINATUMOMAB RETREATMENT":
        return False
    return naming(is_before(record.started_on, as_partial(last)), last=last)


def transplant_before_first_dose(record: Record, book: Casebook) -> Verdict:
    """EC-199, of a transplantation."""
    first = first_dose_on(book)
    return {"first_dose": first} if first is not None and record.transplanted_on <= first else False


def relapse_reason_without_relapse(record: Record, book: Casebook) -> Verdict:
    """EC-200."""
    rows = sorted((row for row in book.all("RS") if row.assessed_on), key=lambda row: row.assessed_on)
    in_remission = bool(rows) and rows[-1].response in REMISSIONS
    return record.reason == "RELAPSE" and in_remission and not book.all("REL")


def end_of_treatment_missing(record: Record, book: Casebook) -> Verdict:
    """EC-201: asked on the last infusion."""
    last, given = last_dose_on(book), doses(book)
    if last is None or given[-1].key != record.key or book.all("EOT"):
        return False
    days = (book.asked_on - last).days
    return {"last": last, "days": days} if days > END_OF_TREATMENT_DAYS else False


def death_at_a_landmark(record: Record, book: Casebook) -> Verdict:
    """EC-202: what is known of the date leaves open on which side of a landmark the death lies."""
    first = first_dose_on(book)
    if first is None or record.died_on.is_complete:
        return False
    for months in book.parameters.survival_landmarks_months:
        landmark = first + timedelta(days=months * DAYS_PER_MONTH)
        if record.died_on.earliest <= landmark <= record.died_on.latest:
            return {"months": months}
    return False


def changed_since_signed(record: Record, book: Casebook) -> Verdict:
    """EC-204. A signature says itself whether a signed value was changed since; without signatures nothing is asked."""
    signed = [row for row in book.all("SIGN") if row.scope == "CASEBOOK"]
    return bool(signed) and all(row.is_void for row in signed)


def relapse_from_contact(record: Record, book: Casebook) -> Verdict:
    """EC-205: no relapse is entered that is known to be there by the day of the contact."""
    later = [is_after(row.relapsed_on, record.contacted_on) for row in relapsed(book)]
    if record.disease != "RELAPSE" or False in later:
        return False
    return None if None in later else True


CHECKS = (
    EditCheck(
        "EC-190",
        "SFU",
        "status",
        "{status} on {contacted_on}, but the death form says {died}. Correct one of them.",
        ERROR,
        status_inconsistent,
        needs=("status", "contacted_on"),
        reads=("DTH",),
    ),
    EditCheck(
        "EC-191",
        "SFU",
        "last_alive_on",
        "The patient was last known alive on {last_alive_on}, after the contact on {contacted_on}. Check both dates.",
        HARD,
        lambda alive, contacted: is_after(alive, contacted),
        needs=("last_alive_on", "contacted_on"),
    ),
    EditCheck(
        "EC-192",
        "DTH",
        "died_on",
        "The death on {died_on} is before what is entered on {forms}, the last on {last}. Check the dates.",
        ERROR,
        data_after_death,
        needs=("died_on",),
        reads=("ENR", "SV", "PS", "VS", "LBH", "LBC", "LBO", "BM", "EX", "AE"),
    ),
    EditCheck(
        "EC-193",
        "ENR",
        "agrees_to_survival_follow_up",
        "The last contact was on {last}, {days} days ago. Contact the patient, or enter the end of the study.",
        WARNING,
        contact_overdue,
        reads=("EX", "SFU", "DTH", "EOS"),
    ),
    EditCheck(
        "EC-194",
        "DTH",
        "primary_cause",
        "The cause of death is {primary_cause}, but no allogeneic transplantation is entered. Check both.",
        ERROR,
        transplant_death_without_transplant,
        needs=("primary_cause",),
        reads=("HSCT", "NSCT"),
    ),
    EditCheck(
        "EC-195",
        "DTH",
        "disease",
        "In remission at death, but a relapse on {relapse} is entered and no remission after it. Check both.",
        ERROR,
        relapse_contradicts_death,
        needs=("disease", "died_on"),
        reads=("REL", "RS", "SFU", "NTX", "NSCT"),
    ),
    EditCheck(
        "EC-196",
        "EOS",
        "reason",
        "The study ended by death. Fill in the death form, or correct the reason.",
        ERROR,
        lambda record, book: record.reason == "DEATH" and not book.all("DTH"),
        needs=("reason",),
        reads=("DTH",),
    ),
    EditCheck(
        "EC-197",
        "NSCT",
        "status",
        "Remission by blinatumomab at the transplantation of {transplanted_on}, but {said}. Correct one of them.",
        ERROR,
        remission_not_supported,
        needs=("status", "transplanted_on"),
        reads=("RS", "REL"),
    ),
    EditCheck(
        "EC-198",
        "NSCT",
        "number_in_life",
        "This is transplantation {number_in_life} in life; by the forms it is number {expected}. Please check.",
        WARNING,
        wrong_number,
        needs=("number_in_life", "transplanted_on"),
        reads=("HSCT", "NSCT"),
    ),
    EditCheck(
        "EC-199",
        "NTX",
        "started_on",
        "The therapy began on {started_on}, before the last dose on {last}. Check both dates.",
        ERROR,
        therapy_before_last_dose,
        needs=("started_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-199",
        "NSCT",
        "transplanted_on",
        "The later transplantation on {transplanted_on} is not after the first dose on {first_dose}. Check both dates.",
        ERROR,
        transplant_before_first_dose,
        needs=("transplanted_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-200",
        "NTX",
        "reason",
        "The therapy was given for a relapse, but none is entered and the last response is a remission. Enter it.",
        ERROR,
        relapse_reason_without_relapse,
        needs=("reason",),
        reads=("RS", "REL"),
    ),
    EditCheck(
        "EC-201",
        "EX",
        "ended_at",
        "The last infusion ended on {last}, {days} days ago. Fill in the end of treatment.",
        WARNING,
        end_of_treatment_missing,
        reads=("EX", "EOT"),
    ),
    EditCheck(
        "EC-202",
        "DTH",
        "died_on",
        "Of the death only {died_on} is known, and survival at {months} months depends on the day. Enter it.",
        ERROR,
        death_at_a_landmark,
        needs=("died_on",),
        reads=("EX",),
    ),
    EditCheck(
        "EC-203",
        "DV",
        "action",
        "The deviation is major. Enter what was done about it.",
        ERROR,
        lambda record, book: record.importance == "MAJOR" and record.action is None,
        needs=("importance",),
        by_record=True,
    ),
    EditCheck(
        "EC-204",
        "ENR",
        "",
        "Something was changed after the casebook was signed. It needs to be signed again.",
        ERROR,
        changed_since_signed,
        reads=("SIGN",),
    ),
    EditCheck(
        "EC-205",
        "SFU",
        "disease",
        "A relapse was known on {contacted_on}, but none is entered up to that day. Enter it.",
        ERROR,
        relapse_from_contact,
        needs=("disease", "contacted_on"),
        reads=("REL",),
    ),
    EditCheck(
        "EC-206",
        "DTH",
        "disease",
        "The patient had relapsed by the time of death, but no relapse is entered. Enter it.",
        ERROR,
        lambda record, book: record.disease == "RELAPSED" and not book.all("REL"),
        needs=("disease",),
        reads=("REL",),
    ),
)

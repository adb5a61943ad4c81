"""The edit checks on marrow, MRD and response (STUDY B.5.5), in the order of their numbers."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal

from patients.anchors import (
    as_partial,
    blasts_of,
    cycle_starts,
    days_after,
    died_on,
    infusion_days,
    is_within,
    marrow_on,
    measured,
    naming,
    relapsed,
    responded,
)
from patients.assessing import day_of, examined, response_by_algorithm
from patients.response import (
    BFHM,
    COMPLETE,
    CR,
    CRH,
    PR,
    PRESENT,
    QUANTIFIED,
    REMISSIONS,
    RESPONSES,
    UNUSABLE_MRD,
    Mrd,
    mrd_category,
)
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.partial_dates import is_before

ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
BESIDE_DAYS = 14  # an examination or a relapse belongs to an assessment when it is at most so far from it


def response_marrow_missing(record: Record, book: Casebook) -> Verdict:
    """EC-085.

    Silent where the leukaemia came back before the window closed, which the row in B.5 does not say: a marrow then tells no response
    to the cycle any more, so that no site could resolve the query (docs/decisions/0077).
    """
    starts = cycle_starts(book)
    if record.number not in starts:
        return False
    start = starts[record.number].started_on
    following = min((row.started_on for row in starts.values() if row.started_on > start), default=None)
    opens, closes = days_after(start, 21), following or days_after(start, 56)
    completed = infusion_days(book, record.number) >= float(book.parameters.completed_cycle_days)
    death = died_on(book)
    is_over = closes < book.asked_on and (death is None or death.earliest > closes)
    relapses = relapsed(book)
    is_back = bool(relapses) and relapses[0].relapsed_on.earliest <= closes
    if not is_over or is_back or not (completed or book.all("EOT")):
        return False
    found = any(marrow.sampled_on and opens <= marrow.sampled_on <= closes for marrow in book.all("BM"))
    return False if found else {"opens": opens, "closes": closes}


def marrow_of(assessment: Record, book: Casebook) -> Record | None:
    """The marrow that an assessment is about: the one it names, else the reading that counts of its day."""
    named = book.find("BM", assessment.marrow_id)
    return named or (marrow_on(book, assessment.assessed_on) if assessment.assessed_on else None)


def response_from_inadequate_marrow(record: Record, book: Casebook) -> Verdict:
    """EC-086."""
    marrow = marrow_of(record, book)
    if record.response not in {*REMISSIONS, BFHM, PR} or marrow is None or marrow.is_adequate is not False:
        return False
    return "BIOPSY" not in (marrow.specimens or ())


def count_days(book: Casebook) -> Sequence[date]:
    """The days of the blood counts, in their order."""
    return sorted(sample.taken_on for sample in book.all("LBH") if sample.taken_on)


def count_missing(record: Record, book: Casebook) -> Verdict:
    """EC-087."""
    day = day_of(record, book)
    if day is None or record.response == "NE" or marrow_of(record, book) is None:
        return False
    first = days_after(day, -book.parameters.count_window_before_days)
    last = days_after(day, book.parameters.count_window_after_days)
    days = book.once(count_days)
    found = bisect_left(days, first) < bisect_right(days, last)
    return False if found else {"day": day, "first": first, "last": last}


def differs_from_algorithm(record: Record, book: Casebook) -> Verdict:
    """EC-088."""
    algorithm = response_by_algorithm(record, book)
    if algorithm is None or record.adjudicated_response or algorithm == record.response:
        return False
    return {"algorithm": algorithm}


def remission_with_blasts(record: Record, book: Casebook) -> Verdict:
    """EC-089."""
    blasts = blasts_of(marrow_of(record, book))
    return {"blasts": blasts} if record.response in RESPONSES and blasts is not None and blasts > 5 else False


def count_used(record: Record, book: Casebook) -> Record | None:
    """The blood count that the assessment names."""
    return book.find("LBH", record.count_id)


def counts_too_low(
    response: str, least_neutrophils: str, least_platelets: int
) -> Callable[[Record, Casebook], Verdict]:
    """EC-090 and EC-091: neutrophils or platelets at or below what the response needs."""

    def asked(record: Record, book: Casebook) -> Verdict:
        count = count_used(record, book)
        neutrophils, platelets = measured(count, "NEUT"), measured(count, "PLAT")
        is_low = (neutrophils is not None and neutrophils.is_above(Decimal(least_neutrophils)) is False) or (
            platelets is not None and platelets.is_above(least_platelets) is False
        )
        return {"neutrophils": neutrophils, "platelets": platelets} if record.response == response and is_low else False

    return asked


def counts_meet_cr(record: Record, book: Casebook) -> Verdict:
    """EC-092."""
    count = count_used(record, book)
    neutrophils, platelets = measured(count, "NEUT"), measured(count, "PLAT")
    if record.response != CRH or neutrophils is None or platelets is None:
        return False
    if not neutrophils.is_above(1) or not platelets.is_above(100):
        return False
    return {"neutrophils": neutrophils, "platelets": platelets}


def remission_with_lesions(record: Record, book: Casebook) -> Verdict:
    """EC-093."""
    if record.response not in REMISSIONS:
        return False
    near = examined(book, days_after(record.assessed_on, -BESIDE_DAYS), days_after(record.assessed_on, BESIDE_DAYS))
    for row in near:
        if row.status in PRESENT:
            return {"status": row.status, "seen": row.assessed_on}
    return False


def given_before(days: Iterator[date], day: date, at_most: int) -> date | None:
    """The last of the days that lies in so many days before another one."""
    return max((given for given in days if days_after(day, -at_most) <= given <= day), default=None)


def transfused_count(record: Record, book: Casebook) -> Verdict:
    """EC-094."""
    count = count_used(record, book)
    if count is None or not count.taken_on or record.response not in RESPONSES:
        return False
    platelets = (row.given_on for row in book.all("TRF") if row.product == "PLATELETS" and row.given_on)
    given = given_before(platelets, count.taken_on, 7)
    return {"given": given} if given else False


def stimulated_count(record: Record, book: Casebook) -> Verdict:
    """EC-095: G-CSF is entered as a transfusion or as a medication."""
    count = count_used(record, book)
    if count is None or not count.taken_on:
        return False
    first = days_after(count.taken_on, -14)
    given = [as_partial(row.given_on) for row in book.all("TRF") if row.product == "G-CSF" and row.given_on]
    given += [row.started for row in book.all("CM") if row.category == "G-CSF" and row.started]
    hit = [day for day in given if is_within(day, first, count.taken_on) is not False]
    return {"given": hit[0]} if hit else False


def late_first_response(record: Record, book: Casebook) -> Verdict:
    """EC-096."""
    first = responded(book, RESPONSES)
    return record.cycle > book.parameters.response_cycles and bool(first) and first[0].key == record.key


def level_above_morphology(record: Record, book: Casebook) -> Verdict:
    """EC-099."""
    blasts = blasts_of(book.find("BM", record.marrow_id))
    if blasts is None or record.level <= blasts / 100 * 1.5:
        return False
    return {"blasts": blasts}


def complete_with_blasts(record: Record, book: Casebook) -> Verdict:
    """EC-100: asked on the first assay of the marrow, because all its assays together make the category."""
    rows = [row for row in book.all("MRD") if row.marrow_id == record.marrow_id]
    assays = [Mrd(row.result, row.sensitivity, row.quantitative_range, row.level) for row in rows]
    blasts = blasts_of(book.find("BM", record.marrow_id))
    is_complete = mrd_category(assays, cut=book.parameters.mrd_cut) == COMPLETE
    if rows[0].key != record.key or blasts is None or blasts <= 5 or not is_complete:
        return False
    return {"blasts": blasts}


def relapse_before_remission(record: Record, book: Casebook) -> Verdict:
    """EC-101."""
    first = responded(book, RESPONSES)
    if not first:
        return False
    return naming(is_before(record.relapsed_on, as_partial(first[0].assessed_on)), remission=first[0].assessed_on)


def relapse_form_missing(record: Record, book: Casebook) -> Verdict:
    """EC-103."""
    first, last = days_after(record.assessed_on, -BESIDE_DAYS), days_after(record.assessed_on, BESIDE_DAYS)
    near = [is_within(row.relapsed_on, first, last) for row in relapsed(book)]
    return record.response == "RELAPSE" and all(verdict is False for verdict in near)


def result_without_marker(record: Record, book: Casebook) -> Verdict:
    """EC-104."""
    baseline = book.one("BDIS")
    return record.result not in UNUSABLE_MRD and baseline is not None and baseline.has_mrd_marker is False


CHECKS = (
    EditCheck(
        "EC-085",
        "CYC",
        "number",
        "No marrow from {opens} to {closes} tells the response to cycle {number}. Enter it, or why it was not done.",
        ERROR,
        response_marrow_missing,
        needs=("number",),
        reads=("EX", "EOT", "DTH", "BM", "REL"),
    ),
    EditCheck(
        "EC-086",
        "RS",
        "response",
        "The response {response} is read from a marrow of inadequate quality, without a biopsy. Please check.",
        ERROR,
        response_from_inadequate_marrow,
        needs=("response",),
        reads=("BM",),
    ),
    EditCheck(
        "EC-087",
        "RS",
        "count",
        "There is no blood count from {first} to {last}, around the marrow of {day}. Enter it, or answer not evaluable.",
        ERROR,
        count_missing,
        needs=("response",),
        reads=("BM", "LBH"),
    ),
    EditCheck(
        "EC-088",
        "RS",
        "response",
        "The assessor says {response}, the algorithm {algorithm}. Please adjudicate, and say why.",
        ERROR,
        differs_from_algorithm,
        needs=("response",),
        reads=("RS", "BM", "LBH", "EMD", "BDIS", "EX", "NTX", "NSCT"),
    ),
    EditCheck(
        "EC-089",
        "RS",
        "response",
        "{response} with {blasts} % blasts in the marrow. Correct one of them.",
        ERROR,
        remission_with_blasts,
        needs=("response",),
        reads=("BM",),
    ),
    EditCheck(
        "EC-090",
        "RS",
        "response",
        "CR needs neutrophils above 1.0 and platelets above 100; the count used has {neutrophils} and {platelets}.",
        ERROR,
        counts_too_low(CR, "1.0", 100),
        needs=("response", "count_id"),
        reads=("LBH",),
    ),
    EditCheck(
        "EC-091",
        "RS",
        "response",
        "CRh needs neutrophils above 0.5 and platelets above 50; the count used has {neutrophils} and {platelets}.",
        ERROR,
        counts_too_low(CRH, "0.5", 50),
        needs=("response", "count_id"),
        reads=("LBH",),
    ),
    EditCheck(
        "EC-092",
        "RS",
        "response",
        "Neutrophils {neutrophils} and platelets {platelets} meet CR. Why CRh?",
        ERROR,
        counts_meet_cr,
        needs=("response", "count_id"),
        reads=("LBH",),
    ),
    EditCheck(
        "EC-093",
        "RS",
        "response",
        "{response}, but extramedullary disease was {status} on {seen}. Correct one of them.",
        ERROR,
        remission_with_lesions,
        needs=("response", "assessed_on"),
        reads=("EMD",),
    ),
    EditCheck(
        "EC-094",
        "RS",
        "count",
        "Platelets were given on {given}, within 7 days before the count used. Please confirm the response.",
        WARNING,
        transfused_count,
        needs=("response", "count_id"),
        reads=("LBH", "TRF"),
    ),
    EditCheck(
        "EC-095",
        "RS",
        "count",
        "G-CSF was given on {given}, within 14 days before the count used.",
        NOTE,
        stimulated_count,
        needs=("count_id",),
        reads=("LBH", "TRF", "CM"),
    ),
    EditCheck(
        "EC-096",
        "RS",
        "cycle",
        "The first response is of cycle {cycle}: outside of the primary window, it does not count.",
        NOTE,
        late_first_response,
        needs=("cycle",),
        reads=("RS",),
    ),
    EditCheck(
        "EC-097",
        "MRD",
        "sensitivity",
        "Negative at a sensitivity of {sensitivity} only: not a complete MRD response. Please check the sensitivity.",
        ERROR,
        lambda record, book: record.result == "NEGATIVE" and record.sensitivity > book.parameters.mrd_cut,
        needs=("result", "sensitivity"),
        by_record=True,
    ),
    EditCheck(
        "EC-098",
        "MRD",
        "level",
        "The result is quantified. Enter its level; {level} is none.",
        ERROR,
        lambda record, book: record.result == QUANTIFIED and not (record.level or 0) > 0,
        needs=("result",),
        by_record=True,
    ),
    EditCheck(
        "EC-099",
        "MRD",
        "level",
        "The level {level} is more than the {blasts} % blasts of the marrow allow. Please check the unit.",
        WARNING,
        level_above_morphology,
        needs=("level", "marrow_id"),
        reads=("BM",),
    ),
    EditCheck(
        "EC-100",
        "MRD",
        "result",
        "Complete MRD response in a marrow with {blasts} % blasts. Correct one of them.",
        ERROR,
        complete_with_blasts,
        needs=("marrow_id", "result"),
        reads=(
            "MRD",
            "BM",
        ),
    ),
    EditCheck(
        "EC-101",
        "REL",
        "relapsed_on",
        "The relapse on {relapsed_on} is before the first remission on {remission}. Without one it is no relapse.",
        ERROR,
        relapse_before_remission,
        needs=("relapsed_on",),
        reads=("RS",),
    ),
    EditCheck(
        "EC-102",
        "REL",
        "site",
        "A molecular relapse has no blasts above 5 % in the marrow. Correct the site or the evidence.",
        ERROR,
        lambda site, evidence: site == "MOLECULAR ONLY" and "BM BLASTS >5 %" in evidence,
        needs=("site", "evidence"),
    ),
    EditCheck(
        "EC-103",
        "RS",
        "response",
        "The response is a relapse. Enter it on the relapse form, within 14 days of {assessed_on}.",
        ERROR,
        relapse_form_missing,
        needs=("response", "assessed_on"),
        reads=("REL",),
    ),
    EditCheck(
        "EC-104",
        "MRD",
        "result",
        "The baseline says that no MRD marker was found, but there is a result ({result}). Please check.",
        WARNING,
        result_without_marker,
        needs=("result",),
        reads=("BDIS",),
    ),
)

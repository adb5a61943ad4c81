"""Response to treatment, from marrow, blood count and extramedullary disease; and MRD (STUDY C.2, C.3).

The rule for blanks: what was not seen is not called a response; a count without a result for blasts saw none.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

CR, CRH, CRI, BFHM, PR, NR, PD, RELAPSE, NE = "CR", "CRh", "CRi", "BFHM", "PR", "NR", "PD", "RELAPSE", "NE"

# From the strongest to the weakest. RELAPSE follows a remission, so it is never a best response.
ORDER = (CR, CRH, CRI, BFHM, PR, NR, PD, RELAPSE, NE)
STRENGTH = {response: len(ORDER) - place for place, response in enumerate(ORDER)}
RESPONSES = frozenset({CR, CRH})
REMISSIONS = frozenset({CR, CRH, CRI})

COMPLETE, DETECTABLE, AT_LEAST_CUT, NOT_EVALUABLE = "COMPLETE", "<1e-4 DETECTABLE", ">=1e-4", "NOT EVALUABLE"
MRD_RESPONSES = frozenset({COMPLETE, DETECTABLE})
UNUSABLE_MRD = frozenset({"NO MARKER", "SAMPLE INADEQUATE", "INDETERMINATE"})
QUANTIFIED, NOT_QUANTIFIABLE, NEGATIVE = "POSITIVE QUANTIFIED", "POSITIVE NOT QUANTIFIABLE", "NEGATIVE"

PRESENT = frozenset({"PRESENT STABLE/SMALLER", "PRESENT LARGER", "NEW LESION"})
WORSE = frozenset({"PRESENT LARGER", "NEW LESION"})

# not: compare differences of readings as they are
# but: with this much of grace, because 75.1 - 50.1 is a hair less than 25 to a computer
HAIR = 1e-9


class Reading(NamedTuple):
    """A marrow sample as one reader saw it. Blasts in percent; the qualifier is one of =, <, <= and >."""

    blasts_percent: float | None
    blasts_qualifier: str | None = None
    is_adequate: bool | None = True
    has_biopsy: bool = False

    @property
    def is_readable(self) -> bool:
        """Whether the sample can be assessed: adequate or a biopsy, and with a count of blasts.

        A biopsy that shows no blasts has a count of 0; a blank count is not read as none, whatever the cellularity.
        """
        return bool(self.is_adequate or self.has_biopsy) and self.blasts_percent is not None


class Count(NamedTuple):
    """A blood count: neutrophils, platelets and blasts in 10^9/L, blasts also in percent of leukocytes."""

    record: int
    taken_on: date
    neutrophils: float | None
    platelets: float | None
    blasts: float | None = None
    blasts_percent: float | None = None

    @property
    def has_blasts(self) -> bool:
        """Whether blasts were seen in the blood."""
        return (self.blasts or 0) > 0 or (self.blasts_percent or 0) > 0


class Extramedullary(NamedTuple):
    """An assessment of disease outside the marrow."""

    status: str | None
    has_csf_blasts: bool | None = None

    @property
    def is_present(self) -> bool:
        """Whether disease was seen."""
        return self.status in PRESENT or bool(self.has_csf_blasts)


class Before(NamedTuple):
    """What was known before: blasts at baseline (marrow in percent, blood in 10^9/L) and the best response so far."""

    marrow_blasts: float | None = None
    blood_blasts: float | None = None
    best_response: str = NE


class Mrd(NamedTuple):
    """One MRD assay. Sensitivity, the lowest quantifiable level and the level are ratios."""

    result: str | None
    sensitivity: float | None = None
    quantitative_range: float | None = None
    level: float | None = None


NOTHING_SEEN = Extramedullary("NOT ASSESSED")


def read_blasts(percent: float | None, qualifier: str | None = None) -> float | None:
    """The marrow blasts that a reading stands for: "<5" is 2.5, "<=5" is 5, ">5" is 5.1 (STUDY C.2)."""
    if percent is None:
        return None
    if qualifier == "<":
        return percent / 2
    if qualifier == ">":
        return percent + 0.1
    return percent


def assess(
    reading: Reading | None,
    count: Count | None,
    extramedullary: Extramedullary | None,
    before: Before,
    *,
    uses_cri: bool = False,
    blood_blasts_confirmed: bool = False,
) -> str:
    """The response at one marrow sample (STUDY C.2). Blood blasts are confirmed when a second count shows them too.

    A count that lacks neutrophils or platelets shows no recovery and no lack of it: not evaluable.
    """
    if reading is None or not reading.is_readable:
        return NE
    blasts = read_blasts(reading.blasts_percent, reading.blasts_qualifier)
    assert blasts is not None  # a readable sample has a count of blasts
    outside = extramedullary or NOTHING_SEEN
    in_blood = count is not None and count.has_blasts
    if before.best_response in REMISSIONS and (
        blasts > 5 or (in_blood and blood_blasts_confirmed) or outside.status == "NEW LESION"
    ):
        return RELAPSE
    if outside.status in WORSE or _has_grown(blasts, count, before):
        return PD
    if blasts <= 5 and not in_blood and not outside.is_present:
        return _blast_free(count, uses_cri=uses_cri)
    halved = before.marrow_blasts is None or blasts <= 0.5 * before.marrow_blasts
    return PR if 5 < blasts <= 25 and halved else NR


def assess_with_counts(
    reading: Reading | None,
    day: date,
    counts: Sequence[Count],
    extramedullary: Extramedullary | None,
    before: Before,
    *,
    uses_cri: bool = False,
) -> tuple[str, Count | None]:
    """The response with the count, of those in the window, that gives the best one, and that count.

    `day` is the day of the marrow. Equal responses: the count nearest to that day, then the earlier one (STUDY C.2).
    """
    confirmed = sum(count.has_blasts for count in counts) > 1
    candidates: Sequence[Count | None] = counts or [None]
    found = [
        (
            assess(reading, count, extramedullary, before, uses_cri=uses_cri, blood_blasts_confirmed=confirmed),
            count,
        )
        for count in candidates
    ]

    def rank(candidate: tuple[str, Count | None]) -> tuple[int, int, int]:
        response, count = candidate
        days = (count.taken_on - day).days if count else 0
        return (STRENGTH[response], -abs(days), -days)

    return max(found, key=rank)


def strongest(responses: Iterable[str]) -> str:
    """The best of several responses by the order of STUDY C.2; NE where there is none. A relapse is no response: NE."""
    best = max(responses, key=STRENGTH.__getitem__, default=NE)
    return NE if best == RELAPSE else best


def mrd_category(assays: Iterable[Mrd], *, cut: float = 1e-4) -> str:
    """The MRD category of one marrow sample; the worst marker rules (STUDY C.3). `cut` is also the least sensitivity.

    An assay of unknown sensitivity, or of an unknown quantitative range, is not relied on.
    """
    usable = [assay for assay in assays if assay.result is not None and assay.result not in UNUSABLE_MRD]
    quantified = [assay for assay in usable if assay.result == QUANTIFIED]
    below_range = [assay for assay in usable if assay.result == NOT_QUANTIFIABLE]
    if not usable:
        return NOT_EVALUABLE
    if any(assay.level is not None and assay.level >= cut for assay in quantified):
        return AT_LEAST_CUT
    if any(assay.quantitative_range is None or assay.quantitative_range > cut for assay in below_range):
        return NOT_EVALUABLE
    if any(assay.level is None or not _is_sensitive(assay, cut) for assay in quantified):
        return NOT_EVALUABLE
    if quantified or below_range:
        return DETECTABLE
    return COMPLETE if all(_is_sensitive(assay, cut) for assay in usable) else NOT_EVALUABLE


def _has_grown(blasts: float, count: Count | None, before: Before) -> bool:
    if before.marrow_blasts is not None and blasts - before.marrow_blasts >= 25 - HAIR:
        return True
    if count is None or count.blasts is None or before.blood_blasts is None:
        return False
    return count.blasts - before.blood_blasts >= 5 - HAIR


def _blast_free(count: Count | None, *, uses_cri: bool) -> str:
    if count is None or count.neutrophils is None or count.platelets is None:
        return NE
    if count.neutrophils > 1.0 and count.platelets > 100:
        return CR
    if count.neutrophils > 0.5 and count.platelets > 50:
        return CRH
    if uses_cri and (count.neutrophils > 1.0 or count.platelets > 100):
        return CRI
    return BFHM


def _is_sensitive(assay: Mrd, cut: float) -> bool:
    return assay.sensitivity is not None and assay.sensitivity <= cut

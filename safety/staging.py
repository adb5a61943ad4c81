"""The stages of an acute GVHD staging from a casebook (STUDY C.7.5), with the bilirubin that counts (C.1.1).

The rule: a bilirubin that the site typed counts; where none was typed, that of the laboratory does.
"""

from decimal import Decimal

from patients.anchors import value_of
from safety.grading import NO_SIGNS, Stages, liver_stage, lower_gut_stage, skin_stage
from trial.edit_checks import Casebook, Record

AVERAGED_DAYS, NEAREST_DAYS = 1, 3


def bilirubin_shown(staging: Record, book: Casebook) -> Decimal | None:
    """The mean of the day and the days beside it, else the nearest within 3 days (the earlier of two), in µmol/L."""
    day = staging.assessed_on
    if day is None:
        return None
    found = [
        (abs((sample.taken_on - day).days), sample.taken_on, value)
        for sample in book.all("LBC")
        if sample.taken_on and (value := value_of(sample, "BILI")) is not None
    ]
    near = [value for days, _, value in found if days <= AVERAGED_DAYS]
    if near:
        return Decimal(sum(near) / len(near)).quantize(Decimal("0.1"))
    nearest = min(found, default=None)
    return nearest[2] if nearest is not None and nearest[0] <= NEAREST_DAYS else None


def bilirubin_used(staging: Record, book: Casebook) -> Decimal | None:
    """The bilirubin that stages the liver: as typed, else as shown from the laboratory."""
    typed: Decimal | None = staging.bilirubin_umol_per_l
    return typed if typed is not None else bilirubin_shown(staging, book)


def stages_of(staging: Record, book: Casebook) -> Stages | None:
    """The stages of the organs: all 0 where the site saw no sign, None where it did not say."""
    if not staging.has_signs:
        return NO_SIGNS if staging.has_signs is False else None
    upper = staging.has_upper_gut_signs
    return Stages(
        skin_stage(staging.rash_percent, staging.has_bullae),
        liver_stage(bilirubin_used(staging, book)),
        None if upper is None else int(upper),
        lower_gut_stage(
            staging.stool_ml_per_day,
            staging.stool_episodes,
            has_severe_pain=bool(staging.has_severe_pain),
            has_bloody_stool=bool(staging.has_bloody_stool),
        ),
    )

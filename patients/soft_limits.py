"""The checks that follow from soft limits: a value outside is saved, and the site is asked to confirm it (STUDY B.4, column Soft).

The rule: a limit is declared once, on its answer or in the table of laboratory tests. Its check is `SL-` and the CDISC name.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from patients.anchors import measured, times_normal
from patients.laboratory_tests import TESTS, LaboratoryTest
from patients.measured import Measured
from trial.edit_checks import Casebook, EditCheck, Record, Severity, Verdict
from trial.fields import Answer
from trial.records import record_models


def outside(found: Measured, low: float | Decimal | None, high: float | Decimal | None) -> str | None:
    """Where a value lies, in words; None where it is within the limits, which are included, or may be."""
    # not: compare with the limit as it is
    # but: as text, because 37.9 is a hair less than 37.9 to a computer
    if low is not None and found.is_below(Decimal(str(low))):
        return f"below {low}"
    if high is not None and found.is_above(Decimal(str(high))):
        return f"above {high}"
    return None


def behind(unit: str) -> str:
    """The unit as it stands behind its number; a ratio has none."""
    return f" {unit}" if unit and unit != "ratio" else ""


def answer_check(form: str, answer: Answer) -> EditCheck:
    """The check of the soft limits of one answer."""
    low, high = answer.soft

    def fails(value: Any) -> Verdict:
        where = outside(Measured(Decimal(str(value))), low, high)
        return {"where": where} if where is not None else False

    return EditCheck(
        code=f"SL-{form}.{answer.oid}",
        form=form,
        field=answer.name,
        asks=f"{answer.verbose_name} {{{answer.name}}}{behind(answer.unit)} is {{where}}. Please confirm, or correct it.",
        severity=Severity.WARNING,
        fails=fails,
        needs=(answer.name,),
    )


def laboratory_check(test: LaboratoryTest) -> EditCheck:
    """The check of the soft limits of one laboratory test, in its standard unit or as a multiple of the upper limit of normal."""
    limits = (test.soft_low, test.soft_high)
    low, high = (limit.number if limit is not None and not limit.of_normal else None for limit in limits)
    times_high = test.soft_high.number if test.soft_high is not None and test.soft_high.of_normal else None

    def fails(sample: Record, book: Casebook) -> Verdict:
        found = measured(sample, test.code)
        if found is None:
            return False
        where = outside(found, low, high)
        times = times_normal(sample, test.code)
        if times_high is not None and times is not None and times.is_above(times_high):
            where = f"above {times_high} times the upper limit of normal"
        return {"value": found, "where": where} if where is not None else False

    return EditCheck(
        code=f"SL-{test.panel}.{test.code}",
        form=test.panel,
        field="taken_at",
        asks=f"{test.label} {{value}}{behind(test.unit)} is {{where}}. Please confirm, or correct it.",
        severity=Severity.WARNING,
        fails=fails,
        by_record=True,
    )


def _checks() -> Iterator[EditCheck]:
    for model in record_models():
        for answer in model.answers():
            if answer.soft != (None, None):
                yield answer_check(model.form.code, answer)
    for test in TESTS.values():
        if test.soft_low or test.soft_high:
            yield laboratory_check(test)


CHECKS = tuple(_checks())

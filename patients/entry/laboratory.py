"""Laboratory results as a coordinator enters them: a row for each test of the panel, the value and its unit as on the report.

The rule (STUDY B.1, rule 5): what was typed is kept, the value in the standard unit stands beside it, and the normal range and
grade that held when a result was saved stay with it: they are not looked up again unless the result or its sample changes.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.db.models import Q, Subquery

from patients.derived_values import STORED_WITH_RESULT, Derived, derived_of_result
from patients.entry.controls import ChoiceControl, Ground, NumberControl
from patients.entry.sheet import Block, Row, is_blank
from patients.entry.whereabouts import Whereabouts
from patients.laboratory_grades import Normal, laboratory_grade
from patients.laboratory_tests import TESTS, LaboratoryTest, panel_of
from patients.measured import read_measured, split_qualifier
from patients.models import Demographics, NormalRange
from patients.models.laboratory import LaboratoryResult
from patients.units import convert, corrected_calcium, to_standard, units_of
from trial import partial_dates
from trial.records import PatientRecord
from trial.schedule import DAYS_PER_MONTH

STATED = ("value", "value_text", "unit_text")  # what a missing result misses


class ResultRow(Row):
    """One test of the panel. Its number and its unit are typed; all else follows from them."""

    def __init__(
        self,
        record: PatientRecord,
        ground: Ground,
        data: Mapping[str, Any] | None = None,
        *,
        leaves_out: frozenset[str],
        **options: Any,
    ) -> None:
        super().__init__(record, ground, data, leaves_out=leaves_out | STORED_WITH_RESULT, **options)
        assert isinstance(record, LaboratoryResult)
        # a plain box: the keys that a telephone shows for a number have no sign for "below"
        self.fields["value_text"].widget = forms.TextInput(attrs={"autocomplete": "off", "size": 12})
        self.fields["value_text"].label = self.test.label
        choices = [(unit, unit) for unit in units_of(self.test.code)]
        unit = ChoiceControl(LaboratoryResult._meta.get_field("unit_text"), ground, choices)
        # a test that is reported in one unit alone asks nothing: its unit stands behind the number
        unit.widget = forms.Select(choices=choices) if len(choices) > 1 else forms.HiddenInput()
        self.fields["unit_text"] = unit
        del self.fields["unit_text.why"]

    @property
    def test(self) -> LaboratoryTest:
        """The test that the row is about."""
        result: Any = self.record
        return TESTS[str(result.test)]

    def shown(self, version: Any) -> dict[str, Any]:
        """The unit stands ready where there is no result yet."""
        return super().shown(version) | {"unit_text": version.unit_text or self.test.unit}

    def said_together(self) -> dict[str, list[str]]:
        """A number means nothing without its unit."""
        return {"value_text": ["value_text", "unit_text", "value_text.why"]}

    def word(self, name: str) -> str:
        result: Any = self.record
        return f"{result.value_text} {result.unit_text}" if result.value_text else super().word(name)

    @property
    def is_empty(self) -> bool:
        return is_blank(self.record.value_text) and not self.record.missing  # type: ignore[attr-defined]  # a result

    @property
    def derived(self) -> list[Derived]:
        """What follows from the saved result: its value in the standard unit, the normal range, and its grade."""
        return [] if self.is_new else derived_of_result(self.record)

    def _take_reasons(self) -> None:
        """A reason for the number is one for the unit and the value too."""
        why = self.cleaned_data.get("value_text.why") or ""
        if "value_text" in self.errors:
            return
        result: Any = self.record
        if why and not is_blank(result.value_text):
            said = "There is an answer, and a reason why there is none. Keep one of the two."
            self.add_error("value_text", f"{self.test.label}: {said}")
            return
        result.missing = dict.fromkeys(STATED, why) if why else {}

    def clean(self) -> dict[str, Any]:
        """Take the unit from the page even where it was not touched, and convert."""
        self.cleaned_data["unit_text"] = self._unit()
        return super().clean()

    def _unit(self) -> str | None:
        unit = str(self.typed("unit_text") or self.test.unit)
        return None if is_blank(str(self.typed("value_text") or "").strip()) else unit

    def _refuse_what_is_impossible(self) -> None:
        result: Any = self.record
        if {"value_text", "unit_text"} & set(self.errors):
            return
        if is_blank(result.value_text):
            result.value = result.unit_text = result.low = result.high = result.grade = None
            return
        if self.is_new or {"value_text", "unit_text"} & set(result.changed_fields()):
            self._convert(result)

    def _convert(self, result: Any) -> None:
        """Put the value, or the limit beyond which it lies, in the standard unit, or say why it cannot be one."""
        control: Any = NumberControl(LaboratoryResult._meta.get_field("value"), self.ground)
        qualifier, behind = split_qualifier(result.value_text)
        try:
            number = control.read(behind or result.value_text)
        except forms.ValidationError as error:
            self.add_error("value_text", [f"{self.test.label}: {said}" for said in error.messages])
            return
        converted = to_standard(self.test.code, number, result.unit_text)
        is_below_nothing = qualifier == "<" and converted.value == 0
        if is_below_nothing or not self.test.low <= converted.value <= self.test.high:
            as_standard = "" if result.unit_text == self.test.unit else f" (that is {converted.value} {self.test.unit})"
            self.add_error(
                "value_text",
                f"{self.test.label}: {result.value_text} {result.unit_text}{as_standard} is not possible: it can be "
                f"{self.test.low} to {self.test.high} {self.test.unit}. Check the number and its unit.",
            )
            return
        result.value = converted.value


class ResultBlock(Block):
    """The results of one sample."""

    row_form = ResultRow

    def codes(self, record: PatientRecord) -> list[tuple[str, str]]:
        """The tests of the panel."""
        return [(test.code, test.label) for test in panel_of(self.child.form.part_of)]

    def complete(self, record: PatientRecord) -> None:
        """Copy the normal range onto each result that is new or changed, or whose sample is; grade it."""
        sample: Any = record
        is_moved = bool({"taken_at", "laboratory"} & set(sample.changed_fields())) or sample.pk is None
        rows = [row for row in self.used() if not row.is_removed]
        results: list[Any] = [row.record for row in rows]
        touched: list[Any] = [
            row.record
            for row, result in zip(rows, results, strict=True)
            if not is_blank(result.value_text) and (is_moved or row.is_new or row.changed())
        ]
        if touched:
            grade_results(sample, touched, among=results, whereabouts=rows[0].ground.whereabouts)


def grade_results(sample: Any, touched: list[Any], *, among: list[Any], whereabouts: Whereabouts) -> None:
    """Copy onto results the normal range that held for their patient on the day of the sample, and grade them."""
    if not touched or not sample.taken_at:
        return
    ranges = ranges_for(whereabouts, sample.laboratory, _day_at_site(sample))
    albumin = next((result.value for result in among if result.test == "ALB" and _is_exact(result)), None)
    for result in touched:
        result.low, result.high = ranges.get((result.test, result.unit_text)) or (None, None)
        result.grade = grade_of(result, albumin)


def grade_of(result: Any, albumin: Decimal | None) -> int | None:
    """The CTCAE grade of a result as reported; calcium is corrected where the sample has albumin (in g/L)."""
    found = read_measured(result.value_text)
    assert found is not None  # what is no number was refused
    number = found.number
    if result.test == "CA":
        if albumin is None:
            return None
        # C.11 gives the correction for both units; that of mg/dL is 0.8 for each g/dL below 4
        is_standard = result.unit_text == TESTS["CA"].unit
        number = corrected_calcium(number, albumin) if is_standard else number + Decimal("0.08") * (40 - albumin)
    normal = Normal(result.low, result.high)
    return laboratory_grade(result.test, number, result.unit_text, normal, qualifier=found.qualifier).grade


def _is_exact(result: Any) -> bool:
    """Whether a result is a number, and not a limit beyond which it lies."""
    return not split_qualifier(result.value_text or "")[0]


def ranges_for(
    whereabouts: Whereabouts, laboratory: str | None, day: date
) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """The normal ranges of a laboratory for a patient on a day, by test and unit. One for a sex goes before one for all.

    The laboratory is one of the site where the patient was that day. A range that it gave in another unit is converted.
    """
    held = Q(valid_to__isnull=True) | Q(valid_to__gte=day)
    person = Demographics.objects.filter(patient=whereabouts.patient)
    found = NormalRange.objects.filter(
        held, site=whereabouts.site_on(day), laboratory=laboratory or "", valid_from__lte=day
    ).annotate(of_sex=Subquery(person.values("sex")[:1]), born_on=Subquery(person.values("born_on")[:1]))
    held_then = [
        one
        for one in found.order_by("valid_from", "sex")
        if one.sex in ("", one.of_sex) and _is_within(one, _age_on(one.born_on, day))
    ]
    converted = {(one.test, unit): _in_unit(one, unit) for one in held_then for unit in _other_units(one)}
    return converted | {(one.test, one.unit): (one.low, one.high) for one in held_then}


def _other_units(one: NormalRange) -> list[str]:
    """The units into which a range can be converted."""
    units = units_of(one.test)
    return [unit for unit in units if unit != one.unit] if one.unit in units else []


def _in_unit(one: NormalRange, unit: str) -> tuple[Decimal, Decimal]:
    return convert(one.test, one.low, one.unit, unit), convert(one.test, one.high, one.unit, unit)


def _is_within(one: NormalRange, age: int | None) -> bool:
    """Whether a range holds at an age; where that is not known, every one does."""
    return age is None or one.age_from <= age <= one.age_to


def _age_on(born_on: str | None, day: date) -> int | None:
    """Whole years at the earliest day on which the patient can have been born."""
    if not born_on:
        return None
    return int((day - partial_dates.parse(born_on).earliest).days / (12 * DAYS_PER_MONTH))


def _day_at_site(sample: Any) -> date:
    day: date = (sample.taken_at + timedelta(minutes=sample.taken_at_offset or 0)).date()
    return day

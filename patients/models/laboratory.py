"""Laboratory results (STUDY B.4: LBH, LBC, LBO). Tall: a sample, then one row a result; import, ranges and grades are one thing."""

from typing import ClassVar

from django.db import models

from patients import codes
from patients.laboratory_tests import TESTS, panel_of
from trial.audit import AuditedModel
from trial.fields import CodedField, MomentField, NumberField, OffsetField, TextField, WholeNumberField
from trial.models import Site
from trial.records import Form, PatientRecord, called

EVERY_TEST = [(test.code, test.label) for test in TESTS.values()]


class LaboratorySample(PatientRecord):
    """What every sample says: when it was taken, and which laboratory has it."""

    taken_at = MomentField("Sample taken", oid="LBDTM", required=True)
    taken_at_offset = OffsetField("Offset of the site's clock", oid="LBDTMOFF", unit="min", required=True)
    laboratory = TextField("Laboratory", oid="LABID", required=True, max_length=20)

    class Meta:
        abstract = True


class LaboratoryResult(PatientRecord):
    """One result, with the text as typed and the normal range that held on that day.

    `value` is in the standard unit of the test, `low` and `high` are in the unit as typed: grades are read from those
    (STUDY B.1, rule 5). Of a result beyond what can be measured (`<0.5`) `value` is the limit; on which side of it the result
    lies is said by the text as typed alone (`patients.measured`).
    """

    test = CodedField("Test", oid="LBTESTCD", required=True, choices=EVERY_TEST)
    value = NumberField("Result", oid="LBSTRESN", required=True, places=3, limits=(0, 1_000_000))
    value_text = TextField("As typed", oid="LBORRES", required=True, max_length=20)
    unit_text = TextField("Unit", oid="LBORRESU", required=True, max_length=20)
    low = NumberField("Lower limit of normal", oid="LBNRLO", places=3, limits=(0, 1_000_000))
    high = NumberField("Upper limit of normal", oid="LBNRHI", places=3, limits=(0, 1_000_000))
    grade = WholeNumberField("CTCAE grade", oid="LBTOXGR", limits=(0, 4))

    class Meta:
        abstract = True


def possible(panel: str, name: str) -> models.CheckConstraint:
    """The database's refusal of a test of another panel, and of a result outside of the hard limits of its test."""
    condition = models.Q()
    for test in panel_of(panel):
        within = models.Q(value__gte=test.low, value__lte=test.high)
        condition |= models.Q(test=test.code) & (models.Q(value__isnull=True) | within)
    return models.CheckConstraint(
        condition=condition,
        name=name,
        violation_error_message="No such result is possible for this test. Check the number and its unit.",
    )


def once_a_sample(name: str) -> models.UniqueConstraint:
    """The refusal of a second result of one test in one sample."""
    return models.UniqueConstraint(
        fields=["sample", "test"],
        name=name,
        violation_error_message="This sample already has a result of that test.",
    )


class HaematologySample(LaboratorySample):
    """A blood sample for a count."""

    form = Form("LBH", "Haematology", "Visits", at_visits=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_haematology_sample_an_entry")]

    def __str__(self) -> str:
        return f"Blood count {self.taken_at:%Y-%m-%d}" if self.taken_at else "Blood count"


class HaematologyResult(LaboratoryResult):
    """One result of a blood count."""

    form = Form("LBH.RESULT", "Results", "Visits", at_visits=True, repeats=True, part_of="LBH")

    sample = models.ForeignKey(HaematologySample, on_delete=models.PROTECT, related_name="results", editable=False)

    class Meta:
        constraints: ClassVar = [once_a_sample("one_result_a_test"), possible("LBH", "a_blood_count_is_possible")]

    def __str__(self) -> str:
        return called(self.get_test_display() or "Result", (" ", self.value_text), (" ", self.unit_text))


class ChemistrySample(LaboratorySample):
    """A blood sample for chemistry."""

    form = Form("LBC", "Chemistry", "Visits", at_visits=True)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_chemistry_sample_an_entry")]

    def __str__(self) -> str:
        return f"Chemistry {self.taken_at:%Y-%m-%d}" if self.taken_at else "Chemistry"


class ChemistryResult(LaboratoryResult):
    """One result of a chemistry sample."""

    form = Form("LBC.RESULT", "Results", "Visits", at_visits=True, repeats=True, part_of="LBC")

    sample = models.ForeignKey(ChemistrySample, on_delete=models.PROTECT, related_name="results", editable=False)

    class Meta:
        constraints: ClassVar = [once_a_sample("one_chemistry_a_test"), possible("LBC", "a_chemistry_is_possible")]

    def __str__(self) -> str:
        return called(self.get_test_display() or "Result", (" ", self.value_text), (" ", self.unit_text))


class CoagulationSample(LaboratorySample):
    """A blood sample for coagulation, immunology and the rest."""

    form = Form("LBO", "Coagulation and immunology", "Visits", at_visits=True)

    antibody = CodedField("Antibodies to blinatumomab", oid="ADA", choices=codes.ANTIBODY)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_coagulation_sample_an_entry")]

    def __str__(self) -> str:
        return f"Coagulation {self.taken_at:%Y-%m-%d}" if self.taken_at else "Coagulation"


class CoagulationResult(LaboratoryResult):
    """One result of coagulation, immunology and the rest."""

    form = Form("LBO.RESULT", "Results", "Visits", at_visits=True, repeats=True, part_of="LBO")

    sample = models.ForeignKey(CoagulationSample, on_delete=models.PROTECT, related_name="results", editable=False)

    class Meta:
        constraints: ClassVar = [once_a_sample("one_coagulation_a_test"), possible("LBO", "a_coagulation_is_possible")]

    def __str__(self) -> str:
        return called(self.get_test_display() or "Result", (" ", self.value_text), (" ", self.unit_text))


class NormalRange(AuditedModel):
    """What one laboratory calls normal: for a test, a sex, an age and a time (STUDY B.4: SITE). Both limits are included."""

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="normal_ranges")
    laboratory = models.CharField(max_length=20)
    test = models.CharField(max_length=10, choices=EVERY_TEST)
    unit = models.CharField(max_length=20)
    sex = models.CharField(
        max_length=1, blank=True, choices=[("M", "Men"), ("F", "Women")], help_text="Empty: everybody."
    )
    age_from = models.PositiveSmallIntegerField(default=18)
    age_to = models.PositiveSmallIntegerField(default=150)
    low = models.DecimalField(max_digits=13, decimal_places=3)
    high = models.DecimalField(max_digits=13, decimal_places=3)
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(high__gt=models.F("low"), low__gte=0),
                name="a_normal_range_goes_up",
                violation_error_message="The upper limit of normal is not above the lower one. Check both.",
            ),
            models.UniqueConstraint(
                fields=["site", "laboratory", "test", "sex", "age_from", "valid_from"],
                name="one_normal_range_at_a_time",
                violation_error_message="This laboratory already has a range of that test from that day.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.laboratory} {self.test}: {self.low} to {self.high} {self.unit}"

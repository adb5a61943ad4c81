"""Blood counts (STUDY B.4: LBH). Tall: a sample, then one row a result; import, ranges and grades are one thing."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import CodedField, MomentField, NumberField, OffsetField, TextField, WholeNumberField
from trial.records import Form, PatientRecord


class HaematologySample(PatientRecord):
    """A blood sample for a count."""

    form = Form("LBH", "Haematology", "Visits", at_visits=True)

    taken_at = MomentField("Sample taken", oid="LBDTM", required=True)
    taken_at_offset = OffsetField("Offset of the site's clock", oid="LBDTMOFF", unit="min", required=True)
    laboratory = TextField("Laboratory", oid="LABID", required=True, max_length=20)

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_haematology_sample_an_entry")]

    def __str__(self) -> str:
        return f"Blood count {self.taken_at:%Y-%m-%d}" if self.taken_at else "Blood count"


class HaematologyResult(PatientRecord):
    """One result of a blood sample, with the text as typed and the normal range that held on that day."""

    form = Form("LBH.RESULT", "Results", "Visits", at_visits=True, repeats=True, part_of="LBH")

    sample = models.ForeignKey(HaematologySample, on_delete=models.PROTECT, related_name="results", editable=False)
    test = CodedField("Test", oid="LBTESTCD", required=True, choices=codes.HAEMATOLOGY_TEST)
    value = NumberField("Result", oid="LBSTRESN", required=True, places=3, limits=(0, 2000))
    value_text = TextField("As typed", oid="LBORRES", required=True, max_length=20)
    unit_text = TextField("Unit", oid="LBORRESU", required=True, max_length=20)
    low = NumberField("Lower limit of normal", oid="LBNRLO", places=3, limits=(0, 1_000_000))
    high = NumberField("Upper limit of normal", oid="LBNRHI", places=3, limits=(0, 1_000_000))
    grade = WholeNumberField("CTCAE grade", oid="LBTOXGR", limits=(0, 4))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sample", "test"],
                name="one_result_a_test",
                violation_error_message="This sample already has a result of that test.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_test_display()} {self.value_text} {self.unit_text}"

"""Visits and performance status (STUDY B.4: SV, PS). The visit's code is the entry's `visit`."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import CodedField, FullDateField, NumberField, WholeNumberField, YesNoField
from trial.records import Form, PatientRecord


class Visit(PatientRecord):
    """A visit that took place, or was missed."""

    form = Form("SV", "Visit", "Visits", at_visits=True)

    visited_on = FullDateField("Visit date", oid="SVSTDAT", required=True)
    contact = CodedField("Contact", oid="SVTYPE", required=True, choices=codes.CONTACT)
    is_missed = YesNoField("Missed", oid="SVMISS", required=True)
    is_inpatient = YesNoField("Inpatient", oid="INPAT")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_visit_an_entry")]

    def __str__(self) -> str:
        return f"Visit {self.visited_on}"


class PerformanceStatus(PatientRecord):
    """ECOG, weight and the writing test."""

    form = Form("PS", "Performance status", "Visits", at_visits=True)

    assessed_on = FullDateField("Assessed", oid="PSDAT", required=True)
    ecog = WholeNumberField("ECOG", oid="ECOG", required=True, limits=(0, 5))
    weight_kg = NumberField("Weight", oid="WEIGHT", required=True, unit="kg", places=1, limits=(25, 250))
    height_cm = NumberField("Height", oid="HEIGHT", unit="cm", limits=(100, 230))
    did_writing_test = YesNoField("Writing test done", oid="WRTYN", required=True)
    writing = CodedField("Change of writing", oid="WRTRES", choices=codes.WRITING)
    ice_orientation = WholeNumberField("ICE: orientation", oid="ICEOR", unit="points", limits=(0, 4))
    ice_naming = WholeNumberField("ICE: naming", oid="ICENM", unit="points", limits=(0, 3))
    ice_commands = WholeNumberField("ICE: commands", oid="ICECMD", unit="points", limits=(0, 1))
    ice_writing = WholeNumberField("ICE: writing", oid="ICEWR", unit="points", limits=(0, 1))
    ice_attention = WholeNumberField("ICE: attention", oid="ICEATT", unit="points", limits=(0, 1))

    class Meta:
        verbose_name_plural = "performance status"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_performance_status_an_entry")]

    def __str__(self) -> str:
        return f"ECOG {self.ecog} on {self.assessed_on}"

"""Visits, performance status and vital signs (STUDY B.4: SV, PS, VS). The visit's code is the entry's `visit`."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import (
    CodedField,
    FullDateField,
    MomentField,
    NumberField,
    OffsetField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


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
        return called("Visit", (" ", self.visited_on))


class PerformanceStatus(PatientRecord):
    """ECOG, weight and the writing test."""

    form = Form("PS", "Performance status", "Visits", at_visits=True)

    assessed_on = FullDateField("Assessed", oid="PSDAT", required=True)
    ecog = WholeNumberField("ECOG", oid="ECOG", required=True, limits=(0, 5))
    weight_kg = NumberField(
        "Weight", oid="WEIGHT", required=True, unit="kg", places=1, limits=(25, 250), soft=(45, None)
    )
    height_cm = NumberField(
        "Height", oid="HEIGHT", unit="cm", limits=(100, 230), soft=(140, 205), hint="At screening only."
    )
    did_writing_test = YesNoField("Writing test done", oid="WRTYN", required=True)
    writing = CodedField(
        "Change of writing", oid="WRTRES", choices=codes.WRITING, required=True, asked_if={"did_writing_test": (True,)}
    )
    ice_orientation = WholeNumberField("ICE: orientation", oid="ICEOR", unit="points", limits=(0, 4))
    ice_naming = WholeNumberField("ICE: naming", oid="ICENM", unit="points", limits=(0, 3))
    ice_commands = WholeNumberField("ICE: commands", oid="ICECMD", unit="points", limits=(0, 1))
    ice_writing = WholeNumberField("ICE: writing", oid="ICEWR", unit="points", limits=(0, 1))
    ice_attention = WholeNumberField("ICE: attention", oid="ICEATT", unit="points", limits=(0, 1))

    class Meta:
        verbose_name_plural = "performance status"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry"], name="one_performance_status_an_entry")]

    def __str__(self) -> str:
        return called("ECOG", (" ", self.ecog), (" on ", self.assessed_on))


class VitalSigns(PatientRecord):
    """Vital signs at one time of a visit."""

    form = Form("VS", "Vital signs", "Visits", at_visits=True, repeats=True)

    measured_at = MomentField("Measured", oid="VSDTM", required=True)
    measured_at_offset = OffsetField("Offset of the site's clock", oid="VSDTMOFF", unit="min", required=True)
    time_point = CodedField("Time point", oid="VSTPT", required=True, choices=codes.VITAL_SIGNS_TIME)
    temperature_c = NumberField(
        "Temperature", oid="TEMP", required=True, unit="°C", places=1, limits=(30, 43), soft=(35.5, 37.9)
    )
    temperature_site = CodedField("Measured where", oid="TEMPSITE", choices=codes.TEMPERATURE_SITE)
    systolic_mmhg = WholeNumberField(
        "Systolic", oid="SYSBP", required=True, unit="mmHg", limits=(40, 260), soft=(90, 180)
    )
    diastolic_mmhg = WholeNumberField(
        "Diastolic", oid="DIABP", required=True, unit="mmHg", limits=(20, 160), soft=(50, 110)
    )
    heart_rate = WholeNumberField("Heart rate", oid="HR", required=True, unit="/min", limits=(20, 250), soft=(50, 120))
    respiratory_rate = WholeNumberField("Respiratory rate", oid="RESP", unit="/min", limits=(4, 60), soft=(10, 24))
    oxygen_saturation = WholeNumberField(
        "Oxygen saturation", oid="SPO2", required=True, unit="%", limits=(40, 100), soft=(92, None)
    )
    oxygen = CodedField("Oxygen support", oid="O2SUP", required=True, choices=codes.OXYGEN)
    vasopressor = CodedField("Vasopressor", oid="PRESSOR", required=True, choices=codes.VASOPRESSOR)

    class Meta:
        verbose_name_plural = "vital signs"
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(diastolic_mmhg__isnull=True)
                | models.Q(systolic_mmhg__isnull=True)
                | models.Q(diastolic_mmhg__lt=models.F("systolic_mmhg")),
                name="diastolic_below_systolic",
                violation_error_message="The diastolic pressure is not below the systolic one. Check both readings. (EC-077)",
            )
        ]

    def __str__(self) -> str:
        return f"Vital signs {self.measured_at:%Y-%m-%d}" if self.measured_at else "Vital signs"

"""Cycles, infusion and dexamethasone (STUDY B.4: CYC, EX, DEX). An adverse event is named by its number (AE.AESPID)."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.fields import (
    CodedField,
    MomentField,
    NumberField,
    OffsetField,
    PartialDateField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord


class Cycle(PatientRecord):
    """A treatment cycle. Its start and end are shown from the infusion intervals."""

    form = Form("CYC", "Treatment cycle", "Treatment", repeats=True)

    number = WholeNumberField("Cycle", oid="CYCNUM", required=True, limits=(1, 10))
    kind = CodedField("Type", oid="CYCTYPE", required=True, choices=codes.CYCLE)
    early_end_reason = CodedField("Why it ended early", oid="CYCRSN", choices=codes.DOSE_REASON)
    new_cycle_reason = CodedField(
        "Why a new cycle began after an interruption", oid="CYCNEWRSN", choices=codes.DOSE_REASON
    )
    meets_criteria = YesNoField("Criteria before the cycle met", oid="GOCRIT", required=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "number"],
                name="one_cycle_a_number",
                violation_error_message="This patient already has a cycle with that number.",
            )
        ]

    def __str__(self) -> str:
        return f"Cycle {self.number}"


class InfusionInterval(PatientRecord):
    """An interval of one constant dose rate. Rate 0 is an interruption."""

    form = Form("EX", "Infusion", "Treatment", repeats=True)

    cycle = WholeNumberField("Cycle", oid="EXCYC", required=True, limits=(1, 10))
    number = WholeNumberField("Interval", oid="EXSEQ", required=True, limits=(1, 200))
    started_at = MomentField("Start", oid="EXSTDTM", required=True)
    started_at_offset = OffsetField("Offset of the site's clock at the start", oid="EXSTOFF", unit="min", required=True)
    ended_at = MomentField("Stop", oid="EXENDTM")
    ended_at_offset = OffsetField("Offset of the site's clock at the stop", oid="EXENOFF", unit="min")
    dose_ug_per_day = NumberField("Dose rate", oid="EXDOSE", required=True, unit="µg/day", places=1, limits=(0, 1000))
    volume_ml = NumberField("Volume infused", oid="EXVOL", unit="mL", places=1, limits=(0, 600))
    pump_rate_ml_per_h = NumberField("Pump rate of the first bag", oid="EXRATE", unit="mL/h", places=2, limits=(0, 60))
    change = CodedField("Change", oid="EXADJ", required=True, choices=codes.DOSE_CHANGE)
    change_reason = CodedField("Reason", oid="EXADJRSN", choices=codes.DOSE_REASON)
    event_number = WholeNumberField("Causing adverse event", oid="EXAEREF", limits=(1, None))

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "number"],
                name="one_interval_a_number",
                violation_error_message="This patient already has an interval with that number.",
            ),
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True) | models.Q(ended_at__gt=models.F("started_at")),
                name="an_infusion_stops_after_its_start",
                violation_error_message="The infusion stops before it starts. Check both times.",
            ),
        ]

    def __str__(self) -> str:
        return f"Infusion {self.number}: {self.dose_ug_per_day} µg/day"


class Dexamethasone(PatientRecord):
    """Dexamethasone given, and what for."""

    form = Form("DEX", "Dexamethasone", "Treatment", repeats=True)

    purpose = CodedField("Purpose", oid="DEXPURP", required=True, choices=codes.DEXAMETHASONE_PURPOSE)
    given_at = MomentField("Given", oid="DEXDTM", required=True)
    given_at_offset = OffsetField("Offset of the site's clock", oid="DEXOFF", unit="min", required=True)
    dose_mg = NumberField("Single dose", oid="DEXDOSE", required=True, unit="mg", places=1, limits=(0.5, 100))
    frequency = CodedField("Frequency", oid="DEXFRQ", required=True, choices=codes.FREQUENCY)
    last_day = PartialDateField("Last day", oid="DEXENDAT", least="month")
    route = CodedField("Route", oid="DEXROUTE", required=True, choices=codes.ROUTE)
    event_number = WholeNumberField("Adverse event treated", oid="DEXAEREF", limits=(1, None))

    class Meta:
        verbose_name_plural = "dexamethasone"

    def __str__(self) -> str:
        return f"Dexamethasone {self.dose_mg} mg, {self.get_purpose_display()}"

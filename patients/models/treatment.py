"""Cycles, infusion, and what else was given or done (STUDY B.4: CYC, EX, DEX, TRF, CM, PR).

An adverse event is named by its number (AE.AESPID).
"""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.code_lists import codes_other_than
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    MomentField,
    NumberField,
    OffsetField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class Cycle(PatientRecord):
    """A treatment cycle. Its start and end are shown from the infusion intervals."""

    form = Form("CYC", "Treatment cycle", "Treatment", repeats=True)

    number = WholeNumberField("Cycle", oid="CYCNUM", required=True, limits=(1, 10), soft=(None, 5))
    kind = CodedField("Type", oid="CYCTYPE", required=True, choices=codes.CYCLE)
    early_end_reason = CodedField(
        "Why it ended early",
        oid="CYCRSN",
        choices=codes.DOSE_REASON,
        hint="Where the infusion lasted less than 28 days.",
    )
    new_cycle_reason = CodedField(
        "Why a new cycle began after an interruption",
        oid="CYCNEWRSN",
        choices=codes.DOSE_REASON,
        hint="Where the interruption before it was longer than 7 days.",
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
        return called("Cycle", (" ", self.number))


class InfusionInterval(PatientRecord):
    """An interval of one constant dose rate. Rate 0 is an interruption."""

    form = Form("EX", "Infusion", "Treatment", repeats=True)

    cycle = WholeNumberField("Cycle", oid="EXCYC", required=True, limits=(1, 10))
    number = WholeNumberField("Interval", oid="EXSEQ", required=True, limits=(1, 200))
    started_at = MomentField("Start", oid="EXSTDTM", required=True)
    started_at_offset = OffsetField("Offset of the site's clock at the start", oid="EXSTOFF", unit="min", required=True)
    ended_at = MomentField("Stop", oid="EXENDTM", hint="Empty while the infusion is running.")
    ended_at_offset = OffsetField("Offset of the site's clock at the stop", oid="EXENOFF", unit="min")
    dose_ug_per_day = NumberField(
        "Dose rate",
        oid="EXDOSE",
        required=True,
        unit="µg/day",
        places=1,
        limits=(0, 1000),
        hint="0 for an interruption.",
    )
    volume_ml = NumberField("Volume infused", oid="EXVOL", unit="mL", places=1, limits=(0, 600))
    pump_rate_ml_per_h = NumberField("Pump rate of the first bag", oid="EXRATE", unit="mL/h", places=2, limits=(0, 60))
    change = CodedField("Change", oid="EXADJ", required=True, choices=codes.DOSE_CHANGE)
    change_reason = CodedField(
        "Reason",
        oid="EXADJRSN",
        choices=codes.DOSE_REASON,
        required=True,
        asked_if={"change": codes_other_than(codes.DOSE_CHANGE, "START")},
    )
    event_number = WholeNumberField(
        "Causing adverse event",
        oid="EXAEREF",
        limits=(1, None),
        required=True,
        asked_if={"change_reason": ("ADVERSE EVENT",)},
        hint="The number of the event on its form.",
    )

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
        return called("Infusion", (" ", self.number), (": ", self.dose_ug_per_day, " µg/day"))


class InfusionBag(PatientRecord):
    """A bag of an interval. A change of the bag is no new interval."""

    form = Form("EX.BAG", "Bags", "Treatment", repeats=True, part_of="EX")

    interval = models.ForeignKey(InfusionInterval, on_delete=models.PROTECT, related_name="bags", editable=False)
    bag = TextField("Bag or lot number", oid="EXBAGID", required=True, max_length=40)
    hung_at = MomentField("Hung", oid="EXBAGDTM")
    hung_at_offset = OffsetField("Offset of the site's clock", oid="EXBAGOFF", unit="min")

    def __str__(self) -> str:
        return called("Bag", (" ", self.bag))


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
    event_number = WholeNumberField(
        "Adverse event treated",
        oid="DEXAEREF",
        limits=(1, None),
        required=True,
        asked_if={"purpose": ("CRS TREATMENT", "NEUROLOGIC TREATMENT", "GVHD TREATMENT")},
        hint="The number of the event on its form.",
    )

    class Meta:
        verbose_name_plural = "dexamethasone"

    def __str__(self) -> str:
        return called("Dexamethasone", (" ", self.dose_mg, " mg"), (", ", self.get_purpose_display()))


class Transfusion(PatientRecord):
    """A blood product or growth factor that was given."""

    form = Form("TRF", "Transfusions and growth factors", "Treatment", repeats=True)

    product = CodedField("Product", oid="TRTYPE", required=True, choices=codes.BLOOD_PRODUCT)
    given_on = FullDateField("Date", oid="TRDAT", required=True)
    units = WholeNumberField("Units", oid="TRUNITS", limits=(1, 50), soft=(None, 10))

    def __str__(self) -> str:
        return called(self.get_product_display() or "Transfusion", (" on ", self.given_on))


class Medication(PatientRecord):
    """A medicine that was given beside blinatumomab."""

    form = Form("CM", "Concomitant medication", "Treatment", repeats=True)

    drug = TextField("Drug", oid="CMTRT", required=True, max_length=100)
    category = CodedField("Category", oid="CMCAT", required=True, choices=codes.MEDICATION)
    dose = NumberField("Dose", oid="CMDOSE", places=2, limits=(0, 1_000_000))
    dose_unit = CodedField("Unit of the dose", oid="CMDOSU", choices=codes.DOSE_UNIT)
    route = CodedField("Route", oid="CMROUTE", required=True, choices=codes.ROUTE)
    started = PartialDateField("Start", oid="CMSTDAT", required=True, least="month")
    ended = PartialDateField("Stop", oid="CMENDAT", least="month", required=True, asked_if={"is_ongoing": (False,)})
    is_ongoing = YesNoField("Ongoing", oid="CMONGO", required=True)
    indication = CodedField("Indication", oid="CMINDC", required=True, choices=codes.INDICATION)
    event_number = WholeNumberField(
        "Adverse event treated",
        oid="CMAEREF",
        limits=(1, None),
        required=True,
        asked_if={"indication": ("AE",)},
        hint="The number of the event on its form.",
    )

    class Meta:
        constraints: ClassVar = [
            in_order(
                "started",
                "ended",
                name="no_medication_stops_before_it_starts",
                says="The medication stops before it starts. Check both dates.",
            )
        ]

    def __str__(self) -> str:
        return called(self.drug or "Medication", (" from ", self.started))


class Procedure(PatientRecord):
    """A procedure, intrathecal prophylaxis included."""

    form = Form("PR", "Procedures", "Treatment", repeats=True)

    procedure = CodedField("Procedure", oid="PRTRT", required=True, choices=codes.PROCEDURE)
    done_on = PartialDateField("Date", oid="PRDAT", required=True, least="month")
    intrathecal_drugs = CodesField(
        "Intrathecal drugs",
        oid="PRITDRG",
        codes=codes.INTRATHECAL_DRUG,
        required=True,
        asked_if={"procedure": ("LUMBAR PUNCTURE + IT THERAPY",)},
    )
    indication = TextField("Indication", oid="PRINDC", max_length=100)

    def __str__(self) -> str:
        return called(self.get_procedure_display() or "Procedure", (" on ", self.done_on))

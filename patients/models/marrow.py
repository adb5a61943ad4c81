"""Marrow, minimal residual disease, extramedullary disease and response (STUDY B.4: BM, MRD, EMD, RS)."""

from typing import ClassVar

from django.db import models

from patients import codes
from patients.models.laboratory import HaematologySample
from trial.code_lists import codes_other_than
from trial.fields import (
    CodedField,
    CodesField,
    FullDateField,
    NumberField,
    RatioField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class Marrow(PatientRecord):
    """A marrow sample as one reader saw it."""

    form = Form("BM", "Bone marrow", "Marrow and response", repeats=True)

    sampled_on = FullDateField("Sample date", oid="BMDAT", required=True)
    reader = CodedField("Reader", oid="BMSRC", required=True, choices=codes.READER)
    specimens = CodesField("Specimen", oid="BMTYPE", required=True, codes=codes.SPECIMEN)
    is_adequate = YesNoField("Quality adequate", oid="BMQUAL", required=True)
    cellularity = CodedField("Cellularity class", oid="CELLUL", required=True, choices=codes.CELLULARITY)
    cellularity_percent = NumberField("Cellularity", oid="CELLPCT", unit="%", limits=(0, 100))
    blasts_percent = NumberField(
        "Blasts",
        oid="BLAST",
        unit="%",
        places=1,
        limits=(0, 100),
        required=True,
        asked_if={"is_adequate": (True,)},
        hint="As the reader reports them; a report of less than 5 % is 5 with the qualifier <.",
    )
    blasts_qualifier = CodedField("Qualifier of the blasts", oid="BLASTQ", choices=codes.QUALIFIER)
    flow_blasts_percent = NumberField("Blasts by flow cytometry", oid="FLOWBL", unit="%", places=2, limits=(0, 100))
    residual_cd19 = CodedField("CD19 on residual blasts", oid="CD19RES", choices=codes.CD19)
    cytogenetics = CodesField("Cytogenetics", oid="CYTOFU", codes=codes.CYTOGENETICS)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "sampled_on", "reader"],
                name="one_reading_a_marrow",
                violation_error_message="This reader already has a result for the marrow of that date.",
            )
        ]

    def __str__(self) -> str:
        return called("Marrow", (" ", self.sampled_on), (", ", self.get_reader_display()))


class MrdAssay(PatientRecord):
    """One MRD assay of one marker on a marrow sample."""

    form = Form("MRD", "Minimal residual disease", "Marrow and response", repeats=True)

    marrow = models.ForeignKey(Marrow, on_delete=models.PROTECT, null=True, blank=True, related_name="assays")
    method = CodedField("Method", oid="MRDM", required=True, choices=codes.MRD_METHOD)
    laboratory = TextField("Laboratory", oid="MRDLAB", required=True, max_length=40)
    marker = WholeNumberField("Marker number", oid="MRDMARK", limits=(1, 5))
    sensitivity = RatioField(
        "Assay sensitivity",
        oid="MRDSENS",
        required=True,
        unit="ratio",
        limits=(1e-7, 1e-1),
        soft=(None, 1e-4),
        hint="As the laboratory reports it, as 0.0001 or 1e-4.",
    )
    quantitative_range = RatioField(
        "Lowest quantifiable level",
        oid="MRDQR",
        unit="ratio",
        limits=(1e-6, 1e-1),
        required=True,
        asked_if={"result": ("POSITIVE NOT QUANTIFIABLE",)},
    )
    result = CodedField("Result", oid="MRDRES", required=True, choices=codes.MRD_RESULT)
    level = RatioField(
        "Level", oid="MRDVAL", unit="ratio", limits=(0, 1), required=True, asked_if={"result": ("POSITIVE QUANTIFIED",)}
    )

    def __str__(self) -> str:
        return called("MRD", (": ", self.get_result_display()))


class ExtramedullaryAssessment(PatientRecord):
    """Whether leukaemia was seen outside the marrow."""

    form = Form("EMD", "Extramedullary disease", "Marrow and response", repeats=True)

    assessed_on = FullDateField("Date", oid="EMDDAT", required=True)
    methods = CodesField("Method", oid="EMDMETH", required=True, codes=codes.EXTRAMEDULLARY_METHOD)
    status = CodedField("Status", oid="EMDST", required=True, choices=codes.EXTRAMEDULLARY_STATUS)
    csf_cells = NumberField(
        "Leukocytes in the fluid", oid="CSFCELL", unit="/µL", places=1, limits=(0, 100_000), soft=(None, 5)
    )
    has_csf_blasts = YesNoField("Blasts in the fluid", oid="CSFBL", required=True, asked_if={"methods": ("CSF",)})
    lesions_mm = NumberField("Sum of the largest diameters", oid="EMDSUM", unit="mm", limits=(0, 2000))

    def __str__(self) -> str:
        return called("Extramedullary disease", (" ", self.assessed_on), (": ", self.get_status_display()))


class ResponseAssessment(PatientRecord):
    """The response as one assessor saw it. What the algorithm says is derived beside it, never stored here."""

    form = Form("RS", "Response", "Marrow and response", repeats=True)

    assessed_on = FullDateField("Assessment date", oid="RSDAT", required=True, hint="The date of the marrow.")
    cycle = WholeNumberField("Cycle assessed", oid="RSCYC", required=True, limits=(1, 10), soft=(None, 5))
    assessor = CodedField("Assessor", oid="RSEVAL", required=True, choices=codes.READER)
    marrow = models.ForeignKey(
        Marrow, on_delete=models.PROTECT, null=True, blank=True, related_name="+", verbose_name="Marrow used"
    )
    count = models.ForeignKey(
        HaematologySample,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Blood count used",
    )
    extramedullary = models.ForeignKey(
        ExtramedullaryAssessment,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name="Extramedullary assessment used",
    )
    response = CodedField("Response", oid="RSORRES", required=True, choices=codes.RESPONSE)
    adjudicated_response = CodedField(
        "Adjudicated response",
        oid="RSADJ",
        choices=codes.RESPONSE,
        hint="Where the assessor and the algorithm differ: the response that the analysis takes.",
    )
    adjudication_reason = TextField(
        "Reason of the adjudication",
        oid="RSADJRSN",
        max_length=500,
        required=True,
        asked_if={"adjudicated_response": codes_other_than(codes.RESPONSE)},
    )

    def __str__(self) -> str:
        return called("Response", (" ", self.response), (" on ", self.assessed_on))

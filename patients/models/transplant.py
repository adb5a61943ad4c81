"""Transplantation before the study (STUDY B.4: HSCT). Its gate, any prior transplantation, is the entry's `has_any`."""

from typing import ClassVar

from django.db import models

from patients import codes
from trial.code_lists import codes_other_than
from trial.constraints import in_order
from trial.fields import (
    CodedField,
    CodesField,
    NumberField,
    PartialDateField,
    TextField,
    WholeNumberField,
    YesNoField,
)
from trial.records import Form, PatientRecord, called


class Transplant(PatientRecord):
    """One earlier stem-cell transplantation. Several rows when the patient was transplanted more than once."""

    form = Form("HSCT", "Prior transplantation", "Baseline", repeats=True)

    number = WholeNumberField("Transplant number", oid="HSNUM", limits=(1, 4), required=True, soft=(None, 2))
    kind = CodedField("Type", oid="HSTYPE", choices=codes.TRANSPLANT, required=True)
    transplanted_on = PartialDateField("Graft infusion (day 0)", oid="HSDAT", least="month", required=True)
    status = CodedField(
        "Disease status at transplantation", oid="HSSTAT", choices=codes.STATUS_AT_TRANSPLANT, required=True
    )
    donor = CodedField("Donor", oid="DONOR", choices=codes.DONOR, required=True, asked_if={"kind": ("ALLOGENEIC",)})
    hla_match = CodedField("HLA match", oid="HLA", choices=codes.HLA_MATCH)
    donor_sex = CodedField("Sex of the donor", oid="DONSEX", choices=codes.SEX)
    donor_age_years = WholeNumberField(
        "Age of the donor",
        oid="DONAGE",
        unit="years",
        limits=(0, 85),
        asked_if={"donor": codes_other_than(codes.DONOR, "CORD BLOOD")},
    )
    graft = CodedField("Stem cell source", oid="GRAFT", choices=codes.GRAFT, required=True)
    conditioning = CodedField("Conditioning intensity", oid="CONDINT", choices=codes.CONDITIONING, required=True)
    conditioning_agents = TextField("Conditioning agents", oid="CONDREG", max_length=200)
    tbi = CodedField("Total body irradiation", oid="TBI", choices=codes.TBI)
    gvhd_prophylaxis = CodesField("GVHD prophylaxis", oid="GVPX", codes=codes.GVHD_PROPHYLAXIS)
    cmv_donor = CodedField("CMV, donor", oid="CMVD", choices=codes.CMV)
    cmv_recipient = CodedField("CMV, recipient", oid="CMVR", choices=codes.CMV)
    engrafted_on = PartialDateField("Neutrophil engraftment", oid="ENGRDAT", least="month")
    chimerism_percent = NumberField(
        "Last donor chimerism before the study", oid="CHIM", unit="%", places=1, limits=(0, 100)
    )
    chimerism_on = PartialDateField("Chimerism measured", oid="CHIMDAT", least="month")
    had_lymphocyte_infusion = YesNoField("Donor lymphocyte infusion afterwards", oid="DLIYN", required=True)
    last_lymphocyte_infusion_on = PartialDateField(
        "Last donor lymphocyte infusion",
        oid="DLILAST",
        least="month",
        required=True,
        asked_if={"had_lymphocyte_infusion": (True,)},
    )
    had_acute_gvhd = YesNoField("Earlier acute GVHD", oid="AGVYN", required=True)
    acute_gvhd_grade = CodedField(
        "Highest acute GVHD grade",
        oid="AGVMAX",
        choices=codes.ACUTE_GVHD_GRADE,
        required=True,
        asked_if={"had_acute_gvhd": (True,)},
    )
    acute_gvhd_scale = CodedField(
        "Scale of that grade",
        oid="AGVSCALE",
        choices=codes.ACUTE_GVHD_SCALE,
        required=True,
        asked_if={"had_acute_gvhd": (True,)},
    )
    had_chronic_gvhd = YesNoField("Earlier chronic GVHD", oid="CGVYN", required=True)
    chronic_gvhd_severity = CodedField(
        "Highest chronic GVHD severity",
        oid="CGVMAX",
        choices=codes.CHRONIC_GVHD_SEVERITY,
        required=True,
        asked_if={"had_chronic_gvhd": (True,)},
    )
    active_gvhd = CodedField("GVHD active at screening", oid="GVACT", required=True, choices=codes.ACTIVE_GVHD)
    is_immunosuppressed = YesNoField("Immunosuppression ongoing at screening", oid="ISYN", required=True)
    last_immunosuppression_on = PartialDateField(
        "Last systemic immunosuppression", oid="ISLAST", least="month", hint="Empty if there never was any."
    )
    has_relapsed = YesNoField("Relapse after this transplantation", oid="RELYN", required=True)
    relapsed_on = PartialDateField(
        "Date of that relapse", oid="RELDAT", least="month", required=True, asked_if={"has_relapsed": (True,)}
    )
    relapse_site = CodedField(
        "Relapse site",
        oid="RELTYPE",
        choices=codes.TRANSPLANT_RELAPSE_SITE,
        required=True,
        asked_if={"has_relapsed": (True,)},
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["patient", "transplanted_on"],
                name="one_transplant_a_day",
                violation_error_message="This patient already has a transplant on that date.",
            ),
            in_order(
                "transplanted_on",
                "relapsed_on",
                name="relapse_after_the_transplant",
                says="The relapse is not after the transplantation. Check both dates. (EC-032)",
                may_be_same_day=False,
            ),
            in_order(
                "transplanted_on",
                "engrafted_on",
                name="engraftment_after_the_transplant",
                says="The engraftment is not after the transplantation. Check both dates.",
                may_be_same_day=False,
            ),
            in_order(
                "transplanted_on",
                "last_lymphocyte_infusion_on",
                name="lymphocytes_after_the_transplant",
                says="The donor lymphocytes were given before the transplantation, or on its day. Check both dates.",
                may_be_same_day=False,
            ),
        ]

    def __str__(self) -> str:
        return called("Transplant", (" ", self.transplanted_on))
